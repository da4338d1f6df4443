"""Queries as FetchXML, which every version runs, and pages of them by cookie.

A cookie names the first and last row of its page by the columns that the rows are ordered by, so that paging
goes on behind that row whatever was written meanwhile (documentation: page results with FetchXML).
"""

import json
import re
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from lxml import etree

from connector_dynamics import faults
from connector_dynamics.entities import ENTITIES
from connector_dynamics.wire import Compared, Condition, Filter, Link, Query
from leadbus.errors import Unsupported

PAGE_ROWS = 1_000
"""Of a query that somebody else wrote; 5,000 is the most that any server gives."""
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]*>")
"""May name an encoding that a text does not have."""
_NOT_OURS = ("page", "count", "top", "paging-cookie", "returntotalrecordcount", "distinct")
_NO_FETCH = "The list's query is none that Leadbus can run: it groups or counts rows, or is no FetchXML."


def of_query(query: Query, page: str | None = None) -> str:
    """The FetchXML of one page. page: as `token` made it."""
    id_ = ENTITIES[query.entity].id
    fetch = etree.Element("fetch", {"version": "1.0", "mapping": "logical"})
    entity = etree.SubElement(fetch, "entity", name=query.entity)
    _attributes(entity, (*query.attributes, id_))
    for name in (*query.order, id_):
        etree.SubElement(entity, "order", attribute=name)
    _filter(entity, query.where)
    for link in query.links:
        _link(entity, link)
    return _paged(fetch, query.size, page)


def of_others(fetch_xml: str, attributes: Sequence[str], page: str | None = None) -> tuple[str, str]:
    """The entity, and the FetchXML of one page of somebody else's query. Raises Unsupported."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        fetch = etree.fromstring(_DECLARATION.sub("", fetch_xml).encode(), parser)
    except (etree.LxmlError, ValueError):
        raise Unsupported(_NO_FETCH) from None
    entity = fetch.find("entity") if fetch.tag == "fetch" else None
    name = entity.get("name", "") if entity is not None else ""
    if entity is None or name not in ENTITIES or fetch.get("aggregate") == "true":
        raise Unsupported(_NO_FETCH)
    for known in _NOT_OURS:
        fetch.attrib.pop(known, "")
    for old in list(entity.iter("attribute", "all-attributes", "order")):
        parent = old.getparent()
        assert parent is not None  # noqa: S101
        parent.remove(old)
    if next(entity.iter("link-entity"), None) is not None:
        # A row that is linked to several others would come several times.
        fetch.set("distinct", "true")
    id_ = ENTITIES[name].id
    _attributes(entity, (*attributes, id_))
    etree.SubElement(entity, "order", attribute=id_)
    return name, _paged(fetch, PAGE_ROWS, page)


def token(page: str | None, cookie: str) -> str:
    """Of the page behind this one, which brought the cookie."""
    return json.dumps([_place(page)[0] + 1, cookie])


def by_ids(entity: str, ids: Collection[str], attributes: Sequence[str]) -> Query:
    """The rows with these ids, in one page."""
    where = Filter((Condition(ENTITIES[entity].id, "in", tuple(sorted(ids))),))
    return Query(entity, tuple(attributes), where, size=max(1, len(ids)))


def of_privileges(names: Collection[str]) -> Query:
    """The privileges of these names, by their ids."""
    return Query("privilege", ("name",), Filter((Condition("name", "in", tuple(sorted(names))),)))


def clean(value: str) -> str:
    """Without the control characters that XML cannot carry."""
    return _NO_XML.sub("", value)


def text(value: Compared) -> str:
    """A value as FetchXML has it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else clean(str(value))


def _paged(fetch: etree._Element, size: int, page: str | None) -> str:
    number, cookie = _place(page)
    fetch.set("count", str(size))
    fetch.set("page", str(number))
    if cookie:
        fetch.set("paging-cookie", cookie)
    return etree.tostring(fetch, encoding="unicode")


def _place(page: str | None) -> tuple[int, str]:
    if page is None:
        return 1, ""
    try:
        number, cookie = json.loads(page)
        return int(number), str(cookie)
    except (TypeError, ValueError):
        raise faults.PAGE_LOST.error(writing=False) from None


def _attributes(parent: etree._Element, names: Sequence[str]) -> None:
    for name in dict.fromkeys(names):
        etree.SubElement(parent, "attribute", name=name)


def _filter(parent: etree._Element, where: Filter) -> None:
    if not where.conditions:
        return
    element = etree.SubElement(parent, "filter", type=where.type)
    for condition in where.conditions:
        if isinstance(condition, Filter):
            _filter(element, condition)
        else:
            _condition(element, condition)


def _condition(parent: etree._Element, condition: Condition) -> None:
    element = etree.SubElement(
        parent, "condition", attribute=condition.attribute, operator=condition.operator
    )
    if condition.operator == "in":
        for value in condition.values:
            etree.SubElement(element, "value").text = text(value)
    elif condition.values:
        element.set("value", text(condition.values[0]))


def _link(parent: etree._Element, link: Link) -> None:
    element = etree.SubElement(
        parent,
        "link-entity",
        {
            "name": link.entity,
            "from": link.from_,
            "to": link.to,
            "alias": link.alias,
            "link-type": "outer" if link.outer else "inner",
        },
    )
    _attributes(element, link.attributes)
    _filter(element, link.where)
