"""Zipkin, where a first run can look at its traces; not started where OTEL_EXPORTER_OTLP_ENDPOINT is set."""

from __future__ import annotations

import httpx

from sandbox.servers import java
from sandbox.servers.container import Container
from sandbox.servers.process import Process, free_port, is_free
from sandbox.servers.server import Server

_VERSION = "3.6.1"
_USUAL_PORT = 9411
_PROGRAM = java.Program(f"zipkin-{_VERSION}", singles=(f"io.zipkin:zipkin-server:{_VERSION}:slim",))
_MAIN = "org.springframework.boot.loader.launch.JarLauncher"


class Zipkin(Server):
    """A Zipkin with its pages at `url`, spans kept in memory; slow to start, so nobody waits for it."""

    name = "Traces"
    variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
    embedded = f"Zipkin {_VERSION} from its published jar, which forgets its spans when it ends"
    image = f"openzipkin/zipkin-slim:{_VERSION}"

    @property
    def url(self) -> str | None:
        """Where a browser sees the traces; None if they go elsewhere."""
        return f"{self.address}/zipkin/" if self.port and not self._elsewhere else None

    @property
    def environment(self) -> dict[str, str]:
        """The standard OpenTelemetry variables that send a service's spans here; empty if they go elsewhere.

        Zipkin takes no OTLP: the services need `opentelemetry-exporter-zipkin-json`.
        """
        if not self.port or self._elsewhere:
            return {}
        return {
            "OTEL_TRACES_EXPORTER": "zipkin",
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"{self.address}/api/v2/spans",
        }

    def reserve(self) -> None:
        """Settle port and address now, so that services can be told before Zipkin has started."""
        if not self._elsewhere:
            self._settle()

    @property
    def _elsewhere(self) -> bool:
        """Whether traces go to a collector of somebody else's; a port that was kept for us stays unused."""
        return bool(self._environ.get(self.variable))

    async def _process(self) -> Process:
        port = self._settle()
        jars = await java.jars(_PROGRAM, self.progress)
        armeria = {"ip": "127.0.0.1", "port": str(port), "protocols[0]": "HTTP"}
        flags = [f"--armeria.ports[0].{key}={value}" for key, value in armeria.items()]
        command = java.command(jars, _MAIN, *flags, heap_megabytes=256)
        # It has nothing to save, and an orderly end takes 2 s.
        return Process(self.name, command, self.data / "zipkin.log", grace=0.1)

    def _container(self) -> Container:
        container = Container(self.image, inner_port=_USUAL_PORT, port=self._settle())
        self.address = f"http://{container.host}:{self.port}"
        return container

    def _settle(self) -> int:
        self.port = self.port or (_USUAL_PORT if is_free(_USUAL_PORT) else free_port())
        self.address = f"http://127.0.0.1:{self.port}"
        return self.port

    async def _ready(self) -> bool:
        if not self.port or self._elsewhere:
            return True
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"{self.address}/health")).is_success
        except httpx.TransportError:
            return False
