"""What the Deployment controller does: as many pods as wanted, and new ones for old ones as it is written."""

import asyncio
from collections.abc import Callable

from sandbox.rehearsal.manifests import PodTemplate, Rollout
from sandbox.rehearsal.pod import Pod


class Deployment:
    """pods: that are not told to stop. counts: how often it was rolled, scaled, and a pod killed."""

    def __init__(self, template: PodTemplate, how: Rollout, start: Callable[[PodTemplate], Pod]) -> None:
        self.name = template.owner
        self.template = template
        self.pods: list[Pod] = []
        self.counts = {"rolls": 0, "scalings": 0, "kills": 0}
        self._how = how
        self._start = start
        self._ever: list[Pod] = []
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def faults(self) -> list[str]:
        """Of all pods that it ever had."""
        return [fault for pod in self._ever for fault in pod.faults]

    @property
    def killed(self) -> int:
        """How many of them had to be stopped with SIGKILL."""
        return sum(pod.killed for pod in self._ever)

    async def begin(self) -> None:
        """The first pod; returns when it is ready."""
        await self._more(1)

    async def scale(self, wanted: int) -> None:
        """Returns when as many are ready, and those too many are told to stop: the youngest, all at once."""
        self.counts["scalings"] += 1
        await self._more(wanted - len(self.pods))
        self._fewer(self.pods[wanted:])

    async def roll(self) -> None:
        """Returns when every pod is a new one, and the old ones are told to stop."""
        self.counts["rolls"] += 1
        wanted, old = len(self.pods), list(self.pods)
        while old:
            going = self._dispensable(old, wanted - self._how.unavailable)
            self._fewer(going)
            old = [pod for pod in old if pod not in going]
            room = wanted + self._how.surge - len(self.pods)
            await self._more(min(room, wanted - (len(self.pods) - len(old))), self._how.settled)

    def _dispensable(self, old: list[Pod], least: int) -> list[Pod]:
        """Those of the old ones that may go: first whoever is of no use, and never below so many that are."""
        available = [pod for pod in self.pods if pod.available(self._how.settled)]
        idle = [pod for pod in old if pod not in available]
        busy = [pod for pod in old if pod in available]
        return (idle + busy[: max(len(available) - least, 0)])[: max(len(self.pods) - least, 0)]

    async def kill(self) -> None:
        """Its eldest pod, with -9; returns when that is ready again."""
        self.counts["kills"] += 1
        await self.pods[0].crash()

    async def destroy(self) -> None:
        """All of it, without ado."""
        await asyncio.gather(*(pod.destroy() for pod in self._ever))
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _more(self, count: int, settled: float = 0.0) -> None:
        fresh = [self._start(self.template) for _ in range(count)]
        self.pods += fresh
        self._ever += fresh
        await asyncio.gather(*(pod.until_available(settled) for pod in fresh))

    def _fewer(self, pods: list[Pod]) -> None:
        for pod in pods:
            self.pods.remove(pod)
            pod.terminating = True
            self._leaving.add(asyncio.create_task(pod.terminate()))

    async def gone(self) -> None:
        """Returns when all are that were told to stop."""
        await asyncio.gather(*self._leaving)
        self._leaving.clear()
