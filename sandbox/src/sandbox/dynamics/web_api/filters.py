"""`$filter` and its companions for records: which conditions, orders and columns they mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..comparing import Asked, condition
from ..errors import CrmError
from ..query import Condition, Filter, Link, Operator, Order, Part
from ..schema import OPTION_SETS, TEXTS, Attribute, Entity
from ..values import literal
from .language import Comparison, Function, Junction, Node, parse
from .literals import Value

_PATTERNS = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}
_TURNED: Mapping[str, str] = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge", "eq": "eq", "ne": "ne"}
_CAMEL = re.compile(r"(?<!^)(?=[A-Z])")
_NUMBERS = frozenset({"integer", "bigint", "decimal", "double", "money"}) | OPTION_SETS


def no_property(entity: Entity, name: str) -> CrmError:
    return CrmError(
        "BadRequest",
        f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{entity.name}'.",
    )


def attribute_by_column(entity: Entity, column: str) -> Attribute:
    """By its name in the Web API, whose case counts. Raises BadRequest."""
    name = column.removeprefix("_").removesuffix("_value") if column.startswith("_") else column
    attribute = entity.attributes.get(name)
    if attribute is None or attribute.column != column:
        raise no_property(entity, column)
    return attribute


def columns(entity: Entity, select: str | None) -> tuple[str, ...] | None:
    """Names of attributes; None = all. Raises BadRequest."""
    if not select or select.strip() == "*":
        return None
    names = [column.strip() for column in select.split(",")]
    return tuple(attribute_by_column(entity, name).name for name in names if name)


def orders(entity: Entity, orderby: str | None) -> tuple[Order, ...]:
    """Raises BadRequest."""
    made = []
    for part in (orderby or "").split(","):
        column, _, direction = part.strip().partition(" ")
        if direction.strip() not in {"", "asc", "desc"}:
            raise CrmError("BadRequest", f"Syntax error in $orderby '{orderby}'.")
        if column:
            attribute = attribute_by_column(entity, column)
            made.append(Order(attribute.name, direction.strip() == "desc"))
    return tuple(made)


@dataclass(slots=True)
class Filters:
    """Reads one filter. links: what it needs beside the entity itself."""

    entities: Mapping[str, Entity]
    entity: Entity
    asked: Asked
    links: dict[str, Link] = field(default_factory=dict)

    def read(self, text: str | None) -> Filter:
        """Raises CrmError."""
        if not text:
            return Filter()
        part = self._part(parse(text))
        return part if isinstance(part, Filter) else Filter("and", (part,))

    def _part(self, node: Node) -> Part:
        if isinstance(node, Junction):
            parts = tuple(self._part(one) for one in node.parts)
            return Filter("and", parts, negated=True) if node.kind == "not" else Filter(node.kind, parts)
        return self._function(node) if isinstance(node, Function) else self._comparison(node)

    def _comparison(self, node: Comparison) -> Part:
        left, right, operator = node.left, node.right, node.operator
        if isinstance(left, Value):
            left, right, operator = right, left, _TURNED[operator]
        if isinstance(left, Value):
            raise CrmError("BadRequest", "A comparison needs a property.")
        entity, attribute, link = self._place(left)
        plain: Operator = operator  # type: ignore[assignment]
        if isinstance(right, str):
            other = attribute_by_column(entity, right)
            return Condition(attribute.name, plain, (), link, other.name)
        if right.kind == "null":
            if operator not in {"eq", "ne"}:
                raise CrmError("BadRequest", "Only eq and ne compare with null.")
            return Condition(attribute.name, "null" if operator == "eq" else "not-null", (), link)
        return Condition(attribute.name, plain, (_value(entity, attribute, right),), link)

    def _function(self, node: Function) -> Part:
        given = node.arguments
        if node.name in _PATTERNS:
            name, value = given.get("0"), given.get("1")
            if not isinstance(name, str) or not isinstance(value, Value) or value.kind != "text":
                raise CrmError("BadRequest", f"Wrong arguments of {node.name}.")
            _, attribute, link = self._place(name)
            pattern = _PATTERNS[node.name].format(value.value)
            return Condition(attribute.name, "like", (pattern,), link)
        _, dot, short = node.name.rpartition("Microsoft.Dynamics.CRM.")
        name, values = given.get("PropertyName"), given.get("PropertyValues", given.get("PropertyValue", []))
        if not dot or not isinstance(name, Value) or isinstance(values, str):
            raise CrmError("BadRequest", f"An unknown function with name '{node.name}' was found.")
        several: Sequence[Value] = [values] if isinstance(values, Value) else values
        entity, attribute, link = self._place(str(name.value))
        operator = _CAMEL.sub("-", short).lower()
        return condition(entity, attribute.name, operator, [one.value for one in several], self.asked, link)

    def _place(self, path: str) -> tuple[Entity, Attribute, str]:
        """Of `emailaddress1`, or of another record's: `parentcontactid/emailaddress1`."""
        navigation, slash, column = path.partition("/")
        if not slash:
            return self.entity, attribute_by_column(self.entity, path), ""
        found = self.entity.by_bind(navigation)
        if found is None or "/" in column:
            raise no_property(self.entity, navigation)
        attribute, target = found
        entity = self.entities[target or attribute.targets[0]]
        self.links[navigation] = Link(entity.name, entity.id, attribute.name, navigation, outer=True)
        return entity, attribute_by_column(entity, column), navigation


def _value(entity: Entity, attribute: Attribute, value: Value) -> object:
    """Raises BadRequest for operands whose types do not go together."""
    kind, right = attribute.type, value.kind
    fits = (
        right == "text"
        if kind in TEXTS
        else right == "guid"
        if kind == "uniqueidentifier" or attribute.is_lookup
        else right == "number"
        if kind in _NUMBERS
        else right == "boolean"
        if kind == "boolean"
        else right in {"time", "date"}
    )
    if not fits:
        raise CrmError(
            "BadRequest",
            "A binary operator with incompatible types was detected. Found operand types"
            f" '{kind}' and '{right}'.",
        )
    if right in {"number", "boolean"}:
        return value.value
    return literal(entity, attribute, str(value.value))
