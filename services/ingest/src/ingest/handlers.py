"""The HTTP side of the inputs. Plain Starlette: FastAPI's machinery would cost more than all the rest."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ingest.answers import Streamed, answer, last_line, line
from ingest.formats.json import Cutter
from ingest.formats.ndjson import chunks
from ingest.inputs import Input
from ingest.intake import Intake, Seen
from ingest.items import Item, Status
from ingest.limits import RateLimits
from ingest.reading import NDJSON, Bodies, format_of, item_of_line, items_of
from ingest.stamping import Receipt
from ingest.tracing import RequestTrace
from leadbus.errors import RateLimited
from leadbus.gate import Endpoint
from leadbus.messages import TenantId
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator, Caller
from leadbus.telemetry import Telemetry

LONGEST_KEY = 256
BREATH_SECONDS = 0.05
_TENANT: TypeAdapter[str] = TypeAdapter(TenantId)


class Handlers:
    """One endpoint per input, and one for CloudEvents of any."""

    def __init__(
        self,
        authenticator: Authenticator,
        rates: RateLimits,
        bodies: Bodies,
        intake: Intake,
        telemetry: Telemetry,
    ) -> None:
        self._authenticator = authenticator
        self._rates = rates
        self._bodies = bodies
        self._intake = intake
        self._tracer = telemetry.tracer

    def endpoint(self, path: str, expected: Input | None) -> Endpoint:
        """Handles POST `path`; `expected`: what its items are, None = CloudEvents that say it themselves."""

        async def post(request: Request) -> Response:
            arrived = time.time_ns()
            caller = await self._authenticator.authenticate(request)
            caller.require(Scope.INGEST)
            media = format_of(request)
            asked_for = request.query_params.get("tenant_id") if request.scope["query_string"] else None
            receipt = Receipt(
                _tenant(caller, asked_for),
                datetime.fromtimestamp(arrived / 1e9, UTC),
                _idempotency_key(request),
            )
            if media != NDJSON:
                self._see_to_room(1)  # before a body is read that nothing can be done with
            self._pace(caller.key_id, 1)
            if media == NDJSON:
                if expected is None:
                    raise Problem(
                        415, f"Streams are posted to an input's own path, such as /v1/events, not to {path}."
                    )
                results = self._stream(request, path, caller.key_id, receipt, expected)
                return Streamed(results, NDJSON)
            async with self._bodies.read(request) as body:
                items = items_of(request, media, body, expected)
                if len(items) > 1:
                    self._see_to_room(len(items))
                    self._pace(caller.key_id, len(items) - 1)
                trace = self._trace(request, path, arrived, receipt)
                return answer(await self._intake.take(receipt, items, Seen(), trace))

        return post

    async def _stream(
        self, request: Request, path: str, key_id: str, receipt: Receipt, expected: Input
    ) -> AsyncIterator[bytes]:
        """Results as they come. Nothing further is read while there is no room: the sender feels it."""
        cutter, seen, counts = Cutter(), Seen(), Counter[Status]()
        brief = "return=minimal" in request.headers.get("prefer", "")
        index = 0
        try:
            async for part in chunks(request.stream()):
                arrived = time.time_ns()
                items: list[Item] = []
                for raw in part:
                    items.append(item_of_line(cutter, index, raw, expected))
                    index += 1
                await self._room(key_id, len(items))
                now = Receipt(
                    receipt.tenant_id, datetime.fromtimestamp(arrived / 1e9, UTC), receipt.idempotency_key
                )
                trace = self._trace(request, path, arrived, receipt)
                results = await self._intake.take(now, items, seen, trace)
                counts.update(result.status for result in results)
                told = [line(r) for r in results if not (brief and r.status == "accepted")]
                if told:
                    yield b"".join(told)
        except ClientDisconnect:
            return
        yield last_line(counts)

    async def _room(self, key_id: str, items: int) -> None:
        while wait := self._rates.take(key_id, items):  # noqa: ASYNC110 - time is what is awaited
            await asyncio.sleep(wait)
        while self._intake.refusal(items):  # noqa: ASYNC110 - many wait, for room or for Kafka
            await asyncio.sleep(BREATH_SECONDS)

    def _see_to_room(self, items: int) -> None:
        if reason := self._intake.refusal(items):
            raise Problem(503, f"{reason} Try again in a moment.", {"Retry-After": "2"})

    def _pace(self, key_id: str, items: int) -> None:
        if wait := self._rates.take(key_id, items):
            raise RateLimited("This API key posts faster than it may; slow down, and send batches.", wait)

    def _trace(self, request: Request, path: str, arrived: int, receipt: Receipt) -> RequestTrace:
        header = request.headers.get("traceparent", "").encode("latin-1") or None
        return RequestTrace(self._tracer, path, arrived, header, receipt.tenant_id)


def _tenant(caller: Caller, asked_for: str | None) -> str:
    tenant_id = caller.tenant(asked_for)
    if not caller.operator:  # a key was made for a tenant that can be called so
        return tenant_id
    try:
        return _TENANT.validate_python(tenant_id)
    except ValidationError:
        raise Problem(422, "tenant_id: lower-case letters, digits and hyphens, at most 63.") from None


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > LONGEST_KEY:
        raise Problem(422, f"Idempotency-Key: at most {LONGEST_KEY} characters.")
    return key or None
