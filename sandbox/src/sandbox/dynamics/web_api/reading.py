"""GET of records: one, many, a count, or what others they lead to."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from lxml import etree

from .. import fetchxml
from ..comparing import Asked
from ..cookies import after_of, cookie_of
from ..errors import CrmError
from ..query import Filter, Found, Link, Query
from ..record import Record
from ..schema import Entity
from ..values import show
from .asks import Answer, Ask
from .filters import Filters, columns, orders
from .navigation import Way, way
from .rendering import context, shown, shown_match

_COUNTED = 5000
_COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
_MORE = "Microsoft.Dynamics.CRM.morerecords"
_EXPANDED = re.compile(r"([\w]+)(?:\((.*?)\))?(?:,|$)")


def one(ask: Ask, entity: Entity, record: Record) -> Answer:
    """304 for one that the client has already."""
    if ask.headers.get("if-none-match") == record.etag:
        return Answer("retrieve", 304)
    selected = columns(entity, ask.options.get("$select"))
    row = {"@odata.context": context(ask, entity, selected, "/$entity")}
    row |= shown(ask, entity, record, selected)
    _expand(ask, entity, [(record, row)])
    return Answer("retrieve", body=row)


def many(ask: Ask, entity: Entity, there: Way | None = None) -> Answer:
    """Of a set, or of what a record leads to."""
    if "fetchXml" in ask.options:
        return _fetched(ask, entity)
    query = _query(ask, entity, there)
    found = ask.records.search(query)
    body: dict[str, Any] = {"@odata.context": context(ask, entity, query.columns)}
    if found.total is not None:
        body["@odata.count"] = min(found.total, _COUNTED)
    pairs = [(match.record, shown(ask, entity, match.record, query.columns)) for match in found.matches]
    _expand(ask, entity, pairs)
    body["value"] = [row for _, row in pairs]
    if found.more:
        body["@odata.nextLink"] = _next(ask, entity, query, found)
    return Answer("retrieve_multiple", body=body, headers=_applied(ask))


def count(ask: Ask, entity: Entity, there: Way | None = None) -> Answer:
    """`/$count`: a plain number, of at most 5000."""
    query = replace(_query(ask, entity, there), size=1, counted=True)
    total = ask.records.search(query).total or 0
    text = "\ufeff" + str(min(total, _COUNTED))
    return Answer("retrieve_multiple", body=text, headers={"Content-Type": "text/plain"})


def navigated(ask: Ask, entity: Entity, record: Record, name: str, *, counted: bool = False) -> Answer:
    """What a record leads to."""
    there = way(ask.site.store, entity, record, name)
    if there.single is None:
        return count(ask, there.entity, there) if counted else many(ask, there.entity, there)
    reference = record.values.get(there.single.name)
    if reference is None:
        return Answer("retrieve", 204)
    return one(ask, there.entity, ask.records.get(*reference))


def _query(ask: Ask, entity: Entity, there: Way | None) -> Query:
    """Raises CrmError."""
    given = ask.options
    unknown = [name for name in given if name.startswith("$") and name not in _OPTIONS]
    if unknown:
        raise CrmError("BadRequest", f"The query parameter {unknown[0]} is not supported.")
    asked = Asked(ask.records.caller.user, ask.site.store.clock())
    filters = Filters(ask.site.store.entities, entity, asked)
    wanted = filters.read(given.get("$filter"))
    links: tuple[Link, ...] = (*(there.links if there else ()), *filters.links.values())
    if there:
        wanted = Filter("and", (there.filter, wanted))
    query = Query(
        entity.name,
        columns(entity, given.get("$select")),
        wanted,
        orders(entity, given.get("$orderby")),
        links,
        _number(given["$top"]) if "$top" in given else None,
        ask.page_size,
        counted=given.get("$count") == "true",
    )
    return _resumed(query, entity, given["$skiptoken"]) if "$skiptoken" in given else query


_OPTIONS = frozenset({"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken"})


def _number(text: str) -> int:
    if not text.isdigit():
        raise CrmError("BadRequest", f"Invalid value '{text}' for $top.")
    return int(text)


def _next(ask: Ask, entity: Entity, query: Query, found: Found) -> str:
    """The same address, with where to go on."""
    page = query.page + 1
    cookie = cookie_of(found, query.page, entity, query.orders)
    token = f'<cookie pagenumber="{page}" />'
    if cookie:
        # In an address the cookie is encoded once less than in an annotation.
        token = fetchxml.cookie_of_web_api(page, cookie).replace("%25", "%")
    kept = [part for part in ask.query.split("&") if part and not re.match(r"(\$|%24)skiptoken=", part)]
    return f"{ask.base}/{ask.path}?{'&'.join([*kept, '$skiptoken=' + quote(token, safe='=/')])}"


def _resumed(query: Query, entity: Entity, token: str) -> Query:
    """Raises BadRequest for a token that is none."""
    try:
        cookie = etree.fromstring(token)
        page = int(cookie.get("pagenumber", ""))
    except (etree.XMLSyntaxError, ValueError):
        raise CrmError("BadRequest", "Malformed XML in the Paging Cookie.") from None
    inner = cookie.get("pagingcookie")
    after = after_of(fetchxml.decoded(inner), entity, query.orders) if inner else None
    return replace(query, page=page, after=after)


def _applied(ask: Ask) -> dict[str, str]:
    wanted = {name: ask.preferences.get(name) for name in ("odata.maxpagesize", "odata.include-annotations")}
    parts = [
        f'{name}="{value}"' if name.endswith("s") else f"{name}={value}"
        for name, value in wanted.items()
        if value
    ]
    return {"Preference-Applied": ", ".join(parts)} if parts else {}


def _fetched(ask: Ask, entity: Entity) -> Answer:
    asked = Asked(ask.records.caller.user, ask.site.store.clock())
    query = fetchxml.parse(ask.options["fetchXml"], ask.site.store.entities, asked)
    if query.entity != entity.name:
        raise CrmError("BadRequest", "The entity of the fetch is not the one of the address.")
    found = ask.records.search(query)
    linked = {link.alias: link.columns for link in query.links}
    names = query.columns
    body: dict[str, Any] = {"@odata.context": context(ask, entity, names)}
    body["value"] = [shown_match(ask, match, names, linked) for match in found.matches]
    cookie = cookie_of(found, query.page, entity, query.orders) if found.more else None
    if cookie and ask.annotated(_COOKIE):
        body[f"@{_COOKIE}"] = fetchxml.cookie_of_web_api(query.page + 1, cookie)
    if ask.annotated(_MORE):
        body[f"@{_MORE}"] = found.more
    if found.total is not None:
        body["@Microsoft.Dynamics.CRM.totalrecordcount"] = min(found.total, _COUNTED)
    return Answer("fetch", body=body, headers=_applied(ask))


def _expand(ask: Ask, entity: Entity, pairs: list[tuple[Record, dict[str, Any]]]) -> None:
    """`$expand`, one level: a navigation with $select, and for lists also $filter, $orderby and $top."""
    for match in _EXPANDED.finditer(ask.options.get("$expand", "")):
        name, inner = match[1], match[2] or ""
        options = dict(part.split("=", 1) for part in inner.split(";") if "=" in part)
        query = "&".join(f"{key}={quote(value)}" for key, value in options.items())
        inside = replace(ask, query=query, headers=ask.headers)
        for record, row in pairs:
            there = way(ask.site.store, entity, record, name)
            if there.single is None:
                row[name] = many(inside, there.entity, there).body["value"]
                continue
            reference = record.values.get(there.single.name)
            selected = columns(there.entity, options.get("$select"))
            row[name] = (
                shown(inside, there.entity, ask.records.get(*reference), selected) if reference else None
            )


def value(ask: Ask, entity: Entity, record: Record, name: str) -> Answer:
    """One property."""
    found = show(entity, record, name)
    if found is None:
        return Answer("retrieve", 204)
    where = f"{ask.base}/$metadata#{entity.set}({record.id})/{name}"
    return Answer("retrieve", body={"@odata.context": where, "value": found})
