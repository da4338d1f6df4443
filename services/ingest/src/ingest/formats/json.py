"""Plain JSON: one object, or an array of up to 1,000.

Items are cut out of the text and validated one by one, so that one wrong item costs no other. The cutting
reads every name, which is how a name given twice is found: pydantic's parser takes the last one silently.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from ingest.items import Fault
from leadbus.problems import Problem

MOST_ITEMS = 1_000
_BLANKS = " \t\n\r"
_SPACE = re.compile(f"[{_BLANKS}]*")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_LARGEST = 2**63
_DIGITS = 20


class NotJson(ValueError):
    """Not readable as JSON; the text says why and where."""


class Cutter:
    """Cuts JSON texts apart and reports what pydantic would not; not for two tasks at once."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._pairs,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._constant,
        )

    def value(self, text: str, start: int = 0) -> tuple[Any, int, list[Fault]]:
        """The value at `start`, where it ends, and what is wrong with it.

        Raises:
            NotJson: cannot be read at all.
        """
        self._faults = []
        try:
            value, end = self._decoder.raw_decode(text, start)
        except RecursionError:
            raise NotJson("nested too deeply") from None
        except json.JSONDecodeError as error:
            raise NotJson(f"{error.msg} at character {error.pos + 1}") from None
        if text.find("\\u0000", start, end) >= 0 and _NUL.search(text, start, end):
            self._faults.append(
                Fault("", "contains the character NUL (\\u0000), which cannot be stored", "nul")
            )
        return value, end, self._faults

    def document(self, text: str) -> tuple[Any, list[Fault]]:
        """The one value that `text` consists of.

        Raises:
            NotJson: unreadable, or followed by something else.
        """
        value, end, faults = self.value(text, skip_space(text, 0))
        end = skip_space(text, end)
        if end != len(text):
            raise NotJson(f"something follows the value at character {end + 1}")
        return value, faults

    def elements(self, text: str, start: int) -> Iterator[tuple[Any, str, list[Fault]]]:
        """Value, text and faults of each element of the array at `start`; at most 1,000.

        Raises:
            NotJson: unreadable. Problem: 413, too many.
        """
        at = skip_space(text, start + 1)
        if text[at : at + 1] == "]":
            self._nothing_after(text, at + 1)
            return
        for number in range(MOST_ITEMS):
            try:
                value, end, faults = self.value(text, at)
            except NotJson as error:
                raise NotJson(f"item {number}: {error}") from None
            yield value, text[at:end], faults
            at = skip_space(text, end)
            mark = text[at : at + 1]
            if mark == "]":
                self._nothing_after(text, at + 1)
                return
            if mark != ",":
                raise NotJson(f"expected , or ] after item {number} at character {at + 1}")
            at = skip_space(text, at + 1)
        raise Problem(
            413,
            f"A batch holds at most {MOST_ITEMS} items. Send several, or a stream (application/x-ndjson).",
        )

    def _nothing_after(self, text: str, end: int) -> None:
        end = skip_space(text, end)
        if end != len(text):
            raise NotJson(f"something follows the array at character {end + 1}")

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            seen: set[str] = set()
            twice = [name for name, _ in pairs if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
            self._faults += [
                Fault(n[:100], "is given twice; give each name once", "duplicate_name")
                for n in dict.fromkeys(twice)
            ]
        return members

    def _integer(self, digits: str) -> int:
        if len(digits) > _DIGITS or not -_LARGEST <= int(digits) < _LARGEST:
            self._out_of_range()
            return 0
        return int(digits)

    def _float(self, digits: str) -> float:
        number = float(digits)
        if number in {float("inf"), float("-inf")}:
            self._out_of_range()
        return number

    def _constant(self, name: str) -> float:
        self._faults.append(Fault("", f"{name} is not JSON; leave the field out", "not_a_number"))
        return 0.0

    def _out_of_range(self) -> None:
        self._faults.append(Fault("", "contains a number beyond 64 bits; send it as text", "number_range"))


def text_of(body: bytes) -> str:
    """The body as text.

    Raises:
        NotJson: not UTF-8.
    """
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start + 1}") from None


def skip_space(text: str, at: int) -> int:
    """The next position that is not white space."""
    if text[at : at + 1] not in _BLANKS:
        return at
    found = _SPACE.match(text, at)
    return found.end() if found else at


def pieces(cutter: Cutter, body: bytes) -> list[tuple[Any, str, list[Fault]]]:
    """Value, text and faults of the object that `body` is, or of each element of the array.

    Raises:
        NotJson: unreadable. Problem: 413, too many.
    """
    text = text_of(body)
    start = skip_space(text, 0)
    if text[start : start + 1] == "[":
        return list(cutter.elements(text, start))
    value, faults = cutter.document(text)
    return [(value, text.strip(_BLANKS), faults)]
