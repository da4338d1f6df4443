"""Names, companies and addresses in several alphabets: made up from common parts, nobody's in particular.

Telephone numbers follow each country's pattern (`#` = any digit), where there is one in the range that is
set aside for fiction. Domains are those reserved for examples, some of them not in ASCII.
"""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Locale:
    """handles: what an email begins with, one for each family name. places: city, postal code."""

    name: str
    country: str
    phone: str
    given: list[str]
    family: list[str]
    handles: list[str]
    companies: list[str]
    streets: list[str]
    places: list[tuple[str, str]]
    domain: str


LOCALES: tuple[Locale, ...] = tuple(
    Locale(**row) for row in json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))
)
