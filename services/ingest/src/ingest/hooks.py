"""`/hooks/<connection>/<token>`: what a CRM pushes, published as it came for its connector to read.

The token stands in the path, because that is all that most CRMs can be told. So the path is written
nowhere: not in logs, spans or metrics, which name the route's pattern.
"""

import time
from datetime import UTC, datetime
from uuid import uuid4

from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.requests import Request
from starlette.responses import Response

from ingest.limits import RateLimits
from ingest.outbound import Outbound
from ingest.reading import Bodies, require_identity
from leadbus.errors import LeadbusError, RateLimited, Rejected
from leadbus.messages import CrmNotification
from leadbus.messages.crm import LARGEST_NOTIFICATION_BYTES
from leadbus.problems import Problem
from leadbus.publishing import Outgoing
from leadbus.security.callers import Authenticator, Caller
from leadbus.telemetry import Telemetry, context_from, names, traceparent_of
from leadbus.topics import CRM_NOTIFICATIONS

ROUTE = "/hooks/{connection_id}/{token}"
LONGEST_CONTENT_TYPE = 1_000


def hook_url(base: str, connection_id: str, token: str) -> str:
    """What is entered in the CRM."""
    return f"{base.rstrip('/')}/hooks/{connection_id}/{token}"


class Hooks:
    """The endpoints of `ROUTE`."""

    def __init__(
        self,
        authenticator: Authenticator,
        rates: RateLimits,
        bodies: Bodies,
        outbound: Outbound,
        telemetry: Telemetry,
    ) -> None:
        self._authenticator = authenticator
        self._rates = rates
        self._bodies = bodies
        self._outbound = outbound
        self._tracer = telemetry.tracer

    async def check(self, request: Request) -> Response:
        """GET: some CRMs look whether the URL answers before they take it."""
        await self._caller(request)
        return Response()

    async def receive(self, request: Request) -> Response:
        """POST: 202 once every in-sync replica has it."""
        arrived = time.time_ns()
        received_at = datetime.fromtimestamp(arrived / 1e9, UTC)
        caller = await self._caller(request)
        require_identity(request)
        if wait := self._rates.take(caller.key_id, 1):
            raise RateLimited("This hook is called faster than it may be; slow down.", wait)
        async with self._bodies.read(request, LARGEST_NOTIFICATION_BYTES) as body:
            if reason := self._outbound.refusal(1):
                raise Problem(503, f"{reason} Try again in a moment.", {"Retry-After": "2"})
            message = CrmNotification(
                event_id=str(uuid4()),
                tenant_id=caller.tenant(),
                occurred_at=received_at,
                connection_id=request.path_params["connection_id"],
                content_type=request.headers.get("content-type", "")[:LONGEST_CONTENT_TYPE],
                body=body,
                received_at=received_at,
            )
            error = await self._publish(request, message, arrived)
        if isinstance(error, Rejected):
            raise error
        if error:
            raise Problem(503, "Kafka did not acknowledge it in time; send it again.", {"Retry-After": "2"})
        return Response(status_code=202)

    async def _caller(self, request: Request) -> Caller:
        asked = request.path_params
        return await self._authenticator.authenticate_hook(request, asked["connection_id"], asked["token"])

    async def _publish(self, request: Request, message: CrmNotification, arrived: int) -> LeadbusError | None:
        topic = CRM_NOTIFICATIONS.name
        known = {names.TENANT: message.tenant_id, names.CONNECTION: message.connection_id}
        served = {names.HTTP_METHOD: "POST", names.HTTP_ROUTE: ROUTE, **known}
        sent = {
            names.MESSAGING_SYSTEM: "kafka",
            names.OPERATION_NAME: "send",
            names.OPERATION_TYPE: "send",
            names.DESTINATION: topic,
            names.MESSAGE_ID: message.event_id,
            names.MESSAGE_KEY: message.key,
            **known,
        }
        parent = context_from(request.headers.get("traceparent", "").encode("latin-1"))
        start = self._tracer.start_as_current_span
        with (
            start(f"POST {ROUTE}", parent, SpanKind.SERVER, served, start_time=arrived) as whole,
            start(names.send_span(topic), kind=SpanKind.PRODUCER, attributes=sent) as span,
        ):
            (error,) = await self._outbound.publish(
                [Outgoing.of(CRM_NOTIFICATIONS, message, traceparent_of(span))]
            )
            if error:
                whole.set_status(Status(StatusCode.ERROR))
                span.set_status(Status(StatusCode.ERROR, str(error)))
                span.set_attribute(names.ERROR_TYPE, type(error).__name__)
        return error
