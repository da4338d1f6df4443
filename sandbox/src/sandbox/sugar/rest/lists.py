"""Pages of records: a filter, an order, an offset."""

import json
import sqlite3
from typing import Any

from .. import links
from ..modules import Link, Module
from .api import Api
from .errors import ApiError, invalid
from .filters import Filter
from .rendering import fields, record

_DEFAULT_ORDER = "date_modified:desc,id:desc"


class Listing:
    """The records of a module that a request's filter lets through; with `link`, those related to `own`."""

    def __init__(self, api: Api, module: Module, link: Link | None = None, own: str = "") -> None:
        self._api, self._module = api, module
        filter_ = Filter(api.store, api.user, api.who.zone)
        condition, parameters = filter_.compile(module, _given(api.arguments.get("filter")))
        table, custom = module.table, module.custom_table
        self._join = f" LEFT JOIN {custom} ON {custom}.id_c = {table}.id" if custom else ""
        conditions = [condition]
        if not filter_.names_deleted and str(api.arguments.get("deleted", "")).lower() not in {"1", "true"}:
            conditions.append(f"{table}.deleted = 0")
        if link is not None:
            conditions.append(f"{table}.id IN ({links.related_ids(link)})")
            parameters = [*parameters, own]
        self._where = " AND ".join(conditions)
        self._parameters = parameters

    def count(self) -> int:
        custom = self._module.custom_table
        join = self._join if custom and custom in self._where else ""
        return int(
            self._run(f"SELECT count(*) AS n FROM {self._module.table}{join} WHERE {self._where}")[0]["n"]
        )

    def page(self) -> dict[str, Any]:
        """`next_offset` and `records`. Raises invalid_parameter."""
        api, settings = self._api, self._api.settings
        offset, asked = max(api.number("offset", 0), 0), api.number("max_num", settings.page)
        size = min(asked, settings.largest_page) if asked > 0 else settings.largest_page
        order = self._order(str(api.arguments.get("order_by") or _DEFAULT_ORDER))
        source = f"{self._module.table}{self._join} WHERE {self._where}"
        found = self._run(f"SELECT * FROM {source} ORDER BY {order} LIMIT {size + 1} OFFSET {offset}")
        wanted = fields(api)
        return {
            "next_offset": offset + size if len(found) > size else -1,
            "records": [record(api, self._module, row, wanted) for row in found[:size]],
        }

    def _order(self, order_by: str) -> str:
        terms = []
        for term in order_by.split(","):
            name, _, direction = term.strip().partition(":")
            found = self._module.all_fields.get(name)
            if found is None or found.source == "computed" or direction.lower() not in {"", "asc", "desc"}:
                raise invalid("order_by")
            table = self._module.table if found.source == "db" else self._module.custom_table
            terms.append(f"{table}.{name} {direction}")
        return ", ".join(terms)

    def _run(self, statement: str) -> list[dict[str, Any]]:
        try:
            return self._api.store.rows(statement, self._parameters)
        except sqlite3.Error as error:
            raise ApiError("fatal_error", str(error)) from None


def _given(filter_: Any) -> Any:
    """The filter of a body or a query string; as a text it is JSON."""
    if isinstance(filter_, str) and filter_:
        try:
            return json.loads(filter_)
        except ValueError:
            raise invalid("filter") from None
    return filter_ or []
