"""What leaves a service beside its messages: logs, spans and metrics, as long as it runs."""

import gzip
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadbus.server import HttpServer
from leadbus.telemetry.logs import JsonFormatter

_NUMBER = "opentelemetry.proto.common.v1.AnyValue.int_value"


class Overhearing(logging.Handler):
    """Logs of this process as a service writes them, and an OTLP collector at `url`.

    of: loggers that speak from INFO on, as in a running service; of all others warnings are heard.
    """

    def __init__(self, *of: str) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(JsonFormatter())
        self.logged: list[str] = []
        self._sent: list[str] = []
        self._traces: set[bytes] = set()
        self._of = [logging.getLogger(name) for name in of]
        routes = [
            Route("/v1/traces", self._keep_traces, methods=["POST"]),
            Route("/v1/metrics", self._keep_metrics, methods=["POST"]),
        ]
        self._server = HttpServer(Starlette(routes=routes), "127.0.0.1", 0)

    @property
    def url(self) -> str:
        """For OTEL_EXPORTER_OTLP_ENDPOINT."""
        return self._server.url

    async def start(self) -> None:
        """Listens from now on."""
        await self._server.start()
        for logger in self._of:
            logger.setLevel(logging.INFO)
        logging.getLogger().addHandler(self)

    async def stop(self) -> None:
        """Ends it; what was heard stays."""
        logging.getLogger().removeHandler(self)
        for logger in self._of:
            logger.setLevel(logging.NOTSET)
        await self._server.stop()

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a line."""
        self.logged.append(self.format(record))

    def has_spans_of(self, trace_id: str) -> bool:
        """Whether a span of the trace (in hexadecimal) has come."""
        return bytes.fromhex(trace_id) in self._traces

    def mentions(self, *secrets: str) -> list[str]:
        """Where one of these stands, in any letter case or escaped for a URL: up to 500 characters each."""
        wanted = [secret.lower() for secret in secrets]
        found = []
        for text in (*self.logged, *self._sent):
            plain = unquote(text).lower()
            places = [plain.index(secret) for secret in wanted if secret in plain]
            found += [plain[max(0, place - 250) : place + 250] for place in places]
        return found

    async def _keep_traces(self, request: Request) -> Response:
        told = ExportTraceServiceRequest.FromString(await _body(request))
        self._sent.append("\n".join(_texts(told)))
        spans = (span for r in told.resource_spans for scope in r.scope_spans for span in scope.spans)
        self._traces.update(span.trace_id for span in spans)
        return Response()

    async def _keep_metrics(self, request: Request) -> Response:
        self._sent.append("\n".join(_texts(ExportMetricsServiceRequest.FromString(await _body(request)))))
        return Response()


async def _body(request: Request) -> bytes:
    body = await request.body()
    return gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body


def _texts(message: Any) -> Iterator[str]:
    """What is written in a protobuf message; of numbers those alone that are values of attributes.

    Among all the others, a few thousand of eight bytes each, any three letters are found by chance.
    """
    for field, value in message.ListFields():
        for one in value if field.is_repeated else (value,):
            if field.message_type is not None:
                yield from _texts(one)
            elif isinstance(one, str) or field.full_name == _NUMBER:
                yield str(one)
