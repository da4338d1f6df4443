"""Paging cookies: where a page ends, as a query says it. Source: recorded answers, Microsoft's samples.

`<cookie page="1"><fullname last="..." first="..." /><contactid last="{...}" first="{...}" /></cookie>`; what
is empty is told by `lastnull` and `firstnull`.
"""

from collections.abc import Sequence
from typing import Any

from lxml import etree

from .comparing import stored
from .errors import CrmError
from .query import Found, Order
from .schema import Attribute, Entity

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


def cookie_of(found: Found, page: int, entity: Entity, orders: Sequence[Order]) -> str | None:
    """Of the page that was found; None of an empty one, and where linked records decide the order."""
    if found.first is None or found.after is None or any(order.link for order in orders):
        return None
    cookie = etree.Element("cookie", page=str(page))
    for attribute, last, first in zip(_keys(entity, orders), found.after, found.first, strict=True):
        part = etree.SubElement(cookie, attribute.name)
        for side, value in (("last", last), ("first", first)):
            if value is None:
                part.set(f"{side}null", "1")
            else:
                part.set(side, _told(attribute, value))
    return etree.tostring(cookie, encoding="unicode").replace('"/>', '" />')


def after_of(cookie: str, entity: Entity, orders: Sequence[Order]) -> tuple[Any, ...]:
    """The end of the page that the cookie is of. Raises BadRequest for one of another query."""
    try:
        parts = list(etree.fromstring(cookie.encode(), _PARSER))
    except etree.XMLSyntaxError:
        parts = []
    keys = _keys(entity, orders)
    if [part.tag for part in parts] != [attribute.name for attribute in keys]:
        raise CrmError("BadRequest", "Malformed XML in the Paging Cookie.")
    return tuple(
        stored(entity, attribute, part.get("last")) if "last" in part.attrib else None
        for attribute, part in zip(keys, parts, strict=True)
    )


def _keys(entity: Entity, orders: Sequence[Order]) -> list[Attribute]:
    """What places a record: the orders, and in the end its id."""
    names = [order.attribute for order in orders]
    return [entity.attributes[name] for name in (*names, entity.id)]


def _told(attribute: Attribute, value: Any) -> str:
    if attribute.is_lookup or attribute.type == "uniqueidentifier":
        return f"{{{str(value).upper()}}}"
    return str(value)
