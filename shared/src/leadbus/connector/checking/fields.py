"""Whether mapped fields exist in the CRM, can be written and fit; and what the CRM asks for besides. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from leadbus.connector.capabilities import PEOPLE, Capabilities, Kind
from leadbus.connector.checking.steps import step
from leadbus.connector.contract import FieldInfo, FieldType, Finding
from leadbus.connector.mapping import FieldMap, MappedField
from leadbus.connector.settings import ConnectionSettings

_WHY_FIT = "A value that does not fit is refused by the CRM, or dropped without a word."
_WHY_REQUIRED = "The CRM may refuse every new record that comes without it."

# What a text of ours can be written to, by our name; "other" is what an adapter cannot tell.
_TEXT: frozenset[FieldType] = frozenset({"text", "option", "other"})
_ANY: frozenset[FieldType] = frozenset(
    {"text", "number", "boolean", "date", "datetime", "option", "options", "other"}
)
_FITS: Mapping[str, frozenset[FieldType]] = {
    "birthday": frozenset({"date", "text", "other"}),
    "comments": frozenset({"text", "other"}),
}


def kinds_mapped(settings: ConnectionSettings, capabilities: Capabilities) -> list[Kind]:
    """The kinds whose fields are to be looked at: people, accounts where they are created or mapped."""
    kinds: list[Kind] = [kind for kind in PEOPLE if kind in capabilities.modules]
    creates_accounts = capabilities.accounts and settings.record_as == "contact"
    if "account" in capabilities.modules and (
        creates_accounts or any(rule.of == "account" for rule in settings.fields)
    ):
        kinds.append("account")
    return kinds


def field_findings(
    settings: ConnectionSettings, capabilities: Capabilities, kind: Kind, described: Sequence[FieldInfo]
) -> list[Finding]:
    """Of one kind of record, as the CRM describes its fields.

    What the settings map must fit; where a standard pair does not, that is a warning.
    """
    module = capabilities.module_of(kind)
    infos = {info.name: info for info in described}
    mapped_here = {rule.field for rule in settings.fields if rule.of == kind}
    pairs = FieldMap.of(settings, capabilities).pairs.get(kind, {})
    used = [pair for pair in pairs.values() if pair.written or pair.read]
    found = [
        Finding(pair.ours not in mapped_here, what, _WHY_FIT, advice)
        for pair in used
        for what, advice in _faults(module, pair, infos.get(pair.theirs), capabilities)
    ]
    found += _twice(module, used)
    if used and not found:
        found.append(Finding(True, f"All {len(used)} mapped fields of {module} exist and fit."))
    if kind in {settings.record_as, "account"}:
        ours = {pair.theirs for pair in used if pair.written} | capabilities.filled
        ours |= {capabilities.lead_source_field, settings.score_field or ""}
        found += _required(module, infos.values(), ours)
    return found


def _faults(
    module: str, pair: MappedField, info: FieldInfo | None, capabilities: Capabilities
) -> Iterator[tuple[str, str]]:
    """What is wrong with one pair, and what to do."""
    if info is None:
        yield (
            f"{module} has no field {pair.theirs}, to which {pair.ours} is mapped.",
            step(capabilities, "field", module=module, name=pair.theirs, value=pair.ours),
        )
        return
    if pair.written and not info.writable:
        yield (
            f"The field {pair.theirs} of {module} cannot be written, but {pair.ours} is mapped to it.",
            f"Map {pair.ours} with direction from_crm, or to another field.",
        )
    elif pair.written and info.type not in _writable_to(pair.ours):
        yield (
            f"The field {pair.theirs} of {module} is of type {info.type}, which cannot take {pair.ours}.",
            f"Map {pair.ours} to a field of type {_listed(_writable_to(pair.ours))}.",
        )
    elif not pair.written and info.type not in _FITS.get(pair.ours, {*_ANY, "reference"}):
        yield (
            f"The field {pair.theirs} of {module} is of type {info.type}, which {pair.ours} cannot hold.",
            f"Map {pair.ours} to a field of type {_listed(_FITS[pair.ours])}.",
        )


def _writable_to(ours: str) -> frozenset[FieldType]:
    return _ANY if ours.startswith("custom.") else _FITS.get(ours, _TEXT)


def _listed(types: frozenset[FieldType]) -> str:
    return " or ".join(sorted(types - {"other"}))


def _twice(module: str, pairs: Sequence[MappedField]) -> Iterator[Finding]:
    """Two of our fields written to one of theirs: which of them would stay is chance."""
    first: dict[str, str] = {}
    for pair in pairs:
        if not pair.written:
            continue
        other = first.setdefault(pair.theirs, pair.ours)
        if other != pair.ours:
            yield Finding(
                False,
                f"Both {other} and {pair.ours} are written to the field {pair.theirs} of {module}.",
                "Each would overwrite the other.",
                f"Map one of them to another field, or give {other} the rule never.",
            )


def _required(module: str, infos: Iterable[FieldInfo], ours: Set[str]) -> Iterator[Finding]:
    for info in infos:
        if info.required and info.writable and info.name not in ours:
            yield Finding(
                True,
                f"{module} requires the field {info.name}, which Leadbus never fills.",
                _WHY_REQUIRED,
                f"Map a field to {info.name}, or let it be empty in the CRM.",
            )
