"""Records reached over a link: get_relationships, and the link part of every read."""

from collections.abc import Mapping, Sequence
from typing import Any

from .modules import Link, Module
from .reading import Entry, Selection, entry
from .store import Store

LinkFields = Sequence[tuple[str, Sequence[str]]]


def link_list(store: Store, module: Module, key: str, asked: LinkFields, version: str) -> Any:
    """One relationship_list item: v2 has bare arrays, later versions wrap each level in a struct."""
    found: list[dict[str, Any]] = []
    for name, wanted in asked:
        if name not in module.links:
            found.append({"name": name, "records": []})
        elif records := _records(store, module.links[name], key, wanted, version):
            found.append({"name": name, "records": records})
    if version == "v2":
        return found
    wrapped = [
        {"name": link["name"], "records": [{"link_value": record} for record in link["records"]]}
        for link in found
    ]
    return {"link_list": wrapped}


def relationship_list(
    store: Store, module: Module, entries: Sequence[Entry], asked: LinkFields, version: str
) -> list[Any]:
    """Pairs with the entries one by one; empty where no links were asked for."""
    return [link_list(store, module, item["id"], asked, version) for item in entries] if asked else []


def _records(
    store: Store, link: Link, key: str, wanted: Sequence[str], version: str
) -> list[list[Mapping[str, Any]]]:
    related = store.modules[link.module]
    rows = Selection(store, related, "", version=version).related_to(link, key).page("", 0, -1)
    return [entry(store, related, row, wanted, version)["name_value_list"] for row in rows]
