"""What the administrator of the CRM does, and seeding by the hundred thousand. `desk` offers it all."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import TypeAlias
from zoneinfo import ZoneInfo

from . import door, text
from .modules import Module
from .records import GLOBAL_TEAM, Caller, save
from .store import Row, Store, new_id

_BATCH = 5_000


def add_team(store: Store, name: str, key: str | None = None) -> str:
    """The new team's id. Raises KeyError on a site without teams."""
    given = {"id": key, "new_with_id": "1"} if key else {}
    team = save(store, Caller("1"), store.modules["Teams"], {"name": name, **given}, "hand")
    pair = {"id": new_id(), "team_set_id": team, "team_id": team, "date_modified": store.now(), "deleted": 0}
    store.insert("team_sets_teams", pair)
    return team


def join_team(store: Store, team: str, user: str) -> None:
    pair = {"id": new_id(), "team_id": team, "user_id": user, "date_modified": store.now(), "deleted": 0}
    store.insert("team_memberships", pair)


def register_platform(store: Store, name: str) -> None:
    """Admin > API platforms. Raises ValueError for a name that Sugar does not take."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,127}", name):
        raise ValueError(f"no name of a platform: {name}")
    store.execute("INSERT OR IGNORE INTO platforms VALUES (?)", (name,))


def add_oauth_key(store: Store, key: str, secret: str) -> None:
    """A client id beside Sugar's own."""
    store.execute("INSERT OR REPLACE INTO oauth_keys VALUES (?, ?)", (key, secret))


def expire_access(store: Store, user: str) -> None:
    """The user's access tokens are over; the refresh tokens are not."""
    store.execute("UPDATE oauth_sessions SET access_until = 0 WHERE user_id = ?", (user,))


def end_sessions(store: Store, user: str) -> None:
    """Both tokens of all the user's sessions are dead; for SOAP and legacy see `SugarCRM.sessions`."""
    store.execute("DELETE FROM oauth_sessions WHERE user_id = ?", (user,))


def set_password(store: Store, user: str, password: str) -> None:
    store.update("users", {"user_hash": door.md5(password)}, "id", user)


def set_timezone(store: Store, user: str, timezone: str) -> None:
    """The offset in which modern REST tells this user the time. Raises ZoneInfoNotFoundError."""
    store.execute("INSERT OR REPLACE INTO preferences VALUES (?, ?)", (user, ZoneInfo(timezone).key))


def load(store: Store, module: Module, rows: Iterable[Mapping[str, str]]) -> int:
    """Creates records of texts, as `desk.create` does, but fast: the number of them.

    `id`, `date_entered` and `date_modified` may be given. `email1` (with `email_opt_out`) makes an address of
    its own: give each address once, and none that exists already.
    """
    loaded = 0
    waiting = iter(rows)
    ids = _ids()
    with store.transaction():
        while batch := list(islice(waiting, _BATCH)):
            keyed = [(given.get("id") or next(ids), given) for given in batch]
            _load_rows(store, module, keyed)
            _load_addresses(store, module, keyed, ids)
            loaded += len(batch)
    return loaded


_Keyed: TypeAlias = Sequence[tuple[str, Mapping[str, str]]]


def _ids() -> Iterator[str]:
    """Ids that ascend, so that every index grows at its end."""
    start = new_id()[:24]
    return (f"{start}{number:012x}" for number in count())


def _load_rows(store: Store, module: Module, keyed: _Keyed) -> None:
    now = store.now()
    preset: Row = {"date_entered": now, "date_modified": now, "created_by": "1", "modified_user_id": "1"}
    preset |= {"team_id": GLOBAL_TEAM, "team_set_id": GLOBAL_TEAM} if "team_id" in module.fields else {}
    columns = module.columns("db")
    preset |= {field.name: text.stored(field, field.default) for field in columns if field.default}
    told = {name for _, given in keyed for name in given}
    given_fields = [field for field in columns if field.name in told and field.name != "id"]
    rows = []
    for key, given in keyed:
        row = {**preset, "id": key}
        for field in given_fields:
            if (raw := given.get(field.name)) is not None:
                row[field.name] = text.stored(field, raw)
            else:
                row.setdefault(field.name, None)
        rows.append(row)
    store.insert_many(module.table, rows)
    if module.custom_table:
        custom = [field for field in module.columns("custom") if field.name in told]
        extra = [
            {"id_c": key, **{f.name: text.stored(f, given.get(f.name, "")) for f in custom}}
            for key, given in keyed
        ]
        store.insert_many(module.custom_table, extra)


def _load_addresses(store: Store, module: Module, keyed: _Keyed, ids: Iterator[str]) -> None:
    now = store.now()
    addresses: list[Row] = []
    links: list[Row] = []
    for key, given in keyed:
        if address := given.get("email1"):
            known = next(ids)
            opt_out = int(given.get("email_opt_out", "0") not in {"", "0"})
            names = {"id": known, "email_address": address, "email_address_caps": address.upper()}
            stamps = {"date_created": now, "date_modified": now, "deleted": 0}
            addresses.append({**names, **stamps, "opt_out": opt_out, "invalid_email": 0})
            pair = {"id": next(ids), "bean_id": key, "email_address_id": known, "bean_module": module.name}
            links.append({**pair, "primary_address": 1, "date_modified": now, "deleted": 0})
    store.insert_many("email_addresses", addresses)
    store.insert_many("email_addr_bean_rel", links)
