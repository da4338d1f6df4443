"""The settings of a connection as rows, from their one declaration: for API, command line and docs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel

from leadbus.connector.settings import ConnectionSettings

Schema = Mapping[str, Any]
Needed = Literal["", "to save", "to turn on"]

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. path: `schedules.lead.cron`; `[]` stands for each member of a list (`fields[].rule`).

    type: in words. default: None = nothing. allowed: what it may be, in words; empty = anything of its type.
    needed: when it must be given.
    """

    path: str
    type: str
    default: Any
    allowed: str
    help: str
    secret: bool
    needed: Needed


@cache  # each test of a connection asks, and a schema takes milliseconds to make
def rows_of(kind: type[BaseModel]) -> Sequence[Setting]:
    """Every setting of a kind of connection, or what all share; at any depth, in order of declaration."""
    schema = kind.model_json_schema()
    return tuple(_members(schema, schema.get("$defs", {}), "", schema.get("default")))


def needed_to_turn_on(settings: ConnectionSettings) -> list[Setting]:
    """What may be empty while a connection is off, and is; empty list = nothing is missing."""
    values = settings.model_dump(mode="json")
    rows = (row for row in rows_of(type(settings)) if row.needed == "to turn on")
    return [row for row in rows if not _value(values, row.path)]


def _members(schema: Schema, defs: Schema, prefix: str, defaults: Any) -> Iterator[Setting]:
    """The rows of an object's members. defaults: of the object, where its owner gives them."""
    for name, member in schema["properties"].items():
        own = member.get("default")
        default = defaults.get(name, own) if isinstance(defaults, Mapping) else own
        inner, nullable = _unwrapped(member, defs)
        path, parts = f"{prefix}{name}", _unwrapped(inner.get("items", {}), defs)[0]
        section = "properties" in inner
        yield Setting(
            path=path,
            type=_type(inner, parts) + (", or null" if nullable else ""),
            default=None if section else _ordered(default, inner),
            allowed=str(member.get("allowed") or _allowed(parts or inner)),
            # The generator leaves a description out that is the section's own docstring.
            help=member.get("description") or inner.get("description", ""),
            secret=inner.get("format") == "password",
            needed=member.get("needed") or ("to save" if name in schema.get("required", ()) else ""),
        )
        if section:
            yield from _members(inner, defs, f"{path}.", default)
        if "properties" in parts:
            yield from _members(parts, defs, f"{path}[].", None)


def _unwrapped(schema: Schema, defs: Schema) -> tuple[Schema, bool]:
    """The schema behind references and `or null`; whether null is allowed."""
    nullable = False
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        nullable = len(choices) < len(schema["anyOf"])
        schema = choices[0]
    if "$ref" in schema:
        schema = defs[schema["$ref"].rsplit("/", 1)[1]]
    return schema, nullable


def _type(schema: Schema, parts: Schema) -> str:
    if "properties" in schema:
        return "section"
    if schema.get("type") == "array":
        return f"list of {'sections' if 'properties' in parts else _TYPES[parts['type']] + 's'}"
    return "secret text" if schema.get("format") == "password" else _TYPES[schema["type"]]


def _allowed(schema: Schema) -> str:
    """The values, the range or the length."""
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if values:
        return ", ".join(str(value) for value in values)
    for least, most, unit in (("minimum", "maximum", ""), ("minLength", "maxLength", " characters")):
        if most in schema:
            begin = f"{schema[least]} to " if least in schema else "up to "
            return f"{begin}{schema[most]}{unit}"
    return f"matching {schema['pattern']}" if "pattern" in schema else ""


def _ordered(default: Any, schema: Schema) -> Any:
    """Sets have no order of their own: always the same, so that documents do not change by chance."""
    return sorted(default) if schema.get("uniqueItems") and default else default


def _value(values: Any, path: str) -> Any:
    for name in path.split("."):
        values = values.get(name) if isinstance(values, Mapping) else None
    return values
