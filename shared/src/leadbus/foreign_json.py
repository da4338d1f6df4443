"""JSON that others have written, as values that can be kept and passed on."""

import json
import re
from decimal import Decimal
from typing import Any

_HALVES = re.compile(rb"\\u[dD]|\xed")
"""What a half of a character may begin with, escaped or not."""


def loads(content: bytes) -> Any:
    """The value, numbers with a fraction exact. Raises ValueError.

    A text that was cut in the middle of an emoji ends with half a character, which neither UTF-8 nor MongoDB
    can hold: it becomes U+FFFD.
    """
    try:
        value = json.loads(content, parse_float=Decimal)
        return _whole(value) if _HALVES.search(content) else value
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _whole(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case dict():
            return {_whole(name): _whole(member) for name, member in value.items()}
        case list():
            return [_whole(member) for member in value]
    return value
