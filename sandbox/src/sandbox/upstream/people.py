"""People of one tenant: each with an email of its own, names, a company and an address."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.upstream.names import LOCALES, Locale


@dataclass(frozen=True, slots=True)
class Person:
    """email: in lower case, the one by which the person is known. fields: as ingest takes them."""

    email: str
    fields: dict[str, str] = field(hash=False)

    def spelled(self, rng: random.Random) -> str:
        """The email as somebody types it: one in five in another letter case, or with a blank."""
        spellings: tuple[Callable[[str], str], ...] = (str.upper, str.title, lambda email: f" {email} ")
        return rng.choice(spellings)(self.email) if rng.random() < 0.2 else self.email


class People:
    """Makes people; `token` keeps those of different runs apart."""

    def __init__(self, rng: random.Random, token: str) -> None:
        self._rng = rng
        self._token = token
        self._made = 0

    def new(self) -> Person:
        """Somebody nobody has heard of before."""
        rng = self._rng
        self._made += 1
        locale = LOCALES[self._made % len(LOCALES)]
        pick = rng.randrange(len(locale.family))
        handle = locale.handles[pick]
        email = f"{handle}.{self._token}{self._made}@{locale.domain}".lower()
        return Person(email, self._fields(locale, locale.family[pick]))

    def _fields(self, locale: Locale, family: str) -> dict[str, str]:
        rng = self._rng
        city, postal_code = rng.choice(locale.places)
        return {
            "first_name": rng.choice(locale.given),
            "last_name": family,
            "company": rng.choice(locale.companies),
            "phone": "".join(rng.choice("0123456789") if c == "#" else c for c in locale.phone),
            "street": f"{rng.choice(locale.streets)} {rng.randint(1, 180)}",
            "city": city,
            "postal_code": postal_code,
            "country": locale.country,
        }
