"""Leadbus itself: `leadbus run --all` as one child process."""

import asyncio
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from sandbox.api import Api
from sandbox.servers import ServerError
from sandbox.servers.process import Process

NAMES = ("ingest", "scoring", "feedback", "connector-sugar", "connector-zoho", "connector-dynamics")
_READY_SECONDS = 90.0


class Services(Api):
    """The process. environment: what it is told beside what we were told ourselves; holds no secret, since
    anybody on the machine may see it; those are in files."""

    def __init__(
        self, folder: Path, ports: Mapping[str, int], environment: Mapping[str, str], operator_token: Path
    ) -> None:
        urls = {name: f"http://127.0.0.1:{ports[name]}" for name in NAMES}
        super().__init__(urls, operator_token.read_text(encoding="utf-8"))
        told = {f"{name.upper().replace('-', '_')}_PORT": str(ports[name]) for name in NAMES}
        told |= {"FEEDBACK_PUBLIC_URL": self.urls["feedback"]}
        told |= {"LEADBUS_OPERATOR_TOKEN_FILE": str(operator_token), **environment}
        assignments = [f"{name}={value}" for name, value in told.items()]
        program = str(Path(sys.executable).with_name("leadbus"))
        command = [shutil.which("env") or "/usr/bin/env", *assignments, program, "run", "--all"]
        self.process = Process("leadbus run --all", command, folder / "leadbus.log", grace=30.0)

    async def start(self) -> None:
        """Returns at once; the services wait for Kafka and MongoDB themselves."""
        await self.process.start()

    async def stop(self) -> None:
        """Ends them in order."""
        await self.close()
        await self.process.stop()

    async def until_ready(self) -> None:
        """Returns when every service takes requests. Raises ServerError."""
        waiting = list(NAMES)
        until = time.monotonic() + _READY_SECONDS
        while waiting:
            self.process.check()
            if not await self.is_ready(waiting[0]):
                if time.monotonic() > until:
                    raise ServerError(f"{waiting[0]} is not ready. {self.process.tail()}")
                await asyncio.sleep(0.05)
                continue
            waiting.pop(0)
