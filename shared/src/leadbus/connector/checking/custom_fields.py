"""Fields of ours that a kind of record has none for: which custom field of the CRM could hold them. Pure."""

from collections.abc import Iterator, Sequence

from leadbus.connector.capabilities import Capabilities, Kind
from leadbus.connector.checking.steps import step
from leadbus.connector.contract import FieldInfo, Finding
from leadbus.connector.settings import ConnectionSettings
from leadbus.tenant_fields import nearest

_CUSTOM = "custom."


def custom_field_findings(
    settings: ConnectionSettings, capabilities: Capabilities, kind: Kind, described: Sequence[FieldInfo]
) -> list[Finding]:
    """A warning for each such field that no mapping gives a place, with the mapping to enter."""
    return list(_homeless(settings, capabilities, kind, described))


def unknown_field_findings(settings: ConnectionSettings, own_fields: frozenset[str]) -> list[Finding]:
    """A warning for each mapping to a custom field that the tenant does not have."""
    if not own_fields:
        return []
    names = dict.fromkeys(
        r.field.removeprefix(_CUSTOM) for r in settings.fields if r.field.startswith(_CUSTOM)
    )
    return [_unknown(name, own_fields) for name in names if name not in own_fields]


def _unknown(name: str, own_fields: frozenset[str]) -> Finding:
    near = nearest(name, own_fields)
    what = f"{_CUSTOM}{name} is mapped, but the tenant has no field of its own of that name"
    advice = f"Map {_CUSTOM}{near} instead, or a" if near else "A"
    return Finding(
        True,
        f"{what}{f': {_CUSTOM}{near} may be meant' if near else ''}.",
        "Values under such a name are refused when they are posted, so that it is only ever read.",
        f"{advice}dd {name} to the tenant's fields: leadbus fields set TENANT {name}",
    )


def _homeless(
    settings: ConnectionSettings, capabilities: Capabilities, kind: Kind, described: Sequence[FieldInfo]
) -> Iterator[Finding]:
    rules = [rule for rule in settings.fields if rule.of == kind]
    taken = {rule.crm_field for rule in rules} | {settings.score_field}
    module = capabilities.module_of(kind)
    wanted = next((fields for person, fields in capabilities.by_custom_field.items() if person == kind), {})
    for ours in sorted(wanted.keys() - {rule.field for rule in rules}):
        fitting = [
            info
            for info in described
            if info.custom and info.writable and info.type == wanted[ours] and info.name not in taken
        ]
        making = step(
            capabilities, "field", module=module, name=ours.replace("_", " ").capitalize(), value=ours
        )
        yield Finding(
            True,
            f"{module} has no field of its own for {ours}, and no custom field is mapped to it.",
            f"A {kind}'s {ours} is neither written to the CRM nor read from it.",
            _advice(kind, ours, wanted[ours], fitting, making),
        )


def _advice(kind: Kind, ours: str, type_: str, fitting: Sequence[FieldInfo], making: str) -> str:
    if not fitting:
        mapping = _mapping(kind, ours, "<its name>")
        return f"Make a custom field of type {type_}. {making} Then add to the setting fields: {mapping}"
    choices = " or ".join(f"{_mapping(kind, ours, info.name)} ({info.label})" for info in fitting)
    return f"Add to the setting fields: {choices}. If none of these is meant for it: {making}"


def _mapping(kind: Kind, ours: str, theirs: str) -> str:
    """As it is entered, in YAML."""
    return f"{{of: {kind}, field: {ours}, crm_field: {theirs}}}"
