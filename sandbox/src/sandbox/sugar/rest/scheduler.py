"""The scheduler that sends the Web Logic Hooks' jobs, each once, whatever comes of it."""

import asyncio
import contextlib

import httpx

from ..store import Store

_SECONDS_PER_POST = 5.0


class Scheduler:
    """Runs every `seconds`; a job that fails is not sent again."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store, self._seconds = store, seconds
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Jobs that were not sent stay in the database."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self._send()

    async def _send(self) -> None:
        jobs = self._store.rows("SELECT * FROM hook_jobs ORDER BY id")
        if not jobs:  # making a client takes 20 ms
            return
        async with httpx.AsyncClient(timeout=_SECONDS_PER_POST, trust_env=False) as http:
            for job in jobs:
                self._store.execute("DELETE FROM hook_jobs WHERE id = ?", (job["id"],))
                with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL):
                    headers = {"content-type": "application/json"}
                    await http.request(job["method"], job["url"], content=job["body"], headers=headers)
