"""One pod: its container is started, probed, restarted, and told to stop, as the kubelet does it."""

import asyncio
import os
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

from sandbox.rehearsal.container import Container
from sandbox.rehearsal.manifests import PodTemplate
from sandbox.rehearsal.probing import Prober
from sandbox.rehearsal.translation import Identity, command, environment, files, mounts
from sandbox.servers import ServerError

READY_SECONDS = 120.0
_SCRATCH = "/tmp"  # noqa: S108


def container_of(template: PodTemplate, identity: Identity, image: Path, programs: Path) -> Container:
    """The pod's, with its volumes made. Raises ManifestError."""
    volumes = mounts(template, identity)
    for folder in (identity.folder, *volumes.values()):
        folder.mkdir(parents=True)
    for file in files(template, identity):
        file.path.write_text(file.text, encoding="utf-8")
        file.path.chmod(file.mode)
    of_image = {"PATH": os.environ["PATH"], "HOME": str(identity.folder), "HOSTNAME": identity.name}
    if _SCRATCH in volumes:
        of_image["TMPDIR"] = str(volumes[_SCRATCH])
    variables = environment(template, identity)
    started = command(template, image, programs, variables)
    return Container(started, of_image | variables, identity.folder, identity.folder.with_suffix(".log"))


def _back_off(restarts: int) -> float:
    """Seconds before the kubelet starts a container again."""
    return 0.0 if restarts < 2 else min(10.0 * 2 ** (restarts - 2), 300.0)


class Pod:
    """faults: whatever it did that a pod must not. killed: how often SIGKILL was needed to stop it."""

    def __init__(self, template: PodTemplate, identity: Identity, container: Container) -> None:
        self.name, self.address = identity.name, identity.address
        self.labels = template.labels
        self.template = template
        self.faults: list[str] = []
        self.killed = 0
        self.terminating = False
        self._container = container
        self._prober = Prober(identity.address)
        self._ready_since: float | None = None
        self._unwell = self._expected = False
        self._running = asyncio.create_task(self._run(), name=self.name)

    @property
    def ready(self) -> bool:
        """Whether it is sent requests."""
        return self._ready_since is not None and not self.terminating

    def available(self, settled: float) -> bool:
        """Whether it has been ready for so many seconds."""
        return self._ready_since is not None and time.monotonic() - self._ready_since >= settled

    async def until_available(self, settled: float = 0.0) -> None:
        """Or told to stop. Raises ServerError if that takes too long."""
        until = time.monotonic() + READY_SECONDS + settled
        while not (self.available(settled) or self.terminating):
            if time.monotonic() > until:
                raise ServerError(
                    f"{self.name} does not get ready. Its log ends with:\n{self._container.tail()}"
                )
            await asyncio.sleep(0.05)

    async def terminate(self) -> None:
        """Taken out of its Services at once; hook, SIGTERM, and SIGKILL when its grace time is over."""
        self.terminating = True
        template, began = self.template, time.monotonic()
        await asyncio.sleep(min(template.before_stop, template.grace))
        status = await self._container.stop(began + template.grace - time.monotonic())
        await self._running
        if status is None:
            self.killed += 1
            self.faults.append(f"{self.name} did not end within its {template.grace:.0f} seconds")
        elif status:
            self.faults.append(f"{self.name} ended with status {status} when it was told to stop")

    async def crash(self) -> None:
        """kill -9; returns when it was restarted and is ready again."""
        self._expected, self._ready_since = True, None
        self._container.kill()
        await self.until_available()

    async def destroy(self) -> None:
        """Without ado, when the rehearsal is over."""
        self.terminating = True
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running
        self._container.kill()
        await self._container.ended()

    async def _run(self) -> None:
        """Starts the container, and again whenever it ends: at once, then later and later."""
        for restarts in count():
            await asyncio.sleep(_back_off(restarts))
            if self.terminating:
                return
            self._container.start()
            probing = asyncio.create_task(self._probe())
            try:
                status = await self._container.ended()
            finally:
                probing.cancel()
                self._ready_since = None
            if not (self.terminating or self._unwell or self._expected):
                self.faults.append(f"{self.name} ended by itself with status {status}")
            self._unwell = self._expected = False

    async def _probe(self) -> None:
        startup = self.template.probe("startup")
        if startup and not await self._prober.passes(startup):
            await self._restart("startup")
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_whether_ready())
            group.create_task(self._look_whether_live())

    async def _look_whether_ready(self) -> None:
        readiness = self.template.probe("readiness")
        if readiness is None:
            self._ready_since = time.monotonic()
            return
        async for good in self._prober.verdicts(readiness):
            if not good:
                self._ready_since = None
            elif self._ready_since is None:
                self._ready_since = time.monotonic()

    async def _look_whether_live(self) -> None:
        liveness = self.template.probe("liveness")
        if liveness is None:
            return
        async for good in self._prober.verdicts(liveness):
            if not good and not self.terminating:
                await self._restart("liveness")
                return

    async def _restart(self, probe: str) -> None:
        self.faults.append(f"{self.name} failed its {probe} probe")
        self._unwell = True
        if await self._container.stop(self.template.grace) is None:
            self.killed += 1
