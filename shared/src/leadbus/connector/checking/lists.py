"""Whether the lists that the settings name are there, and take people where they are pushed to."""

from collections.abc import Iterator, Mapping, Sequence

from leadbus.connector.campaigning.finding import advice_of, lists_meant, why_not
from leadbus.connector.capabilities import Capabilities
from leadbus.connector.contract import Adapter, CrmList, Finding
from leadbus.connector.mapping import FieldMap
from leadbus.connector.settings import ConnectionSettings, ListRule

_WHY_PUSHED = "People of a list here are to be put on it, or taken off. Leadbus makes no lists by itself."
_WHY_PULLED = "It is to be read, under a rule of its own; there is nothing to read."


async def list_findings(settings: ConnectionSettings, adapter: Adapter) -> list[Finding]:
    """One for each list that has a rule; none, and no call, where no list has one.

    Raises:
        LeadbusError: the CRM failed.
    """
    rules = settings.lists
    if not rules:
        return []
    if "list" not in adapter.capabilities.modules:
        return [Finding(False, "This CRM has no lists of people.", _WHY_PULLED, "Leave lists empty.")]
    found = await lists_meant(adapter, rules)
    findings = [_finding(rule, found, adapter.capabilities) for rule in rules]
    findings += _of_one_list(rules, found)
    fields = FieldMap.of(settings, adapter.capabilities)
    return findings + [finding for rule in rules for finding in _fields(rule, fields)]


def _finding(rule: ListRule, found: Mapping[str, Sequence[CrmList]], capabilities: Capabilities) -> Finding:
    if rule.push.any and (reason := why_not(rule, found)):
        return Finding(False, reason, _WHY_PUSHED, advice_of(rule, capabilities))
    if not found[rule.list]:  # a warning: it may be made later
        return Finding(True, why_not(rule, found), _WHY_PULLED, advice_of(rule, capabilities))
    return Finding(True, f"The list {rule.list} exists.")


def _of_one_list(rules: Sequence[ListRule], found: Mapping[str, Sequence[CrmList]]) -> Iterator[Finding]:
    """Rules that push to one list, by its id and by its name: that cannot be seen without the CRM."""
    seen: dict[str, str] = {}
    for rule in filter(lambda rule: rule.push.any, rules):
        for row in found[rule.list]:
            first = seen.setdefault(row.record.id, rule.list)
            if first != rule.list:
                yield Finding(
                    False,
                    f"{first} and {rule.list} are the same list of the CRM.",
                    "People whom one of the rules puts on it are taken off by the other.",
                    "Make one rule of both, under lists.",
                )


def _fields(rule: ListRule, fields: FieldMap) -> Iterator[Finding]:
    """Warnings about chosen fields that no mapping reads, or writes."""
    people = [pairs for of, pairs in fields.pairs.items() if of != "account"]
    read = {name for pairs in people for name, pair in pairs.items() if pair.read}
    written = {name for pairs in people for name, pair in pairs.items() if pair.written}
    for chosen, there, what in (
        (rule.pull_fields, read, "read from the CRM"),
        (rule.push_fields, written, "written to the CRM"),
    ):
        for name in chosen:
            if name not in there:
                yield Finding(
                    True,
                    f"The field {name}, chosen for the list {rule.list}, is not {what}.",
                    "No mapping has it go that way.",
                    "Map it under fields, or choose another one for the list.",
                )
