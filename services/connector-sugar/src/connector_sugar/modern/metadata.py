"""What a site says about its modules: fields, their types and options."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector_sugar.faults import FAULTS, UNREADABLE
from connector_sugar.field_types import field_type
from connector_sugar.modern.client import ModernClient
from connector_sugar.modern.requests import Answer, Request
from leadbus.connector.contract import FieldInfo, FieldType

_READ_ONLY = frozenset({"id", "date_entered", "date_modified", "deleted", "created_by", "modified_user_id"})
_WITH_OPTIONS = frozenset({"option", "options"})


@dataclass(frozen=True, slots=True)
class FieldShape:
    """What is needed to read and write a field's values. length: characters it holds."""

    kind: FieldType
    length: int | None = None


UNKNOWN = FieldShape("text")
Shapes = Mapping[str, FieldShape]


class Metadata:
    """The fields of modules; asked once each, and again by `describe`."""

    def __init__(self, client: ModernClient) -> None:
        self._client = client
        self._known: dict[str, asyncio.Task[Mapping[str, Mapping[str, Any]]]] = {}

    async def shapes(self, module: str) -> Shapes:
        """How the values of a module's fields are spelt. Raises Unsupported if there is no such module."""
        return {name: _shape(field) for name, field in (await self._fields(module)).items()}

    async def describe(self, module: str) -> list[FieldInfo]:
        """The fields as they are now, with their options."""
        self._known.pop(module, None)
        fields = {
            name: field for name, field in (await self._fields(module)).items() if field["type"] != "link"
        }
        options = await self._options(module, fields)
        return [_info(field, options.get(name)) for name, field in fields.items()]

    async def _fields(self, module: str) -> Mapping[str, Mapping[str, Any]]:
        asked = self._known.get(module)
        if asked is None or (asked.done() and (asked.cancelled() or asked.exception() is not None)):
            asked = self._known[module] = asyncio.create_task(self._ask(module))
        return await asyncio.shield(asked)

    async def _ask(self, module: str) -> Mapping[str, Mapping[str, Any]]:
        query = {"type_filter": "modules", "module_filter": module}
        contents = await self._client.call(Request("GET", "/metadata", "GET metadata", query=query))
        try:
            described = contents["modules"].get(module)
            if not described:
                raise FAULTS["20"].error(writing=False)
            found = {str(name): field for name, field in described["fields"].items()}
        except (LookupError, TypeError, AttributeError):
            raise UNREADABLE.error(writing=False) from None
        return {n: {"name": n, "type": "", **f} for n, f in found.items() if isinstance(f, dict)}

    async def _options(
        self, module: str, fields: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, tuple[str, ...]]:
        """Values by field: told with the fields, or under the name of a list that is asked for."""
        names = [n for n, f in fields.items() if field_type(f["type"]) in _WITH_OPTIONS and f.get("options")]
        known = {n: fields[n]["options"] for n in names if isinstance(fields[n]["options"], dict)}
        asked = [name for name in names if name not in known]
        answers = await self._client.bulk([_enum(module, name) for name in asked], writing=False)
        for name, answer in zip(asked, answers, strict=True):
            if not isinstance(answer, Answer):
                raise answer
            if answer.error() is None and isinstance(answer.contents, dict):
                known[name] = answer.contents
        return {name: tuple(str(value) for value in listed) for name, listed in known.items()}


def _enum(module: str, name: str) -> Request:
    return Request("GET", f"/{module}/enum/{name}", f"GET {module}/enum")


def _shape(field: Mapping[str, Any]) -> FieldShape:
    kind = field_type(field["type"])
    return FieldShape(kind, _length(field) if kind == "text" else None)


def _length(field: Mapping[str, Any]) -> int | None:
    """`len` is a number, a text, or `26,6` for decimals."""
    text = str(field.get("len") or "")
    return int(text) if text.isdecimal() else None


def _info(field: Mapping[str, Any], options: Sequence[str] | None) -> FieldInfo:
    name, shape = str(field["name"]), _shape(field)
    fixed = name in _READ_ONLY or bool(field.get("readonly")) or bool(field.get("calculated"))
    return FieldInfo(
        name=name,
        label=str(field.get("vname") or field.get("label") or name).rstrip(": "),
        type=shape.kind,
        length=shape.length,
        required=field.get("required") in {True, "true", "1"},
        writable=not fixed,
        custom=name.endswith("_c") or field.get("source") == "custom_fields",
        options=tuple(options) if options is not None else None,
    )
