"""A server in a container, where a Docker engine answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.servers.errors import ServerError

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

_SOCKET = Path("/var/run/docker.sock")
_ANSWERS_WITHIN = 0.5
_LOCAL = ("localhost", "127.0.0.1")


async def docker_answers(environ: Mapping[str, str]) -> bool:
    """Whether a Docker engine can be asked; known at once where there is none, else within half a second."""
    if not _may_exist(environ):
        return False
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN):
            return await asyncio.to_thread(_ping, dict(environ))
    except TimeoutError:
        return False


def _may_exist(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("DOCKER_HOST")) or _SOCKET.exists()


def _ping(environ: dict[str, str]) -> bool:
    import docker

    try:
        client = docker.from_env(environment=environ, timeout=_ANSWERS_WITHIN)
    except docker.errors.DockerException:
        return False
    client.close()
    return True


class Container:
    """One container of `image` whose `inner_port` is reached at `host:port`.

    Its data live as long as the container: they survive `kill` and `start`, but not `stop`.
    """

    def __init__(self, image: str, inner_port: int, port: int) -> None:
        from testcontainers.core.container import DockerContainer

        self._image = image
        self._container: DockerContainer = DockerContainer(image)
        self._created = False
        self.host: str = self._container.get_docker_client().host()
        self.port = port
        # Loopback only, unless the engine is on another machine.
        published: Any = ("127.0.0.1", port) if self.host in _LOCAL else port
        self._container.ports[f"{inner_port}/tcp"] = published

    pid: int | None = None

    def configure(self, environment: Mapping[str, str], command: Sequence[str] = ()) -> None:
        """Set what the container is started with."""
        self._container.with_envs(**environment)
        if command:
            self._container.with_command(list(command))

    async def start(self) -> None:
        """Create it (its image may have to be pulled first), or start it again after `kill`.

        Raises:
            ServerError: the engine refuses.
        """
        await asyncio.to_thread(self._start)

    def check(self) -> None:
        """Raise ServerError with the end of its log if the container has ended by itself."""
        if self._created:
            self._container.reload()
            if self._container.status in ("exited", "dead"):
                raise ServerError(f"The container of {self._image} ended by itself. {self.tail()}")

    def tail(self) -> str:
        """How its log ends, as a sentence."""
        log = b"".join(self._container.get_logs()) if self._created else b""
        return f"Its log ends with:\n{log[-1500:].decode(errors='replace').strip()}"

    async def stop(self) -> None:
        """Stop and remove it, with its data."""
        if self._created:
            self._created = False
            await asyncio.to_thread(self._container.stop)

    async def kill(self) -> None:
        """SIGKILL to its main process; the container and its data stay."""
        if self._created:
            await asyncio.to_thread(self._container.get_wrapped_container().kill)

    def _start(self) -> None:
        import docker

        try:
            if self._created:
                self._container.get_wrapped_container().start()
            else:
                self._container.start()
                self._created = True
        except docker.errors.DockerException as error:
            raise ServerError(f"The Docker engine does not run {self._image}: {error}") from error
