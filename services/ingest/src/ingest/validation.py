"""Is it what it says it is? Pydantic's findings, in the sender's words."""

from pydantic import ValidationError

from ingest.items import Fault, Item
from leadbus.messages import Body, Fields
from leadbus.tenant_fields import nearest

MOST_FAULTS = 20
LONGEST_FIELD = 200
_TENANT = "the API key names the tenant; leave this out"
_OF_ONES_OWN = "fields of your own belong in custom"
_REASONS = {
    "extra_forbidden": "there is no such field; see /openapi.json for what there is",
    "missing": "is required",
}


def validate(item: Item) -> Body | None:
    """The item's body, or None and `item.faults` say why not."""
    if item.input is None or item.faults:
        return None
    try:
        return item.input.read(item.text, extra="forbid")
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        item.faults = [_fault(fault["loc"], fault["type"], fault["msg"]) for fault in found[:MOST_FAULTS]]
        return None


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> Fault:
    field = ".".join(str(part) for part in location)[:LONGEST_FIELD]
    if kind == "extra_forbidden" and location[-2:-1] == ("fields",):
        near = nearest(str(location[-1])[:LONGEST_FIELD], Fields.model_fields)
        hint = f"did you mean {near}?" if near else _OF_ONES_OWN
        return Fault(field, f"there is no such field; {hint}", "unknown_field")
    if kind == "extra_forbidden" and field == "tenant_id":
        return Fault(field, _TENANT, kind)
    return Fault(field, _REASONS.get(kind, message.removeprefix("Value error, ")), kind)
