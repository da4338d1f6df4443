"""The people who work with the CRM."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from .store import Store

_ROLES = {True: "CEO", False: "Manager"}
_PROFILES = {True: "Administrator", False: "Standard"}


@dataclass(frozen=True, slots=True)
class User:
    id: str
    email: str
    first_name: str
    last_name: str
    active: bool
    confirmed: bool
    admin: bool
    zuid: str
    time_zone: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def may_own(self) -> bool:
        """Source: Zoho's documentation (an owner is active and confirmed)."""
        return self.active and self.confirmed

    def reference(self) -> dict[str, str]:
        return {"name": self.name, "id": self.id}


class Users:
    """All of them, kept in memory: every record that is shown names some."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, User] = {}
        self._read()

    def __iter__(self) -> Iterator[User]:
        """Oldest first."""
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: object) -> User | None:
        return self._known.get(str(key))

    def by_email(self, email: str) -> User | None:
        return next((user for user in self if user.email.lower() == email.lower()), None)

    def reference(self, key: str | None) -> dict[str, str] | None:
        """How another record shows the user."""
        user = self._known.get(key or "")
        return user.reference() if user else None

    def add(
        self,
        email: str,
        time_zone: str,
        *,
        first_name: str = "",
        last_name: str = "",
        admin: bool = False,
        confirmed: bool = True,
    ) -> str:
        """The new user's id. Raises ValueError if there is one with that address."""
        if self.by_email(email):
            raise ValueError("there is such a user")
        key, zuid = self._store.next_id(), str(700_000_001 + len(self))
        self._store.execute(
            "INSERT INTO users VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?)",
            (key, email, first_name, last_name or email.partition("@")[0], confirmed, admin, zuid, time_zone),
        )
        self._read()
        return key

    def set(self, key: str, **columns: Any) -> None:
        """Raises KeyError for nobody."""
        _ = self._known[key]
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self._store.execute(f"UPDATE users SET {assignments} WHERE id = ?", (*columns.values(), key))
        self._read()

    def _read(self) -> None:
        columns = "id, email, first_name, last_name, active, confirmed, admin, zuid, time_zone"
        rows = self._store.rows(f"SELECT {columns} FROM users ORDER BY CAST(id AS INTEGER)")
        flags = ("active", "confirmed", "admin")
        self._known = {row["id"]: User(**row | {flag: bool(row[flag]) for flag in flags}) for row in rows}


def shown(user: User) -> dict[str, Any]:
    """As `GET /users` answers it."""
    return {
        "id": user.id,
        "full_name": user.name,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "status": "active" if user.active else "disabled",
        "confirm": user.confirmed,
        "type__s": "Regular User",
        "role": {"name": _ROLES[user.admin], "id": f"{user.id[:7]}000000026005"},
        "profile": {"name": _PROFILES[user.admin], "id": f"{user.id[:7]}000000026011"},
        "zuid": user.zuid,
        "time_zone": user.time_zone,
        "locale": "en_GB",
    }
