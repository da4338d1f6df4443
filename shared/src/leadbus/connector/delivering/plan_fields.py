"""Field by field: what a delivery says, what the CRM has, who decides, and why. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from leadbus.connector.capabilities import PersonKind
from leadbus.connector.contract import Person
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import FieldFact, Profile
from leadbus.connector.delivering.plan_rules import Case, judge
from leadbus.connector.mapping import FieldMap, MappedField

DEFAULTS = {"last_name": "default_last_name", "company": "default_company"}
"""Our field, and the setting that stands in for it in a new record."""
SAME = "the CRM says the same"


@dataclass(frozen=True, slots=True)
class Present:
    """A record as it was read for this working-off, and what the mirror tells of its past.

    values: as the mirror last read them. ours: what we meant to write. changed: when fields were
    seen to change.
    """

    person: Person
    values: Mapping[str, str] = field(default_factory=dict)
    ours: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, datetime] = field(default_factory=dict)

    def is_ours(self, name: str, present: str) -> bool:
        """Whether the present value is one that we meant to write."""
        return name in self.ours and self.ours[name] == present

    def theirs_since(self, name: str, present: str) -> datetime | None:
        """When the CRM's present value came about: that of the field if seen to change, else the record's."""
        seen = self.changed.get(name) if self.values.get(name) == present else None
        return seen or self.person.changed_at


@dataclass(frozen=True, slots=True)
class Decision:
    """About one field. crm_field: None = it has no place there. value: as the CRM would keep it.

    present: what the CRM has. written: whether ours is to be. told: whether the journey says so.
    """

    field: str
    crm_field: str | None
    value: str
    present: str
    written: bool
    reason: str
    told: bool = False


def decide(
    delivery: Delivery,
    fields: FieldMap,
    kind: PersonKind,
    record: Present,
    *,
    allowed: Mapping[Profile, bool],
    asked: bool | None,
    besides: Collection[str] = (),
) -> list[Decision]:
    """About every pending field of a record that exists, in order of name.

    allowed: what each profile may change where no rule decides. asked: what a sync request says instead.
    besides: fields that a list lets us change, whatever the profile says.
    """
    pairs = fields.pairs.get(kind, {})
    return [
        _decision(name, fact, pairs.get(name), fields, record, allowed, asked, besides)
        for name, fact in sorted(delivery.fields.items())
        if fact.pending
    ]


def decide_settled(delivery: Delivery, fields: FieldMap, kind: PersonKind, person: Person) -> list[Decision]:
    """The same of its other fields: nothing is said of them that is not dealt with."""
    pairs = fields.pairs.get(kind, {})
    decisions: list[Decision] = []
    for name, fact in sorted(delivery.fields.items()):
        if fact.pending:
            continue
        pair = pairs.get(name)
        present = person.values.get(pair.theirs, "") if pair else ""
        if pair is None or not pair.written:
            decisions.append(_no_place(name, fact.value, pair, present))
            continue
        value = fields.fit(pair.theirs, fact.value)
        reason = SAME if value == present else "nothing new is said of it"
        decisions.append(Decision(name, pair.theirs, value, present, False, reason))
    return decisions


def decide_new(
    values: Mapping[str, str], delivery: Delivery, fields: FieldMap, kind: PersonKind
) -> list[Decision]:
    """The same of a record to be created. values: with what the settings put in the place of the rest."""
    pairs = fields.pairs.get(kind, {})
    decisions: list[Decision] = []
    for name, value in sorted(values.items()):
        pair = pairs.get(name)
        if pair is None or not pair.written:
            decisions.append(_no_place(name, value, pair, ""))
            continue
        fact = delivery.fields.get(name)
        is_said = fact is not None and fact.value.strip()
        reason = "the record is new"
        if not is_said:
            reason = f"nobody has given one: the setting {DEFAULTS[name]} stands in"
        decisions.append(Decision(name, pair.theirs, fields.fit(pair.theirs, value), "", True, reason))
    return decisions


def _decision(
    name: str,
    fact: FieldFact,
    pair: MappedField | None,
    fields: FieldMap,
    record: Present,
    allowed: Mapping[Profile, bool],
    asked: bool | None,
    besides: Collection[str],
) -> Decision:
    present = record.person.values.get(pair.theirs, "") if pair else ""
    if pair is None or not pair.written:
        return _no_place(name, fact.value, pair, present)
    fitting = fields.fit(pair.theirs, fact.value)
    if fitting == present:
        return Decision(name, pair.theirs, fitting, present, False, SAME)
    wins, reason = judge(
        pair.rule,
        Case(
            said=fact,
            present=present,
            ours=_is_written(fact, pair, fields, present) or record.is_ours(pair.theirs, present),
            theirs_since=record.theirs_since(pair.theirs, present),
            allowed=allowed[fact.profile] or name in besides if asked is None else asked,
        ),
    )
    if wins and pair.rule is None and asked is None and not allowed[fact.profile]:
        reason = "a list that is pushed lets it change"
    if asked is False and wins:
        wins, reason = False, "the sync request leaves existing records alone"
    # That a profile changes nothing is no news of a delivery.
    return Decision(name, pair.theirs, fitting, present, wins, reason, told=wins or pair.rule is not None)


def _no_place(name: str, value: str, pair: MappedField | None, present: str) -> Decision:
    if pair is None:
        return Decision(name, None, value, present, False, "no field of the CRM is mapped to it")
    reason = "only read, by its mapping" if pair.direction == "from_crm" else "never written by rule"
    return Decision(name, pair.theirs, value, present, False, reason)


def _is_written(fact: FieldFact, pair: MappedField, fields: FieldMap, present: str) -> bool:
    return fact.written is not None and fields.fit(pair.theirs, fact.written) == present
