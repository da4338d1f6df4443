"""One service as a child process that can be killed, frozen and started again on the same port."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

import sandbox.servers
from leadbus.testing.waiting import PATIENCE
from sandbox.servers.process import free_port

LEADBUS = str(Path(sys.executable).with_name("leadbus"))
GUARD = str(Path(sandbox.servers.__file__).with_name("guard.py"))
LOOK_EVERY = 0.05


def client_of(url: str, token: str = "", timeout: float = 20) -> httpx.AsyncClient:
    """A client; without TLS, whose certificates would take most of a short test's time to load."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout, verify=False)  # noqa: S501


class Child:
    """`leadbus run <service>`; its log is kept over restarts."""

    def __init__(self, service: str, number: int, environ: Mapping[str, str], folder: Path) -> None:
        self.service = service
        self.log = folder / f"{service}-{number}.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        variable = service.upper().replace("-", "_") + "_PORT"
        self._environ = {**environ, variable: str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-IS", GUARD, str(os.getpid()), LEADBUS, "run", self.service],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
                start_new_session=True,
            )

    async def until_ready(self, within: float = PATIENCE) -> None:
        await self.until_answers("/healthz/ready", within)

    async def until_alive(self, within: float = PATIENCE) -> None:
        await self.until_answers("/healthz/live", within)

    async def until_answers(self, path: str, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                while await self.status(path) != 200:
                    assert self.runs, f"{self.service} has ended:\n{self.tail()}"
                    await asyncio.sleep(LOOK_EVERY)
        except TimeoutError:
            raise AssertionError(f"{path} of {self.service} is not 200:\n{self.tail()}") from None

    async def status(self, path: str) -> int:
        """The status of the answer; 0 = none came."""
        try:
            async with client_of(self.url, timeout=5) as client:
                return (await client.get(path)).status_code
        except httpx.HTTPError:
            return 0

    async def metrics(self) -> str:
        async with client_of(self.url, timeout=5) as client:
            return (await client.get("/metrics")).text

    def kill(self) -> None:
        """kill -9, without warning."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    async def stop(self, within: float = 15) -> int:
        """SIGTERM; the exit code. AssertionError if it takes longer."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(within):
                while self.runs:  # noqa: ASYNC110 - a process has no asyncio event
                    await asyncio.sleep(LOOK_EVERY)
        except TimeoutError:
            raise AssertionError(f"{self.service} does not stop:\n{self.tail()}") from None
        assert self._process is not None
        return int(self._process.returncode)

    def resident_megabytes(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def tail(self) -> str:
        return "\n".join(self.log.read_text().splitlines()[-15:])

    def _signal(self, number: signal.Signals) -> None:
        # Popen looks first whether it has ended, so that no stranger is hit.
        assert self._process is not None
        self._process.send_signal(number)
