"""Which rows: SQL conditions with columns prefixed by their table, as the older services take them."""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from connector_sugar.legacy.operations import clean

_TIME = "%Y-%m-%d %H:%M:%S"
_LENGTH = len("2026-01-01 00:00:00")
_CUSTOM = "_c"
_ODD = re.compile(r"[\\'\"%;`#/*]")
_ODD_IN_ADDRESS = re.compile(r"[^A-Z0-9@.+_-]")


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + clean(text).replace("\\", "\\\\").replace("'", "''") + "'"


def with_ids(table: str, ids: Collection[str]) -> str:
    """The rows with these ids."""
    return f"{table}.id IN ({', '.join(map(quoted, ids))})"


def with_values(table: str, name: str, values: Iterable[str]) -> str:
    """Rows whose field has one of these values, as the database compares; perhaps a few others too."""
    column = f"{table}_cstm.{name}" if name.endswith(_CUSTOM) else f"{table}.{name}"
    return _any_of(column, values, _ODD)


def with_emails(module: str, emails: Iterable[str]) -> str:
    """The module's rows that have one of these addresses, primary or not; perhaps a few others too."""
    found = addresses(emails, "ea")
    return (
        f"{module.lower()}.id IN (SELECT eabr.bean_id FROM email_addr_bean_rel eabr"  # noqa: S608 quoted
        " JOIN email_addresses ea ON ea.id = eabr.email_address_id"
        f" WHERE eabr.bean_module = '{module}' AND eabr.deleted = 0 AND ea.deleted = 0 AND ({found}))"
    )


def addresses(emails: Iterable[str], table: str = "email_addresses") -> str:
    """Rows of EmailAddresses themselves; perhaps a few others too."""
    return _any_of(f"{table}.email_address_caps", map(_caps, emails), _ODD_IN_ADDRESS)


def _any_of(column: str, values: Iterable[str], odd: re.Pattern[str]) -> str:
    """Rows with one of these values; perhaps a few others too.

    The server refuses a query in which it sees `--`, `;` or UNION, even inside a text, and all texts are
    quoted. A value with anything like that goes into a pattern, in which `_` stands for what could offend:
    callers compare the values found with those they asked for.
    """
    plain: list[str] = []
    patterns: list[str] = []
    for value in map(clean, values):
        pattern = re.sub("u(?=nion)", "_", odd.sub("_", value).replace("--", "-_"), flags=re.IGNORECASE)
        (plain if pattern == value else patterns).append(quoted(pattern))
    conditions = [f"{column} IN ({', '.join(plain)})"] if plain else []
    conditions += [f"{column} LIKE {pattern}" for pattern in patterns]
    return " OR ".join(conditions)


def of_teams(table: str, teams: Collection[str]) -> str:
    """Rows that belong to one of these teams, primarily or beside others."""
    ids = ", ".join(map(quoted, teams))
    return (
        f"({table}.team_id IN ({ids}) OR {table}.team_set_id IN (SELECT tst.team_set_id"  # noqa: S608 quoted
        f" FROM team_sets_teams tst WHERE tst.deleted = 0 AND tst.team_id IN ({ids})))"
    )


def changed(table: str, since: datetime | None, after: tuple[str, str] | None) -> str:
    """Rows modified at or after a time, or those that follow the last one seen (its time and id).

    Rows without a time come first in the order of change; a last one seen without a time is one of them.
    """
    modified = f"{table}.date_modified"
    if after is None:
        return f"{modified} >= {quoted(sugar_time(since))}" if since else ""
    time, key = quoted(after[0]), quoted(after[1])
    if not after[0]:
        return f"({modified} IS NOT NULL OR {table}.id > {key})"
    return f"({modified} > {time} OR ({modified} = {time} AND {table}.id > {key}))"


def both(*conditions: str) -> str:
    """Those of the conditions that say something, all to hold."""
    return " AND ".join(f"({condition})" for condition in conditions if condition)


def _caps(text: str) -> str:
    """As the server makes email_address_caps: other letters than a-z it may leave as they are."""
    return "".join(letter.upper() if letter.isascii() else letter for letter in text)


def sugar_time(at: datetime) -> str:
    """`Y-m-d H:i:s` in UTC: any other spelling is stored as null without an error."""
    return at.astimezone(UTC).strftime(_TIME)


def moment(text: str) -> datetime:
    """The inverse of `sugar_time`. Raises ValueError for anything else."""
    if len(text) != _LENGTH or text[10] != " ":
        raise ValueError("not such a time")
    return datetime.fromisoformat(text).replace(tzinfo=UTC)  # many times faster than strptime
