"""EntityDefinitions: the organisation's metadata. Source: Microsoft's page about querying metadata."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import CrmError
from ..schema import Attribute, Entity
from .addresses import ACTION, Segment
from .asks import Answer, Ask
from .describing import (
    Facts,
    attribute_facts,
    entity_facts,
    has_options,
    keys,
    many_to_one,
    metadata_id,
    option_set,
)
from .language import Comparison, Junction, Node, parse
from .literals import Value

ROOTS = frozenset({"EntityDefinitions"})
_NAMED = re.compile(r"^(?:(\w+)=)?'?([^']*)'?$")
_EXPAND = re.compile(r"(\w+)(?:\((.*?)\)(?=,|$))?,?")
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
}


def answer(ask: Ask, path: list[Segment]) -> Answer:
    """Raises CrmError."""
    if ask.method != "GET":
        raise CrmError("MethodNotAllowed", ask.method)
    return Answer("metadata", body=_body(ask, path))


def _body(ask: Ask, path: list[Segment]) -> Facts:
    context = {"@odata.context": f"{ask.base}/$metadata#{path[0].name}"}
    if path[0].key is None:
        return context | {"value": _listed(ask, map(_entity_tree(ask), ask.site.store.entities.values()))}
    entity = _entity(ask, path[0].key)
    tree = _entity_tree(ask)(entity)
    if len(path) == 1:
        return context | _cut(tree, ask.options)
    collection = path[1]
    if collection.name not in tree or not isinstance(tree[collection.name], list):
        raise CrmError("ResourceNotFound", collection.name)
    rows = tree[collection.name]
    cast = next((one.name for one in path[2:] if one.name.startswith(ACTION)), None)
    if cast is not None:
        rows = [row for row in rows if row["@odata.type"] == f"#{cast}"]
    if collection.key is None:
        return context | {"value": _listed(ask, rows)}
    match = _NAMED.match(collection.key)
    row = next((row for row in rows if match and match[2] in {row["LogicalName"], row["MetadataId"]}), None)
    if row is None:
        raise CrmError("QueryBuilderNoAttribute", entity.schema_name, collection.key)
    if path[-1].name == "OptionSet":
        row = row.get("OptionSet") or {}
    return context | _cut(row, ask.options)


def _entity(ask: Ask, key: str) -> Entity:
    match = _NAMED.match(key)
    for entity in ask.site.store.entities.values():
        if match and match[2] in {entity.name, metadata_id(entity.name)}:
            return entity
    raise CrmError("QueryBuilderNoEntity", match[2] if match else key)


def _entity_tree(ask: Ask) -> Callable[[Entity], Facts]:
    """The entity with everything below it; what was not asked for is cut off afterwards."""

    def tree(entity: Entity) -> Facts:
        return entity_facts(entity) | {
            "Attributes": [_attribute_tree(entity, one) for one in entity.attributes.values()],
            "Keys": keys(entity),
            "ManyToOneRelationships": many_to_one(ask.site.store, entity),
        }

    return tree


def _attribute_tree(entity: Entity, attribute: Attribute) -> Facts:
    facts = attribute_facts(entity, attribute)
    if has_options(attribute):
        facts["OptionSet"] = option_set(entity, attribute)
    return facts


_BELOW = frozenset({"Attributes", "Keys", "ManyToOneRelationships", "OptionSet"})


def _listed(ask: Ask, rows: Iterable[Facts]) -> list[Facts]:
    wanted = ask.options.get("$filter")
    node = parse(wanted) if wanted else None
    return [_cut(row, ask.options) for row in rows if node is None or _holds(node, row)]


def _cut(row: Facts, options: Mapping[str, str]) -> Facts:
    """$select and $expand. Raises BadRequest for names that are not there."""
    chosen = [name.strip() for name in options.get("$select", "").split(",") if name.strip()]
    always = {name for name in row if name.startswith("@")} | {"MetadataId"}
    kept = {
        name: value
        for name, value in row.items()
        if name in always or (name in chosen if chosen else name not in _BELOW)
    }
    for match in _EXPAND.finditer(options.get("$expand", "")):
        name, inner = (
            match[1],
            dict(part.split("=", 1) for part in (match[2] or "").split(";") if "=" in part),
        )
        below = row.get(name)
        if isinstance(below, list):
            node = parse(inner["$filter"]) if "$filter" in inner else None
            kept[name] = [_cut(one, inner) for one in below if node is None or _holds(node, one)]
        elif below is not None:
            kept[name] = _cut(below, inner)
    return kept


def _holds(node: Node, row: Facts) -> bool:
    if isinstance(node, Junction):
        held = [_holds(part, row) for part in node.parts]
        return not held[0] if node.kind == "not" else (all(held) if node.kind == "and" else any(held))
    if not isinstance(node, Comparison) or node.operator not in _COMPARED:
        raise CrmError("BadRequest", "Metadata are filtered by eq and ne alone.")
    left, right = node.left, node.right
    if isinstance(left, Value) or not isinstance(right, Value):
        raise CrmError("BadRequest", "A property is compared with a literal.")
    return _COMPARED[node.operator](row.get(left), right.value)
