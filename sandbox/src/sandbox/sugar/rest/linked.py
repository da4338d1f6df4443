"""Links of a record: read, add, create over, remove."""

from typing import Any

from .. import links
from ..modules import Link, Module
from . import records
from .api import Api
from .errors import ApiError, invalid
from .lists import Listing
from .rendering import record


def listing(api: Api) -> Any:
    link, related = _link(api, api.path["link"])
    api.allow("list", related)
    return Listing(api, related, link, api.path["record"]).page()


def count(api: Api) -> Any:
    link, related = _link(api, api.path["link"])
    api.allow("list", related)
    return {"record_count": Listing(api, related, link, api.path["record"]).count()}


def add_many(api: Api) -> Any:
    """`{"link_name", "ids": [id or {"id", and columns of the pair}]}`."""
    link, related = _link(api, str(api.need("link_name")))
    ids = api.need("ids")
    if not isinstance(ids, list):
        raise invalid("ids")
    pairs = [item if isinstance(item, dict) else {"id": item} for item in ids]
    rows = [api.row(related, str(pair.get("id", ""))) for pair in pairs]
    for pair in pairs:
        _add(api, link, str(pair["id"]), pair)
    return {"record": _own(api), "related_records": [record(api, related, row) for row in rows]}


def add_one(api: Api) -> Any:
    link, related = _link(api, api.path["link"])
    row = api.row(related, api.path["other"])
    _add(api, link, row["id"], api.given())
    return {"record": _own(api), "related_record": record(api, related, row)}


def create_over(api: Api) -> Any:
    """A new record, linked at once."""
    link, related = _link(api, api.path["link"])
    made = records.created(api, related, api.given())
    _add(api, link, made["id"], {})
    return {"record": _own(api), "related_record": record(api, related, api.row(related, made["id"]))}


def remove(api: Api) -> Any:
    link, related = _link(api, api.path["link"])
    key, other = api.path["record"], api.path["other"]
    row = api.row(related, other)
    with api.store.transaction():
        links.remove(api.store, link, key, [other])
        links.tell(api.store, "after_relationship_delete", api.module.name, key, link, [other])
    api.tally.rows_written += 1
    return {"record": _own(api), "related_record": record(api, related, row)}


def _link(api: Api, name: str) -> tuple[Link, Module]:
    """Raises not_found for the record, or for a link that the module does not have."""
    api.row(api.module, api.path["record"])
    link = api.module.links.get(name)
    if link is None:
        raise ApiError("not_found", f"Could not find a relationship named: {name}")
    return link, api.store.modules[link.module]


def _add(api: Api, link: Link, other: str, pair: dict[str, Any]) -> None:
    api.allow("edit", api.module)
    key = api.path["record"]
    columns = {name: str(value) for name, value in pair.items() if name in link.extra}
    with api.store.transaction():
        links.add(api.store, link, key, [other], columns)
        links.tell(api.store, "after_relationship_add", api.module.name, key, link, [other])
    api.tally.rows_written += 1


def _own(api: Api) -> Any:
    return record(api, api.module, api.row(api.module, api.path["record"]))
