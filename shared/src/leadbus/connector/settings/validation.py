"""Values become settings, or a sentence for each field at fault."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.settings.schema import rows_of
from leadbus.problems import Problem

Settings = TypeVar("Settings", bound=ConnectionSettings)


def validated(kind: type[Settings], values: Mapping[str, Any]) -> Settings:
    """The settings.

    Raises:
        Problem: 422 with a reason per field.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        errors = list(_reasons(kind, found))
    raise Problem(
        422, f"The settings are not valid. {errors[0]['field']}: {errors[0]['reason']}.", errors=errors
    )


def _reasons(kind: type[Settings], faults: list[ErrorDetails]) -> Iterator[dict[str, str]]:
    for fault in faults:
        field = ".".join(str(part) for part in fault["loc"])
        reason = fault["msg"].removeprefix("Value error, ").rstrip(".")
        if fault["type"] == "missing":
            reason = "must be given"
        if fault["type"] == "extra_forbidden":
            reason = f"there is no such setting; {_hint(kind, fault['loc'])}"
        yield {"field": field, "reason": reason}


def _hint(kind: type[Settings], place: tuple[int | str, ...]) -> str:
    asked = ".".join(str(part) for part in place if isinstance(part, str))
    paths = {row.path.replace("[]", ""): row.path for row in rows_of(kind)}
    near = get_close_matches(asked, paths, 1) or [p for p in paths if p.endswith(f".{asked}")][:1]
    crm = str(kind.model_fields["crm"].default)
    return f"did you mean {paths[near[0]]}" if near else f"leadbus connections settings {crm} lists them"
