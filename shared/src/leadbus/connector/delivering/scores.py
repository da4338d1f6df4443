"""The score of a prospect, and what of it its record has. Pure.

It is written with whatever else a record is given, or alone, after everything else; at most once an hour.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

LEAST_PAUSE = timedelta(hours=1)
"""Between two scores of one record."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Score:
    """The newest score, by scoring's version, in points.

    pending: not yet dealt with in the CRM. written: what the record (an id) was given last, at when, and in
    which field.
    """

    value: int
    version: int
    pending: bool = True
    written: int | None = None
    at: datetime | None = None
    field: str | None = None
    record: str | None = None

    @property
    def due_at(self) -> datetime:
        """When it may be written; long ago if none was."""
        return _LONG_AGO if self.at is None else self.at + LEAST_PAUSE

    def said(self, value: int, version: int) -> "Score":
        """With what scoring says; older versions change nothing."""
        if version <= self.version:
            return self
        return replace(self, value=value, version=version, pending=value != self.written)

    def settled(self, done: "Score") -> "Score":
        """After a working-off that read an earlier one, perhaps."""
        if self.version == done.version:
            return done
        return replace(done, value=self.value, version=self.version, pending=self.value != done.written)

    def kept_in(self, score_field: str | None, record: str | None = None) -> "Score":
        """What another field, or another record (a lead that became a contact), was given says nothing."""
        if self.field == score_field and record in (None, self.record):
            return self
        return Score(self.value, self.version, field=score_field, record=record)


def to_write(
    score: Score | None, score_field: str | None, now: datetime, record: str | None = None
) -> int | None:
    """What a linked record is to be given now; None = nothing, or not yet. record: None = the one known."""
    if not score_field or score is None:
        return None
    score = score.kept_in(score_field, record)
    return None if score.value == score.written or score.due_at > now else score.value


def written(score: Score | None, score_field: str, now: datetime, record: str) -> Score | None:
    """As it stands once the record has it."""
    return Score(score.value, score.version, False, score.value, now, score_field, record) if score else None


def left(
    score: Score | None, score_field: str | None, record: str | None = None, *, linked: bool = True
) -> Score | None:
    """As it stands where it was not written. linked: there is a record that it could be written to."""
    if score is None:
        return None
    score = score.kept_in(score_field, record)
    return replace(score, pending=linked and score_field is not None and score.value != score.written)


def of_no_record(score: Score | None) -> Score | None:
    """The record that had it is there no more."""
    return replace(score, pending=False, written=None, at=None) if score else None
