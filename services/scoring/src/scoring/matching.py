"""What rules ask of a value that was told: the same five questions for events and for persons. Pure."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Word = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[tuple[Word, ...], Field(max_length=100)]


class Match(BaseModel):
    """Every question that is given must be answered with yes; texts whatever their case.

    one_of: the value is one of these words. contains: one of these is a part of it. at_least, at_most: it is
    a number within them. is: whether it is so, of what is either so or not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    one_of: Words = ()
    contains: Words = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    is_: Annotated[bool | None, Field(alias="is")] = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.one_of or self.contains or self.is_ is not None or self._bounded):
            raise ValueError("say what is asked: one_of, contains, at_least, at_most or is")
        return self

    @property
    def size(self) -> int:
        """How many words it holds."""
        return 1 + len(self.one_of) + len(self.contains)

    def met_by(self, values: Iterable[str | bool | float | None]) -> bool:
        """Whether one of the values passes; None passes nothing."""
        return any(value is not None and self._passes(value) for value in values)

    @cached_property
    def _bounded(self) -> bool:
        return self.at_least is not None or self.at_most is not None

    # Folded once: rules are asked of every event.
    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word.casefold() for word in self.one_of)

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        return tuple(part.casefold() for part in self.contains)

    def _passes(self, value: str | bool | float) -> bool:
        if self.is_ is not None and value is not self.is_:
            return False
        text = str(value).casefold()
        if self.one_of and text not in self._words:
            return False
        if self.contains and not any(part in text for part in self._parts):
            return False
        return not self._bounded or self._within(text)

    def _within(self, text: str) -> bool:
        number = _number(text)
        return (
            number is not None
            and (self.at_least is None or number >= self.at_least)
            and (self.at_most is None or number <= self.at_most)
        )


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
