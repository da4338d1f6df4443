"""QueryExpression, QueryByAttribute and FetchExpression, as a `Query`. Source: the service's WSDL."""

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from .. import fetchxml
from ..comparing import Asked, attribute_of, condition
from ..cookies import after_of
from ..errors import CrmError
from ..query import Filter, Link, Order, Part, Query
from ..schema import Entity
from .decoding import Malformed, children, flag, local, members, text, wire

Element = etree._Element

_NAMES: Mapping[str, str] = {
    "Equal": "eq",
    "NotEqual": "ne",
    "GreaterThan": "gt",
    "GreaterEqual": "ge",
    "LessThan": "lt",
    "LessEqual": "le",
    "DoesNotBeginWith": "not-begin-with",
    "DoesNotEndWith": "not-end-with",
    "BeginsWith": "begins-with",
    "EndsWith": "ends-with",
    "EqualUserId": "eq-userid",
    "NotEqualUserId": "ne-userid",
    "Last7Days": "last-seven-days",
}
_QUERY = (
    "ColumnSet",
    "Criteria",
    "Distinct",
    "EntityName",
    "ForceSeek",
    "LinkEntities",
    "Orders",
    "PageInfo",
    "SubQueryExpression",
    # These are later members of the contract, which come after the first ones.
    "NoLock",
    "TopCount",
    "QueryHints",
    "DataSource",
)
_BY_ATTRIBUTE = ("Attributes", "ColumnSet", "EntityName", "Orders", "PageInfo", "Values", "TopCount")
_FILTER = (
    "AnyAllFilterLinkEntity",
    "Conditions",
    "FilterOperator",
    "Filters",
    "IsQuickFindFilter",
    "FilterHint",
)
_CONDITION = ("AttributeName", "CompareColumns", "Operator", "Values", "EntityName")
_LINK = (
    "Columns",
    "EntityAlias",
    "ForceSeek",
    "JoinOperator",
    "LinkCriteria",
    "LinkEntities",
    "LinkFromAttributeName",
    "LinkFromEntityName",
    "LinkToAttributeName",
    "LinkToEntityName",
    "Orders",
)
_PAGE = ("Count", "PageNumber", "PagingCookie", "ReturnRecordCountLessThanMarv", "ReturnTotalRecordCount")


def query_of(element: Element, kind: str, entities: Mapping[str, Entity], asked: Asked, size: int) -> Query:
    """kind: the element's type. size: of a page, unless the query says less. Raises CrmError, Malformed."""
    if kind == "FetchExpression":
        return fetchxml.parse(text(members(element, ("Query",)).get("Query")), entities, asked, size)
    reader = _Reader(entities, asked)
    if kind == "QueryByAttribute":
        return reader.by_attribute(members(element, _BY_ATTRIBUTE), size)
    if kind == "QueryExpression":
        return reader.expression(members(element, _QUERY), size)
    raise Malformed


def columns_of(element: Element | None, entity: Entity) -> tuple[str, ...] | None:
    """Of a ColumnSet: None = all. Raises CrmError."""
    part = members(element, ("AllColumns", "AttributeExpressions", "Columns"))
    if flag(part.get("AllColumns")):
        return None
    names = [text(child) for child in children(part.get("Columns"))]
    return tuple(attribute_of(entity, name).name for name in names)


class _Reader:
    def __init__(self, entities: Mapping[str, Entity], asked: Asked) -> None:
        self._entities = entities
        self._asked = asked
        self._links: dict[str, Link] = {}
        self._names: dict[str, Entity] = {}

    def expression(self, part: Mapping[str, Element], size: int) -> Query:
        entity = self._names[""] = self._entity(text(part.get("EntityName")))
        for link in children(part.get("LinkEntities")):
            self._link(link, "")
        return self._query(part, entity, self._filter(part.get("Criteria"), entity, ""), size)

    def by_attribute(self, part: Mapping[str, Element], size: int) -> Query:
        entity = self._entity(text(part.get("EntityName")))
        names = [text(child) for child in children(part.get("Attributes"))]
        values = [wire(child).value for child in children(part.get("Values"))]
        if len(names) != len(values):
            raise CrmError("InvalidArgument")
        parts = tuple(
            condition(entity, name, "eq", (value,), self._asked)
            for name, value in zip(names, values, strict=True)
        )
        return self._query(part, entity, Filter("and", parts), size)

    def _query(self, part: Mapping[str, Element], entity: Entity, where: Filter, size: int) -> Query:
        page = members(part.get("PageInfo"), _PAGE)
        number = int(text(page.get("PageNumber"), "1")) or 1
        cookie = text(page.get("PagingCookie"))
        orders = tuple(self._orders(part.get("Orders"), entity))
        return Query(
            entity.name,
            columns_of(part.get("ColumnSet"), entity),
            where,
            orders,
            tuple(self._links.values()),
            int(text(part.get("TopCount"), "0")) or None,
            min(int(text(page.get("Count"), "0")) or size, size),
            number,
            after_of(cookie, entity, orders) if cookie and number > 1 else None,
            flag(page.get("ReturnTotalRecordCount")),
        )

    def _link(self, element: Element, parent: str) -> None:
        part = members(element, _LINK)
        entity = self._entity(text(part.get("LinkToEntityName")))
        alias = text(part.get("EntityAlias")) or f"{entity.name}{len(self._links) + 1}"
        outer = attribute_of(self._names[parent], text(part.get("LinkFromAttributeName")))
        inner = attribute_of(entity, text(part.get("LinkToAttributeName")))
        self._names[alias] = entity
        self._links[alias] = Link(
            entity.name,
            inner.name,
            outer.name,
            alias,
            text(part.get("JoinOperator")) == "LeftOuter",
            columns_of(part.get("Columns"), entity),
            self._filter(part.get("LinkCriteria"), entity, alias),
            parent,
        )
        for nested in children(part.get("LinkEntities")):
            self._link(nested, alias)

    def _filter(self, element: Element | None, entity: Entity, link: str) -> Filter:
        part = members(element, _FILTER)
        parts: list[Part] = [
            self._condition(child, entity, link) for child in children(part.get("Conditions"))
        ]
        parts += [self._filter(child, entity, link) for child in children(part.get("Filters"))]
        return Filter("or" if text(part.get("FilterOperator")) == "Or" else "and", tuple(parts))

    def _condition(self, element: Element, entity: Entity, link: str) -> Part:
        part = members(element, _CONDITION)
        if of := text(part.get("EntityName")):
            link = next((alias for alias in (of, *self._names) if self._is(alias, of)), "?")
            entity = self._names.get(link) or self._entity(of)
        values = [wire(child).value for child in children(part.get("Values"))]
        # One value may be given as an array: `In` with all of them in it.
        if len(values) == 1 and isinstance(values[0], list):
            values = values[0]
        operator = _operator(text(part.get("Operator"), "Equal"))
        return condition(entity, text(part.get("AttributeName")), operator, values, self._asked, link)

    def _is(self, alias: str, name: str) -> bool:
        return alias in self._names and name in (alias, self._names[alias].name)

    def _orders(self, element: Element | None, entity: Entity) -> Iterator[Order]:
        for child in children(element):
            part = {local(inner): inner for inner in children(child)}
            name = attribute_of(entity, text(part.get("AttributeName"))).name
            yield Order(name, text(part.get("OrderType")) == "Descending")

    def _entity(self, name: str) -> Entity:
        entity = self._entities.get(name)
        if entity is None:
            raise CrmError("QueryBuilderNoEntity", name)
        return entity


def _operator(name: str) -> str:
    """FetchXML's name: `OlderThanXMonths` is `olderthan-x-months` there."""
    known = _NAMES.get(name) or "-".join(re.findall(r"[A-Z][a-z]*", name)).lower()
    return known.replace("older-than", "olderthan")
