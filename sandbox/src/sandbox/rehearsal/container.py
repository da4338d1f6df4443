"""One container as a process: started with what its manifest says and nothing of ours."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import sandbox.servers

_GUARD = str(Path(sandbox.servers.__file__).with_name("guard.py"))
_POLL = 0.05


class Container:
    """It ends with us. command: its first item is an absolute path. log: kept over restarts."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        self._command = [sys.executable, "-IS", _GUARD, str(os.getpid()), *command]
        self._environment = dict(environment)
        self._folder = folder
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it, again if it has ended."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self._folder,
                start_new_session=True,
            )

    async def ended(self) -> int:
        """Its exit status once it has ended; below 0: the signal that ended it."""
        if self._process is None:
            return 0
        while (status := self._process.poll()) is None:  # noqa: ASYNC110 - a process has no asyncio event
            await asyncio.sleep(_POLL)
        return status

    async def stop(self, within: float) -> int | None:
        """SIGTERM; the exit status, or None if it had to be killed after so many seconds."""
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                return await self.ended()
        self.kill()
        await self.ended()
        return None

    def kill(self) -> None:
        """SIGKILL, as if it had crashed."""
        self._signal(signal.SIGKILL)

    def tail(self) -> str:
        """How its log ends."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])

    def _signal(self, number: signal.Signals) -> None:
        # Popen looks first whether it has ended, so that no stranger is hit.
        if self._process is not None:
            self._process.send_signal(number)
