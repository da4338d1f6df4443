"""Which lists of the CRM the settings mean, and why nobody can be put on one."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from leadbus.connector.capabilities import Capabilities
from leadbus.connector.checking.steps import step
from leadbus.connector.contract import Adapter, CrmList
from leadbus.connector.settings import ListRule
from leadbus.connector.settings.lists import plain

MOST_PAGES = 200


async def lists_meant(adapter: Adapter, rules: Sequence[ListRule]) -> dict[str, list[CrmList]]:
    """By each rule's `list`, those of that id or name, by their ids; all lists are looked through, once.

    Raises:
        LeadbusError: the CRM failed.
    """
    found: dict[str, list[CrmList]] = {rule.list: [] for rule in rules}
    by_name: dict[str, list[str]] = defaultdict(list)
    for rule in rules:
        by_name[rule.plain_name].append(rule.list)
    async for row in lists_there(adapter):
        meant = dict.fromkeys(by_name.get(plain(row.name), ()))
        for name in meant | dict.fromkeys([row.record.id] if row.record.id in found else []):
            found[name].append(row)
    return {name: sorted(rows, key=lambda row: row.record.id) for name, rows in found.items()}


async def lists_there(adapter: Adapter) -> AsyncIterator[CrmList]:
    """All lists of the CRM, or as many as there are on so many pages."""
    token: str | None = None
    for _ in range(MOST_PAGES):
        page = await adapter.changed("list", None, token)
        for row in page.rows:
            if isinstance(row, CrmList) and not row.deleted:
                yield row
        token = page.next
        if token is None:
            return


def open_lists(rule: ListRule, found: Mapping[str, Sequence[CrmList]]) -> list[CrmList]:
    """Those that people can be put on."""
    return [row for row in found.get(rule.list, ()) if not row.closed]


def why_not(rule: ListRule, found: Mapping[str, Sequence[CrmList]]) -> str:
    """Why nobody can be put on any of them; empty = somebody can."""
    there = found.get(rule.list, ())
    if not there:
        return f"The CRM has no list {rule.list}."
    closed = _distinct(row.closed for row in there)
    return "" if open_lists(rule, found) else f"The list {rule.list} takes nobody: {' '.join(closed)}"


def advice_of(rule: ListRule, capabilities: Capabilities) -> str:
    """What to do about that."""
    return step(capabilities, "list", value=rule.list)


def _distinct(sentences: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(sentences))
