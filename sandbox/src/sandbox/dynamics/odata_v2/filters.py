"""`$filter` of OData v2: schema names, members of complex types (`StateCode/Value`), its own literals.

Source: Microsoft's pages on the OData endpoint of CRM 2011 to 2016, the OData v2 URI conventions.
"""

import re
from collections.abc import Callable

from ..comparing import Asked, condition
from ..errors import CrmError
from ..query import Condition, Filter, Operator, Part
from ..schema import Entity
from ..web_api.language import Comparison, Function, Junction, Node, parse
from ..web_api.literals import Value

# Texts stay; ids and times lose their prefix (and the parentheses around them), numbers their suffix.
_LITERALS = re.compile(
    r"(?P<text>(?<!guid)(?<!datetime)'(?:[^']|'')*')"
    r"|\(\s*guid'(?P<enclosed>[^']*)'\s*\)|guid'(?P<guid>[^']*)'"
    r"|datetime'(?P<time>[^']*)'"
    r"|\b(?P<number>-?\d+(?:\.\d+)?)[mMlLdDfF]\b"
)
_PATTERNS = {"startswith": "begins-with", "endswith": "ends-with", "substringof": "like"}
_MEMBERS = frozenset({"", "Value", "Id"})


def read(text: str, entity: Entity, by_name: Callable[[str], str], asked: Asked) -> Filter:
    """by_name: an attribute's logical name by its schema name. Raises CrmError."""

    def part(node: Node) -> Part:
        if isinstance(node, Junction):
            parts = tuple(part(one) for one in node.parts)
            return Filter("and", parts, negated=True) if node.kind == "not" else Filter(node.kind, parts)
        return function(node) if isinstance(node, Function) else comparison(node)

    def comparison(node: Comparison) -> Part:
        if not isinstance(node.left, str) or not isinstance(node.right, Value):
            raise CrmError("BadRequest", "A comparison is of a property and a value.")
        name, operator = logical(node.left), node.operator
        if node.right.kind == "null":
            empty: Operator = "null" if operator == "eq" else "not-null"
            return Condition(name, empty)
        return condition(entity, name, operator, (node.right.value,), asked)

    def function(node: Function) -> Part:
        given = list(node.arguments.values())
        if node.name not in _PATTERNS or len(given) != 2:
            raise CrmError("BadRequest", f"An unknown function with name '{node.name}' was found.")
        name, value = reversed(given) if node.name == "substringof" else given
        if not isinstance(name, str) or not isinstance(value, Value):
            raise CrmError("BadRequest", f"Wrong arguments of {node.name}.")
        wanted = f"%{value.value}%" if node.name == "substringof" else value.value
        return condition(entity, logical(name), _PATTERNS[node.name], (wanted,), asked)

    def logical(path: str) -> str:
        name, _, member = path.partition("/")
        if member not in _MEMBERS:
            raise CrmError("BadRequest", f"No property '{member}' exists at position 0.")
        return by_name(name)

    return Filter("and", (part(parse(_LITERALS.sub(_plain, text))),))


def _plain(found: re.Match[str]) -> str:
    if found["time"] is not None:
        return str(found["time"]) if re.search(r"Z|[+-]\d\d:\d\d$", found["time"]) else f"{found['time']}Z"
    return found["enclosed"] or found["guid"] or found["number"] or found[0]
