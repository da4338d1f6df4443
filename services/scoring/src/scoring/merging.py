"""What was counted for an alias becomes its person's. Pure, and the same in whatever order aliases join."""

from scoring.prospect import DISTRIBUTIONS, FIELDS, RECENT, Handed, Linked, Named, Prospect, Qualified, age
from scoring.rules import Rules

ALIASES = 50
"""Kept of one person, and so many links of an alias: the newest."""


def merge(person: Prospect, alias: Prospect, rules: Rules) -> set[str]:
    """Takes `alias` into `person`; the names of the fields on which it had the newest word.

    Each event counts once (`History.join`). Scores are not brought up to it (`Prospect.settle`).
    """
    tables = rules.tables
    person.history.join(alias.history, tables.main.terms)
    for name, named in alias.named.items():
        if name in tables.others:
            mine = person.named.setdefault(name, Named())
            mine.history.join(named.history, tables.others[name].terms)
    person.at = max(person.at, alias.at)
    newer = {n for n, s in alias.fields.items() if n not in person.fields or age(person.fields[n]) < age(s)}
    fields = person.fields | {name: alias.fields[name] for name in newer}
    person.fields = dict(sorted(fields.items(), key=lambda item: age(item[1]))[-FIELDS:])
    person.recent = sorted({*person.recent, *alias.recent}, key=age)[-RECENT:]
    handed = {one[:2]: one for one in sorted((*person.handed, *alias.handed), key=_when, reverse=True)}
    person.handed = sorted(handed.values(), key=_when)[-DISTRIBUTIONS:]
    for connection_id, qualified in alias.qualified.items():
        known = person.qualified.get(connection_id, qualified)
        person.qualified[connection_id] = _either(known, qualified)
    for connection_id, linked in alias.linked.items():
        newest = max(linked, person.linked.get(connection_id, linked), key=_since)
        person.linked = person.linked | {connection_id: newest}
    person.crm = person.crm.joined(alias.crm)
    return newer & person.fields.keys()


def _either(one: Qualified, other: Qualified) -> Qualified:
    """Hot for the connection if either is; the crossing's number goes on: nobody is told of it twice."""
    kept = max(one, other, key=lambda each: (each.cooled is None, each.number, each.at, each.cooled or 0))
    return kept._replace(number=max(one.number, other.number))


def _when(handed: Handed) -> tuple[int, str, str]:
    return handed.at, handed.distribution_id, handed.supplier_id


def _since(linked: Linked) -> tuple[int, str, str]:
    return linked.at, linked.module, linked.record_id
