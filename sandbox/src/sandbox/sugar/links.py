"""Relationships: adding, removing and following the links of the catalogue."""

from collections.abc import Mapping, Sequence

from .modules import JOIN_TABLES, Link, Module
from .store import Change, Row, Store, new_id


def add(store: Store, link: Link, own: str, others: Sequence[str], pairs: Mapping[str, str]) -> None:
    """Idempotent, and as trusting as Sugar: neither id is looked up."""
    if link.table not in JOIN_TABLES:
        for other in others:
            _set_foreign_key(store, link, own, other)
        return
    values: Row = {"deleted": 0, "date_modified": store.now()}
    values |= {name: pairs[name] for name in link.extra if name in pairs}
    for other in others:
        key = store.value(*_pair(link, own, other))
        if key is None:
            row = {"id": new_id(), link.own: own, link.other: other, **dict(link.fixed), **values}
            if link.table == "email_addr_bean_rel":
                row["primary_address"] = 0
            store.insert(link.table, row)
        else:
            store.update(link.table, values, "id", key)


def remove(store: Store, link: Link, own: str, others: Sequence[str]) -> None:
    for other in others:
        if link.table not in JOIN_TABLES:
            _set_foreign_key(store, link, own, other, clear=True)
        elif key := store.value(*_pair(link, own, other)):
            store.update(link.table, {"deleted": 1, "date_modified": store.now()}, "id", key)


def tell(store: Store, event: str, module: str, own: str, link: Link, others: Sequence[str]) -> None:
    """Lets the store's watcher know of pairs added or removed."""
    if store.watcher is not None and store.watcher.wants(module):
        for other in others:
            store.watcher.changed(Change(event, module, own, related=(link.module, other)))


def remove_all(store: Store, module: Module, record: str) -> None:
    """What deleting a record by hand (or through set_entry) does to its pairs."""
    for link in module.links.values():
        if link.table in JOIN_TABLES:
            fixed = "".join(f" AND {name} = ?" for name, _ in link.fixed)
            store.execute(
                f"UPDATE {link.table} SET deleted = 1, date_modified = ? WHERE {link.own} = ?{fixed}",
                [store.now(), record, *(value for _, value in link.fixed)],
            )


def related_ids(link: Link) -> str:
    """A subquery for the related ids; its only parameter is the own id."""
    fixed = "".join(f" AND {name} = '{value}'" for name, value in link.fixed)
    return f"SELECT {link.other} FROM {link.table} WHERE {link.own} = ?{fixed} AND deleted = 0"


def first_related(store: Store, link: Link, own: str) -> Row | None:
    """The one live related record of a link that has one by nature (a contact's account)."""
    table = store.modules[link.module].table
    return store.row(
        f"SELECT * FROM {table} WHERE id IN ({related_ids(link)}) AND deleted = 0 LIMIT 1", (own,)
    )


def _pair(link: Link, own: str, other: str) -> tuple[str, list[str]]:
    fixed = "".join(f" AND {name} = ?" for name, _ in link.fixed)
    sql = f"SELECT id FROM {link.table} WHERE {link.own} = ? AND {link.other} = ?{fixed}"
    return sql, [own, other, *(value for _, value in link.fixed)]


def _set_foreign_key(store: Store, link: Link, own: str, other: str, *, clear: bool = False) -> None:
    # Either the related record points here (other = its id), or this one points there (own = its id).
    if link.other == "id":
        row: Row = {link.own: None if clear else own, **({} if clear else dict(link.fixed))}
        store.update(link.table, row, "id", other)
    else:
        store.update(link.table, {link.other: None if clear else other}, "id", own)
