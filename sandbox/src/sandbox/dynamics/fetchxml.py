"""FetchXML, as SOAP, the Web API and dynamic marketing lists have it. Source: Microsoft's FetchXML reference.

What is there: attributes, filters, orders, link-entities (inner and outer), top, pages with cookies, the
total, distinct rows. Aggregates are refused; other names for single attributes are passed over.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote

from lxml import etree

from .comparing import Asked, attribute_of, condition
from .cookies import after_of
from .errors import CrmError
from .query import Condition, Filter, Link, Order, Part, Query
from .schema import Entity

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)
PAGE = 5000


def parse(text: str, entities: Mapping[str, Entity], asked: Asked, size: int = PAGE) -> Query:
    """size: of a page, unless the fetch says less. Raises CrmError for what is no fetch."""
    try:
        fetch = etree.fromstring(text.encode(), _PARSER)
    except etree.XMLSyntaxError:
        raise CrmError("BadRequest", "Invalid XML.") from None
    body = fetch.find("entity")
    if fetch.tag != "fetch" or body is None:
        raise CrmError("BadRequest", "Invalid FetchXML: a fetch has one entity.")
    if "top" in fetch.attrib and {"page", "count"} & set(fetch.attrib):
        raise CrmError("BadRequest", "The top attribute can't be specified with paging attributes.")
    if _flag(fetch, "aggregate"):
        raise CrmError("BadRequest", "Aggregates are not to be had here.")
    return _Reader(entities, asked).query(fetch, body, size)


def cookie_of_web_api(page: int, cookie: str) -> str:
    """What the Web API hands out for the page that is next: SOAP's cookie, wrapped and encoded twice.

    Source: Microsoft's page on paging FetchXML results.
    """
    return f'<cookie pagenumber="{page}" pagingcookie="{_doubly(cookie)}" istracking="False" />'


def _doubly(text: str) -> str:
    """Encoded twice; the escapes are in lower case, as Dynamics writes them."""
    once = "".join(char if char.isalnum() or char in "-._" else quote(char, safe="").lower() for char in text)
    return once.replace("%", "%25")


def decoded(cookie: str) -> str:
    """A cookie as a client puts it back: it may still be encoded once or twice."""
    while cookie.lower().startswith("%"):
        cookie = unquote(cookie)
    return cookie


class _Reader:
    def __init__(self, entities: Mapping[str, Entity], asked: Asked) -> None:
        self._entities = entities
        self._asked = asked
        self._links: dict[str, Link] = {}
        self._names: dict[str, Entity] = {}

    def query(self, fetch: etree._Element, body: etree._Element, size: int) -> Query:
        entity = self._entity(body.get("name", ""))
        self._names[""] = entity
        for link in body.findall("link-entity"):
            self._link(link, "")
        orders = tuple(self._orders(body, ""))
        page = _number(fetch, "page", 1)
        cookie = decoded(fetch.get("paging-cookie", ""))
        return Query(
            entity.name,
            _columns(body, entity),
            self._filters(body, entity, ""),
            orders,
            tuple(self._links.values()),
            _number(fetch, "top", 0) or None,
            min(_number(fetch, "count", size), size),
            page,
            after_of(cookie, entity, orders) if cookie and page > 1 else None,
            _flag(fetch, "returntotalrecordcount"),
            _flag(fetch, "distinct"),
        )

    def _link(self, element: etree._Element, parent: str) -> None:
        entity = self._entity(element.get("name", ""))
        alias = element.get("alias") or f"{entity.name}{len(self._links) + 1}"
        attribute_of(entity, element.get("from", ""))
        attribute_of(self._names[parent], element.get("to", ""))
        self._names[alias] = entity
        self._links[alias] = Link(
            entity.name,
            element.get("from", ""),
            element.get("to", ""),
            alias,
            element.get("link-type") == "outer",
            _columns(element, entity),
            self._filters(element, entity, alias),
            parent,
        )
        for inner in element.findall("link-entity"):
            self._link(inner, alias)

    def _filters(self, element: etree._Element, entity: Entity, link: str) -> Filter:
        return Filter("and", tuple(self._filter(child, entity, link) for child in element.findall("filter")))

    def _filter(self, element: etree._Element, entity: Entity, link: str) -> Filter:
        parts: list[Part] = []
        for child in element.iterchildren("filter", "condition"):
            if child.tag == "filter":
                parts.append(self._filter(child, entity, link))
            else:
                parts.append(self._condition(child, entity, link))
        return Filter("or" if element.get("type") == "or" else "and", tuple(parts))

    def _condition(self, element: etree._Element, entity: Entity, link: str) -> Part:
        if of := element.get("entityname"):
            if of not in self._names:
                raise CrmError("QueryBuilderNoEntity", of)
            entity, link = self._names[of], of
        name, operator = element.get("attribute", ""), element.get("operator", "")
        if other := element.get("valueof"):
            plain = condition(entity, name, operator, (), self._asked, link)
            if not isinstance(plain, Condition):
                raise CrmError("InvalidArgument")
            return Condition(name, plain.operator, (), link, attribute_of(entity, other).name)
        single = element.get("value")
        values = [child.text or "" for child in element.findall("value")] if single is None else [single]
        return condition(entity, name, operator, values, self._asked, link)

    def _orders(self, element: etree._Element, link: str) -> Iterator[Order]:
        for order in element.findall("order"):
            of = order.get("entityname", link)
            if of not in self._names:
                raise CrmError("QueryBuilderNoEntity", of)
            name = attribute_of(self._names[of], order.get("attribute", "")).name
            yield Order(name, _flag(order, "descending"), of)

    def _entity(self, name: str) -> Entity:
        entity = self._entities.get(name)
        if entity is None:
            raise CrmError("QueryBuilderNoEntity", name)
        return entity


def _columns(element: etree._Element, entity: Entity) -> tuple[str, ...] | None:
    """None = all; a fetch that names none asks for all, a link that names none for none."""
    if element.find("all-attributes") is not None:
        return None
    names = [attribute.get("name", "") for attribute in element.findall("attribute")]
    if not names and element.tag == "entity" and element.find("no-attrs") is None:
        return None
    return tuple(attribute_of(entity, name).name for name in names)


def _flag(element: etree._Element, name: str) -> bool:
    return element.get(name, "").lower() in ("true", "1")


def _number(element: etree._Element, name: str, default: int) -> int:
    """Raises BadRequest."""
    try:
        return int(element.get(name, default))
    except ValueError:
        raise CrmError("BadRequest", f"Invalid FetchXML: {name} is no number.") from None
