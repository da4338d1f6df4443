"""An OTLP collector that keeps what it is sent: spans with their service, and everything as text."""

import gzip
from dataclasses import dataclass

from google.protobuf.message import Message
from google.protobuf.text_format import MessageToString
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadbus.server import HttpServer


@dataclass(frozen=True)
class Span:
    """One span, its ids in hexadecimal; parent: empty for a root. began: nanoseconds since 1970."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]
    began: int
    failed: bool


class Collector:
    """Answers at `url` until it is closed."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.texts: list[str] = []
        routes = [
            Route("/v1/traces", self._traces, methods=["POST"]),
            Route("/v1/metrics", self._metrics, methods=["POST"]),
        ]
        self._server = HttpServer(Starlette(routes=routes), "127.0.0.1", 0)

    @property
    def url(self) -> str:
        return self._server.url

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    def chain_to(self, span: Span) -> list[Span]:
        """The span and its parents, the root first."""
        by_id = {other.id: other for other in self.spans}
        chain = [span]
        while chain[0].parent in by_id:
            chain.insert(0, by_id[chain[0].parent])
        return chain

    async def _traces(self, request: Request) -> Response:
        export = ExportTraceServiceRequest.FromString(await _body(request))
        self.texts.append(_text(export))
        for of_resource in export.resource_spans:
            resource = {a.key: a.value.string_value for a in of_resource.resource.attributes}
            for of_scope in of_resource.scope_spans:
                self.spans += [_span(resource["service.name"], span) for span in of_scope.spans]
        return Response()

    async def _metrics(self, request: Request) -> Response:
        self.texts.append(_text(ExportMetricsServiceRequest.FromString(await _body(request))))
        return Response()


def _span(service: str, span: trace_pb2.Span) -> Span:
    return Span(
        service,
        span.name,
        trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        {
            a.key: str(getattr(a.value, a.value.WhichOneof("value") or "string_value"))
            for a in span.attributes
        },
        span.start_time_unix_nano,
        span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
    )


def _text(export: Message) -> str:
    return MessageToString(export, as_utf8=True)


async def _body(request: Request) -> bytes:
    body = await request.body()
    return gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body
