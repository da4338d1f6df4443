"""What leaves a service beside its messages: logs, spans and metrics, as long as it runs."""

import gzip
import logging
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadbus.server import HttpServer
from leadbus.telemetry.logs import JsonFormatter


class Overhearing(logging.Handler):
    """Logs of this process as a service writes them, and an OTLP collector at `url`.

    of: loggers that speak from INFO on, as in a running service; of all others warnings are heard.
    """

    def __init__(self, *of: str) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(JsonFormatter())
        self.logged: list[str] = []
        self._sent: list[bytes] = []
        self._of = [logging.getLogger(name) for name in of]
        paths = ("/v1/traces", "/v1/metrics")
        routes = [Route(path, self._keep, methods=["POST"]) for path in paths]
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
        return any(bytes.fromhex(trace_id) in body for body in self._sent)

    def mentions(self, *secrets: str) -> list[str]:
        """Where one of these stands, in any letter case or escaped for a URL: up to 500 characters each."""
        wanted = [secret.lower() for secret in secrets]
        # Protobuf keeps texts as they are, so that they can be found without decoding it.
        texts = [*self.logged, *(body.decode(errors="replace") for body in self._sent)]
        found = []
        for text in texts:
            plain = unquote(text).lower()
            places = [plain.index(secret) for secret in wanted if secret in plain]
            found += [plain[max(0, place - 250) : place + 250] for place in places]
        return found

    async def _keep(self, request: Request) -> Response:
        body = await request.body()
        packed = request.headers.get("content-encoding") == "gzip"
        self._sent.append(gzip.decompress(body) if packed else body)
        return Response()
