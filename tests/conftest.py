"""Kafka and MongoDB for the tests: the same servers as `make up` has, started when a test first asks."""

import asyncio
import gc
import os
import shutil
import signal
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import httpx
import pytest
from httpx._transports import default as transports
from hypothesis import settings
from pymongo import AsyncMongoClient
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from sandbox.servers import Kafka, MongoDB

# What a shell runs in the background ignores Ctrl-C and hands that on; some of what we start is to end by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Whoever runs these has processes of its own; the rest of tests/e2e shares one installation.
_OF_THEIR_OWN = {
    *("test_demo.py", "test_up.py", "test_rehearsal.py"),
    *("test_trace_edges.py", "test_metrics_of_a_run.py", "test_nobody_is_told_of.py"),
}
# Beside a connector's whole contract; each alone would start a service for a handful of cases.
_OF_ONE_HOUSE = {
    "test_against_the_grain.py",
    "test_by_file.py",
    "test_fields_and_limits.py",
    "test_sign_in.py",
}


class _Groups(LoadScopeScheduling):
    """What shares servers or a service stays on one worker: a file, some together, the end-to-end tests.

    So do those that start everything anew: two at once would have no machine left for the rest.

    xdist's own marks for this do nothing with pytest 9.2: https://github.com/pytest-dev/pytest-xdist/issues/1386
    """

    def _split_scope(self, nodeid: str) -> str:
        file = PurePosixPath(nodeid.partition("::")[0])
        if file.name in _OF_ONE_HOUSE:
            return str(file.parent)
        if file.parent.name != "e2e":
            return str(file)
        return "everything anew" if file.name in _OF_THEIR_OWN else "one installation"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Groups:
    config.option.loadscopereorder = False  # the order in which pyproject.toml names the folders
    return _Groups(config, log)


class _Folder(pytest.Package):
    """Fixtures of the scope `package` end with their folder's last test; without this, when the run does."""

    def setup(self) -> None:
        """There is no __init__.py that could have a say in it."""


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> _Folder:
    folder: _Folder = _Folder.from_parent(parent, path=path)
    return folder


# How long an example takes says how busy the machine is.
settings.register_profile("leadbus", deadline=None)
settings.load_profile("leadbus")


@cache
def _tls(authorities: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _shared_tls(verify: Any = True, **how: Any) -> ssl.SSLContext:
    """Reading the certificates of all authorities takes 20 ms, and tests open some thousand clients."""
    if verify is True and not how.get("cert"):
        return _tls(os.environ.get("SSL_CERT_FILE"))
    return httpx.create_ssl_context(verify=verify, **how)


transports.create_ssl_context = _shared_tls


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """All tests and modules stay until the end: garbage is looked for after them, and beside them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


_SERVERS = pytest.StashKey["_Servers"]()


class _Servers:
    """Kafka and MongoDB of xdist's controller, for all its workers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = (Kafka(folder / "kafka"), MongoDB(folder / "mongodb"))
        self._runner = asyncio.Runner()
        self._runner.run(self._start())

    async def _start(self) -> None:
        await asyncio.gather(*(server.start() for server in self.started))
        if self.started[0].pid is not None:
            await Kafka.rehearse()  # tests start some twenty more

    async def _stop(self) -> None:
        await asyncio.gather(*(server.stop() for server in self.started))

    def stop(self) -> None:
        self._runner.run(self._stop())
        self._runner.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """A worker is told where the servers are; the first one has them started."""
    stash = node.config.stash
    if _SERVERS not in stash:
        folder = Path(tempfile.mkdtemp(prefix="leadbus-tests-"))
        stash[_SERVERS] = _Servers(folder)
    node.workerinput.update({server.variable: server.address for server in stash[_SERVERS].started})


def pytest_unconfigure(config: pytest.Config) -> None:
    if servers := config.stash.get(_SERVERS, None):
        servers.stop()
        shutil.rmtree(servers.folder)


def _told(config: pytest.Config) -> dict[str, str]:
    """The environment, and where the controller's servers are."""
    told: dict[str, str] = getattr(config, "workerinput", {})
    return {**os.environ, **{name: told[name] for name in (Kafka.variable, MongoDB.variable) if name in told}}


@pytest.fixture(scope="session")
async def kafka(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Kafka]:
    """One broker for all tests: KAFKA_BOOTSTRAP_SERVERS, a container, or embedded. Use topics of your own."""
    async with Kafka(tmp_path_factory.mktemp("kafka"), environ=_told(pytestconfig)) as server:
        yield server


@pytest.fixture(scope="session")
async def mongodb(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MongoDB]:
    """One replica set for all tests: MONGODB_URL, a container, or embedded. Use a database of your own."""
    async with MongoDB(tmp_path_factory.mktemp("mongodb"), environ=_told(pytestconfig)) as server:
        yield server


@pytest.fixture(scope="session")
async def emptied(mongodb: MongoDB) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """The name of a database for one test after the other: its indexes stay, its rows and query plans go.

    A connector has some fifty indexes, and to make them anew takes a quarter of a second of computing.
    """
    client = AsyncMongoClient[dict[str, Any]](mongodb.url)
    made: dict[str, str] = {}

    async def empty(kind: str) -> str:
        database = client[made.setdefault(kind, f"{kind}-{uuid4().hex[:8]}")]
        for name in await database.list_collection_names(filter={"name": {"$not": {"$regex": "^system"}}}):
            await database[name].delete_many({})
            await database.command("planCacheClear", name)
        return database.name

    yield empty
    for name in made.values():
        await client.drop_database(name)
    await client.close()


@pytest.fixture
async def own_kafka(tmp_path: Path) -> AsyncIterator[Kafka]:
    """A broker that this test may `kill`, `stop` and `start`."""
    async with Kafka(tmp_path / "kafka", environ=_without(Kafka.variable)) as server:
        yield server


@pytest.fixture
async def own_mongodb(tmp_path: Path) -> AsyncIterator[MongoDB]:
    """A replica set that this test may `kill`, `stop` and `start`."""
    async with MongoDB(tmp_path / "mongodb", environ=_without(MongoDB.variable)) as server:
        yield server


def _without(variable: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != variable}
