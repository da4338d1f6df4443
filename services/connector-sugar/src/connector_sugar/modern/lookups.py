"""Small reads that are asked for at the same moment go in one bulk."""

import asyncio
from typing import Any

from connector_sugar.modern.client import ModernClient
from connector_sugar.modern.requests import Answer, Request
from leadbus.errors import LeadbusError


class Lookups:
    """Collects requests until the loop has let every caller ask."""

    def __init__(self, client: ModernClient) -> None:
        self._client = client
        self._waiting: list[tuple[Request, asyncio.Future[Any]]] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def call(self, request: Request) -> Any:
        """The contents of the answer; raises as `ModernClient.call`."""
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answered))
        if len(self._waiting) == 1:
            sending = asyncio.create_task(self._send())
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
        return await answered

    async def _send(self) -> None:
        await asyncio.sleep(0)
        # Whoever gave up meanwhile needs no answer.
        asked = [(request, answered) for request, answered in self._waiting if not answered.done()]
        self._waiting.clear()
        try:
            results = await self._answers([request for request, _ in asked])
        except Exception as error:  # each waits for its answer, whatever it is
            results = [error] * len(asked)
        for (_, answered), result in zip(asked, results, strict=True):
            if answered.done():
                continue
            if isinstance(result, Exception):
                answered.set_exception(result)
            else:
                answered.set_result(result)

    async def _answers(self, requests: list[Request]) -> list[Any]:
        if len(requests) == 1:
            return [await self._client.call(requests[0])]
        return [_contents(result) for result in await self._client.bulk(requests, writing=False)]


def _contents(result: Answer | LeadbusError) -> Any:
    if isinstance(result, Answer):
        return result.error() or result.contents
    return result
