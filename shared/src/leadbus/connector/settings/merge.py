"""A change of some settings, laid over what is stored: a JSON merge patch (RFC 7396) that knows the settings.

Two things differ from the RFC: null empties a setting that may be empty, and takes any other back to its
default; a section whose members exclude each other (a schedule) is replaced whole.
"""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from leadbus.connector.settings import Section

_Types = tuple[Any, ...]


def merged(kind: type[Section], stored: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that result; unknown names come along, for validation to refuse."""
    result = dict(stored)
    for name, value in patch.items():
        member = kind.model_fields.get(name)
        types = _alternatives(member.annotation) if member else ()
        section = next((t for t in types if isinstance(t, type) and issubclass(t, Section)), None)
        if value is None and member is not None and type(None) not in types:
            result.pop(name, None)
        elif section is not None and section.merged and isinstance(value, Mapping):
            known = result.get(name)
            result[name] = merged(section, known if isinstance(known, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def _alternatives(annotation: Any) -> _Types:
    """The types that a union is made of; one for anything else."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return tuple(t for part in get_args(annotation) for t in _alternatives(part))
    return (annotation,)
