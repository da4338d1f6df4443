"""What rules may ask of a prospect's CRM side, and the points of those that it meets. Pure.

Conditions of one rule about records are met together by one record, those about opportunities by one
opportunity: stage and amount in one rule are those of one deal.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from leadbus.ids import derived_id
from leadbus.messages import AutomaticList
from scoring.crm import LONGEST, CrmOpportunity, CrmRecord

if TYPE_CHECKING:
    from scoring.prospect import Prospect
    from scoring.rule_parts import SegmentRule

SegmentField = Literal[
    "in_crm_as_lead",
    "in_crm_as_contact",
    "status",
    "owner",
    "account_type",
    "account_annual_revenue",
    "opportunity_name",
    "opportunity_stage",
    "opportunity_amount",
    "opportunity_currency",
    "opportunity_close_date",
    "opportunity_probability",
    "opportunity_lead_source",
]
About = Literal["person", "record", "opportunity"]
Value = str | bool | Decimal | date
Words = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Bound = Annotated[Decimal | date, Field(union_mode="left_to_right")]


class _Asked(NamedTuple):
    """of: which rows hold it. name: under which there. type: of its values."""

    of: About
    name: str
    type: Literal["yes_no", "text", "number", "date"]


_FIELDS: Mapping[SegmentField, _Asked] = {
    "in_crm_as_lead": _Asked("person", "lead", "yes_no"),
    "in_crm_as_contact": _Asked("person", "contact", "yes_no"),
    "status": _Asked("record", "status", "text"),
    "owner": _Asked("record", "owner_email", "text"),
    "account_type": _Asked("record", "account_type", "text"),
    "account_annual_revenue": _Asked("record", "account_annual_revenue", "number"),
    "opportunity_name": _Asked("opportunity", "name", "text"),
    "opportunity_stage": _Asked("opportunity", "stage", "text"),
    "opportunity_amount": _Asked("opportunity", "amount", "number"),
    "opportunity_currency": _Asked("opportunity", "currency", "text"),
    "opportunity_close_date": _Asked("opportunity", "close_date", "date"),
    "opportunity_probability": _Asked("opportunity", "probability", "number"),
    "opportunity_lead_source": _Asked("opportunity", "lead_source", "text"),
}
_TESTS: Mapping[str, frozenset[str]] = {
    "yes_no": frozenset({"is"}),
    "text": frozenset({"one_of", "contains"}),
    "number": frozenset({"at_least", "at_most"}),
    "date": frozenset({"at_least", "at_most"}),
}
_LISTED: Mapping[Literal["account_type", "opportunity_stage"], str] = {
    "account_type": "Account type",
    "opportunity_stage": "Opportunity stage",
}


class Condition(BaseModel):
    """What one segment field is asked: `is` of yes or no, `one_of` or `contains` of texts (whatever their
    case), `at_least` and `at_most` of numbers and dates. A field that the CRM has not told meets none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    field: SegmentField
    is_: Annotated[bool | None, Field(alias="is")] = None
    one_of: Annotated[tuple[Words, ...], Field(max_length=50)] = ()
    contains: Words | None = None
    at_least: Bound | None = None
    at_most: Bound | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = set(self.model_dump(exclude_defaults=True, by_alias=True)) - {"field"}
        kind = _FIELDS[self.field].type
        may = " or ".join(sorted(_TESTS[kind]))
        if not given or not given <= _TESTS[kind]:
            raise ValueError(f"{self.field} is asked with {may}")
        bound: type = date if kind == "date" else Decimal
        if any(not isinstance(b, bound) for b in (self.at_least, self.at_most) if b is not None):
            raise ValueError(f"{self.field} is compared with a {'date' if kind == 'date' else 'number'}")
        return self

    # Folded once: rules are asked of every prospect of every batch.
    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word.casefold() for word in self.one_of)

    @cached_property
    def _part(self) -> str:
        return (self.contains or "").casefold()

    def met_by(self, value: Value | None) -> bool:
        """Whether a value passes; the types of value and field are the same."""
        if value is None:
            return False
        if isinstance(value, bool):
            return value is self.is_
        if isinstance(value, str):
            text = value.casefold()
            return (not self.one_of or text in self._words) and self._part in text
        # One bound's type is the value's: `_fits` sees to it.
        return not (
            (self.at_least is not None and value < self.at_least)  # type: ignore[operator]
            or (self.at_most is not None and value > self.at_most)  # type: ignore[operator]
        )


def met(prospect: "Prospect", rules: Sequence["SegmentRule"]) -> list["SegmentRule"]:
    """Those of the rules that the prospect meets now."""
    return [rule for rule in rules if _meets(prospect, rule)]


def standing(prospect: "Prospect", rules: Sequence["SegmentRule"]) -> int:
    """Their points together, in 1/1000."""
    return sum(rule.millipoints for rule in met(prospect, rules)) if rules else 0


def is_in_crm(prospect: "Prospect", kind: str) -> bool:
    """Whether some CRM holds the prospect as a lead, or as a contact.

    What we wrote and nobody has changed since is told by the link alone.
    """
    told = {row[:3] for row in prospect.crm.records}
    linked = {link.kind for link in prospect.linked.values() if link[:3] not in told}
    return kind in linked or any(row.kind == kind for row in prospect.crm.live_records)


def automatic_lists(prospect: "Prospect") -> dict[str, AutomaticList]:
    """The lists by field value that the prospect is on, by their ids."""
    found = [
        AutomaticList(
            list_id=derived_id(prospect.key.tenant_id, field, value),
            name=f"{_LISTED[field]}: {value}",
            field=field,
            value=value,
        )
        for field in _LISTED
        for value in sorted({str(_value(row, field) or "") for row in _rows(prospect, field)} - {""})
    ]
    return {listed.list_id: listed for listed in found}


def together(conditions: Sequence[Condition]) -> Mapping[About, Sequence[Condition]]:
    """The conditions by what has to meet them, and all of one alike."""
    about: dict[About, list[Condition]] = {}
    for condition in conditions:
        about.setdefault(_FIELDS[condition.field].of, []).append(condition)
    return about


def _meets(prospect: "Prospect", rule: "SegmentRule") -> bool:
    return all(
        all(c.met_by(is_in_crm(prospect, _FIELDS[c.field].name)) for c in conditions)
        if of == "person"
        else any(
            all(c.met_by(_value(row, c.field)) for c in conditions)
            for row in _rows(prospect, conditions[0].field)
        )
        for of, conditions in rule.together.items()
    )


def _rows(prospect: "Prospect", field: SegmentField) -> Sequence[CrmRecord | CrmOpportunity]:
    side = prospect.crm
    return side.live_opportunities if _FIELDS[field].of == "opportunity" else side.live_records


def _value(row: CrmRecord | CrmOpportunity, field: SegmentField) -> Value | None:
    asked = _FIELDS[field]
    value = getattr(row, asked.name)
    if value is None or asked.type == "text":
        return value  # type: ignore[no-any-return]
    try:
        found = date.fromisoformat(value) if asked.type == "date" else Decimal(value)
    except (ValueError, InvalidOperation):
        return None  # a CRM may keep a revenue as any text
    # "NaN" is a number for Decimal, but one that cannot be compared; "Infinity" is more than any bound.
    return found if isinstance(found, date) or found.is_finite() else None
