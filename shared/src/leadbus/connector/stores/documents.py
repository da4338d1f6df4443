"""Dataclasses to MongoDB documents and back.

Maps whose keys are other people's ids or field names become lists of pairs: MongoDB gives dots and
dollars in a key a meaning of their own.
"""

from collections.abc import Collection
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from leadbus.storage.mongo import Document

T = TypeVar("T")


class Codec(Generic[T]):
    """Reads and writes one dataclass; `maps` names the members that are kept as lists of pairs."""

    def __init__(self, kind: type[T], maps: Collection[str] = ()) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)
        self._maps = tuple(maps)

    def encode(self, value: T) -> Document:
        """Without an `_id`."""
        document: Document = self._adapter.dump_python(value)
        for name in self._maps:
            document[name] = [list(pair) for pair in document[name].items()]
        for name, member in document.items():
            if isinstance(member, set | frozenset):
                document[name] = sorted(member)
        return document

    def decode(self, document: Document) -> T:
        """Ignores members it does not know, such as `_id` and what serves queries only."""
        unpacked: dict[str, Any] = document | {name: dict(document.get(name, ())) for name in self._maps}
        return self._adapter.validate_python(unpacked)
