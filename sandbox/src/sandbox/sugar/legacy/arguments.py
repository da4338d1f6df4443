"""Reading `rest_data`: arguments by position, whatever their names."""

import json
from typing import Any, TypeAlias

from ..envelope import Value

Arguments: TypeAlias = tuple[Value, ...]


class NotJson(Exception):
    """rest_data cannot be read."""


def read(rest_data: str) -> Arguments:
    """The arguments in the order of their keys. Raises NotJson; an empty text has no arguments."""
    if not rest_data.strip():
        return ()
    try:
        arguments = json.loads(rest_data)
    except ValueError:
        raise NotJson from None
    if isinstance(arguments, dict):
        return tuple(_value(item) for item in arguments.values())
    return tuple(_value(item) for item in arguments) if isinstance(arguments, list) else (_value(arguments),)


def _value(item: Any) -> Value:
    """As PHP would cast it to text: true is 1, false and null are empty."""
    if isinstance(item, dict):
        return {str(key): _value(value) for key, value in item.items()}
    if isinstance(item, list):
        return [_value(value) for value in item]
    if item is None or item is False:
        return ""
    return "1" if item is True else str(item)
