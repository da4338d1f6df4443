"""The connection to MongoDB, and which of its errors pass by themselves."""

from contextlib import AbstractContextManager
from typing import Any

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from leadbus.storage.cancelling import cancel_in_order

Document = dict[str, Any]
Client = AsyncMongoClient[Document]

FAREWELL_SECONDS = 2.0

_PASSING_LABELS = ("TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError")


def connect(url: str, *, app_name: str) -> Client:
    """A client for one event loop. Majority writes, so that what was answered outlives a fail-over."""
    cancel_in_order()
    return _Client(
        url,
        appname=app_name,
        tz_aware=True,
        uuidRepresentation="standard",
        w="majority",
        journal=True,
        readConcernLevel="majority",
        serverSelectionTimeoutMS=5_000,
        socketTimeoutMS=60_000,
    )


def farewell() -> AbstractContextManager[object]:
    """Around what is said at the end: it is not waited for as long as usual, so that a service stops in time.

    Raises:
        PyMongoError: MongoDB did not answer.
    """
    return pymongo.timeout(FAREWELL_SECONDS)


class _Client(AsyncMongoClient[Document]):
    async def close(self) -> None:
        """Tells the server which sessions end, if it answers, and disconnects."""
        with farewell():
            await super().close()


def passes_by_itself(error: PyMongoError) -> bool:
    """True if waiting helps: the server is away, changing its primary, or a transaction met another."""
    if isinstance(error, _PASSING):
        return True
    if any(error.has_error_label(label) for label in _PASSING_LABELS):
        return True
    return isinstance(error, OperationFailure) and error.code in _PASSING_CODES


_PASSING = (
    ConnectionFailure,
    ExecutionTimeout,
    WaitQueueTimeoutError,
    WTimeoutError,
    # "Sessions are not supported by this MongoDB deployment": a server that starts has not read yet that it
    # is a replica set's. What is wrong with our own configuration is said when a client is made.
    ConfigurationError,
)
# Server shutting down, stepping down or not yet primary, by MongoDB's own list of error codes.
_PASSING_CODES = frozenset({6, 7, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436})
