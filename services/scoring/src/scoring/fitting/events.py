"""Which columns of a table of leads tell of marketing events, so that rules can be held against it. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leadbus.errors import LeadbusError
from leadbus.event_types import EventType
from scoring.fitting.leads import Leads, numbers

_WORDS: tuple[tuple[tuple[str, ...], EventType], ...] = (
    (("unsubscri",), EventType.EMAIL_UNSUBSCRIBE),
    (("bounc",), EventType.EMAIL_BOUNCE),
    (("email", "click"), EventType.EMAIL_CLICK),
    (("email", "open"), EventType.EMAIL_OPEN),
    (("email", "sent"), EventType.EMAIL_SENT),
    (("sms", "click"), EventType.SMS_CLICK),
    (("sms", "sent"), EventType.SMS_DELIVERED),
    (("sms", "deliver"), EventType.SMS_DELIVERED),
    (("phone",), EventType.TELEQUALIFICATION),
    (("form",), EventType.FORM_SUBMISSION),
    (("landing", "submission"), EventType.FORM_SUBMISSION),
    (("link", "click"), EventType.WEB_CLICK),
    (("page", "visit"), EventType.WEB_VIEW),
    (("page", "view"), EventType.WEB_VIEW),
)
"""The first row whose words all begin a word of a cell says which event the cell tells of."""
_COUNTED: tuple[tuple[tuple[str, ...], EventType], ...] = (
    *_WORDS,
    (("visits",), EventType.WEB_VIEW),
)
"""The same of names of columns that hold whole numbers."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


class Told(NamedTuple):
    """A column that tells of events: so many as its number (cell is None), or one where the cell reads so."""

    column: str
    cell: str | None
    type: EventType


def recognised(leads: Leads) -> list[Told]:
    """What the names and the cells of columns seem to tell."""
    found = []
    for column, cells in leads.columns.items():
        given = numbers(cells)
        if given is None:
            words = sorted({cell for cell in cells if cell is not None})
            types = ((cell, _type(cell, _WORDS)) for cell in words)
            found += [Told(column, cell, type_) for cell, type_ in types if type_]
        elif all(number is None or number.is_integer() for number in given):
            type_ = _type(column, _COUNTED)
            found += [Told(column, None, type_)] if type_ else []
    return found


def told(words: Sequence[str], leads: Leads) -> list[Told]:
    """What a person says: `COLUMN=TYPE` or `COLUMN:CELL=TYPE`.

    Raises:
        LeadbusError: there is no such column or type of event.
    """
    found = []
    for word in words:
        where, _, type_ = word.rpartition("=")
        column, colon, cell = (where, "", "") if where in leads.columns else where.rpartition(":")
        if column not in leads.columns:
            raise LeadbusError(f"{word}: give COLUMN=TYPE or COLUMN:CELL=TYPE, of a column that there is.")
        if type_ not in list(EventType):
            raise LeadbusError(f"There is no event {type_}; there are {', '.join(EventType)}.")
        found.append(Told(column, cell if colon else None, EventType(type_)))
    return found


def scores(leads: Leads, tells: Sequence[Told], millipoints: Mapping[EventType, int]) -> list[int]:
    """Each lead's millipoints. Columns that tell of one type tell of the same events: the most counts."""
    counts: list[dict[EventType, float]] = [{} for _ in range(len(leads))]
    for column, word, type_ in tells:
        for count, cell in zip(counts, leads.columns[column], strict=True):
            events = _number(cell) if word is None else float(cell == word)
            count[type_] = max(count.get(type_, 0), events)
    return [round(sum(n * millipoints[type_] for type_, n in count.items())) for count in counts]


def _type(text: str, table: Sequence[tuple[tuple[str, ...], EventType]]) -> EventType | None:
    words = [word.lower() for word in _WORD.findall(text)]
    return next(
        (type_ for begins, type_ in table if all(any(w.startswith(b) for w in words) for b in begins)), None
    )


def _number(cell: str | None) -> float:
    try:
        return max(0.0, float(cell or 0))
    except ValueError:
        return 0
