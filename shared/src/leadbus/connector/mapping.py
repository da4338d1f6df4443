"""Which field of ours is which of the CRM's, and who decides about it: standard mapping and settings.

Pure. Our names are those of `Fields.flat()`; the CRM's are the adapter's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leadbus.connector.capabilities import PEOPLE, Capabilities, Kind, as_it_is
from leadbus.connector.settings import AnswerField, ConnectionSettings, Direction, Rule


@dataclass(frozen=True, slots=True)
class MappedField:
    """One pair of fields. rule: None = the profile's field_updates decides."""

    ours: str
    theirs: str
    direction: Direction = "both"
    rule: Rule | None = None

    @property
    def written(self) -> bool:
        """Whether it may ever be written to the CRM."""
        return self.direction != "from_crm" and self.rule != "never"

    @property
    def read(self) -> bool:
        """Whether its value in the CRM is told to others."""
        return self.direction != "to_crm"


@dataclass(frozen=True, slots=True)
class FieldMap:
    """All pairs of one connection, by kind of record, then by our name. fit: see `Capabilities`.

    answer_field: what is read besides, of which kind of record.
    """

    pairs: Mapping[Kind, Mapping[str, MappedField]]
    fit: Callable[[str, str], str] = as_it_is
    answer_field: AnswerField | None = None

    @classmethod
    def of(cls, settings: ConnectionSettings, capabilities: Capabilities) -> "FieldMap":
        """The standard pairs, with those of the settings in their place or added to them."""
        pairs: dict[Kind, dict[str, MappedField]] = {
            kind: {
                ours: MappedField(ours, theirs) for ours, theirs in capabilities.fields.get(kind, {}).items()
            }
            for kind in PEOPLE
        }
        pairs["account"] = {
            ours: MappedField(ours, theirs, "from_crm")
            for ours, theirs in capabilities.account_fields.items()
        }
        for rule in settings.fields:
            pairs[rule.of][rule.field] = MappedField(rule.field, rule.crm_field, rule.direction, rule.rule)
        return cls(pairs, capabilities.fit, settings.answer_field)

    def crm_fields(self, kind: Kind) -> tuple[str, ...]:
        """The CRM's fields that an adapter is to read of a kind of record, in order of name."""
        answers = self.answer_field
        besides = {answers.crm_field} if answers is not None and answers.of == kind else set[str]()
        return tuple(sorted({pair.theirs for pair in self.pairs.get(kind, {}).values()} | besides))

    def read_pairs(self, kind: Kind) -> set[str]:
        """What is read, as `ours=theirs`: a field of theirs that is mapped to another of ours is another."""
        return {f"{pair.ours}={pair.theirs}" for pair in self.pairs.get(kind, {}).values() if pair.read}

    def to_crm(self, kind: Kind, values: Mapping[str, str]) -> dict[str, str]:
        """Our values under the CRM's names; what is never written, or has no place there, is left out."""
        pairs = self.pairs.get(kind, {})
        return {
            pairs[name].theirs: self.fit(pairs[name].theirs, value)
            for name, value in values.items()
            if name in pairs and pairs[name].written
        }

    def from_crm(self, kind: Kind, values: Mapping[str, str]) -> dict[str, str]:
        """The CRM's values under our names; empty ones are left out."""
        pairs = self.pairs.get(kind, {}).values()
        return {p.ours: values[p.theirs] for p in pairs if p.read and values.get(p.theirs)}
