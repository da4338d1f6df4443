"""What the kubelet asks a pod, and what it makes of the answers."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from sandbox.rehearsal.manifests import Probe


class Prober:
    """Asks one pod at its address."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def passes(self, probe: Probe) -> bool:
        """Of a startup probe: True at the first success, False after too many failures."""
        async for good in self.verdicts(probe):
            return good
        return False

    async def verdicts(self, probe: Probe) -> AsyncIterator[bool]:
        """Whenever as many answers in a row were good, or bad, as it takes."""
        clock = asyncio.get_running_loop()
        await asyncio.sleep(probe.delay)
        good_ones = bad_ones = 0
        while True:
            asked = clock.time()
            if await self._asked(probe):
                good_ones, bad_ones = good_ones + 1, 0
            else:
                good_ones, bad_ones = 0, bad_ones + 1
            if good_ones >= probe.successes:
                yield True
            elif bad_ones >= probe.failures:
                yield False
            await asyncio.sleep(max(0.0, asked + probe.period - clock.time()))

    async def _asked(self, probe: Probe) -> bool:
        url = f"http://{self._address}:{probe.port}{probe.path}"
        # A connection for each question, as the kubelet has it.
        async with httpx.AsyncClient(timeout=None, trust_env=False, verify=False) as client:  # noqa: S501, S113
            try:
                async with asyncio.timeout(probe.timeout):
                    return 200 <= (await client.get(url)).status_code < 400
            except (httpx.TransportError, TimeoutError):
                return False
