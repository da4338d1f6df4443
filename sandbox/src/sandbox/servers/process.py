"""One child process that writes a log, stops when told to, and never outlives us."""

from __future__ import annotations

import asyncio
import atexit
import fcntl
import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.servers.errors import ServerError

_GUARD = Path(__file__).with_name("guard.py")
_TAIL_LENGTH = 1500
# Java's stack frames and mongod's informational lines would push out the one that says what went wrong.
_NOISE = re.compile(r'^\tat |"s":"I"')
_POLL = 0.02
MOST_CLAIMS = 200
"""By then, the first ones are long taken."""
_claims: deque[socket.socket] = deque()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that is free, and given to nobody else who asks here until it is taken.

    Whoever asks in another process, too: its namesake of UDP, which nothing here uses, is held meanwhile.

    From below the range that the kernel gives to outgoing connections: a client that keeps calling a killed
    server on loopback would some day be given the server's own port, reach itself, and block the restart.
    """
    for _ in range(100):
        port = random.randrange(20_000, 32_000)
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        if is_free(port):
            _claim(claim)
            return port
        claim.close()
    raise ServerError("No free TCP port was found between 20000 and 32000.")


def _claim(claim: socket.socket) -> None:
    _claims.append(claim)
    if len(_claims) > MOST_CLAIMS:
        _claims.popleft().close()


@atexit.register
def _let_go() -> None:
    for claim in _claims:
        claim.close()


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As servers do; without it, a connection that ended a minute ago would still count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Process:
    """A server run from `command` (first item: an absolute path), its output kept in `log`.

    It runs in a session of its own, so that Ctrl-C in the terminal reaches only us and we stop it in order;
    and it is killed by the kernel when we die. The kernel looks at the *thread* that called `start`:
    start it from one that lives as long as the server should.

    Of processes with the same log only one runs at a time. Kafka itself does not see to that in time: a
    second one on the same data damages them before it finds them locked.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, *, grace: float = 10.0) -> None:
        """`grace`: seconds that `stop` waits after SIGTERM before it sends SIGKILL."""
        self._name = name
        self._command = list(command)
        self._log = log
        self._grace = grace
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    async def start(self) -> None:
        """Start it, with a new log; does nothing while it runs. ServerError if another one has this log."""
        if self.pid is None:
            self._spawn()

    def check(self) -> None:
        """Raise ServerError with the end of the log if the process has ended by itself."""
        code = None if self._child is None else self._child.poll()
        if code is not None:
            raise ServerError(f"{self._name} ended by itself (exit code {code}). {self.tail()}")

    def tail(self) -> str:
        """Where the log is and how it ends, as a sentence."""
        try:
            lines = self._log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        telling = [line for line in lines if not _NOISE.search(line)] or lines
        end = "\n".join(telling)[-_TAIL_LENGTH:].strip()
        return f"Its log {self._log} ends with:\n{end}" if end else f"Its log {self._log} is empty."

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL if it has not ended within the grace time."""
        try:
            await self._end(signal.SIGTERM, self._grace)
        finally:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        await self._end(signal.SIGKILL, within=None)
        self._child = None

    async def _end(self, how: signal.Signals, within: float | None) -> None:
        if self._child is None:
            return
        # Popen looks first whether the child has ended, so no foreign process can be hit.
        self._child.send_signal(how)
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._child.poll() is None:  # noqa: ASYNC110 - a process has no asyncio event
                    await asyncio.sleep(_POLL)

    def _spawn(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ServerError(
                    f"{self._name} is already running with the data in {self._log.parent}: stop it first."
                ) from error
            # What the last run said is kept beside it: it may tell why that one ended.
            if self._log.exists():
                self._log.rename(self._log.with_suffix(".previous.log"))
            with self._log.open("wb") as log:
                self._child = subprocess.Popen(
                    [sys.executable, "-IS", str(_GUARD), str(os.getpid()), *self._command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    # The child inherits the lock, which thus ends when the child does.
                    pass_fds=[lock.fileno()],
                )
