"""Which answer to a distribution counts: the first. Pure, and the same in whatever order answers come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from leadbus.messages import Answer, Answered, LeadAnswered

State = Literal["open", "accepted", "rejected"]


def answered(message: LeadAnswered, at: datetime) -> Answered:
    """at: when it was said."""
    return Answered(
        answer=message.answer,
        at=at,
        by=message.by,
        connection_id=message.connection_id,
        who=message.who,
        event_id=message.event_id,
    )


@dataclass(slots=True)
class Answers:
    """The earliest yes and the earliest no are all that there is to know: one wins, the other contradicts.

    earliest: by answer. Equal times: the lower event id is the earlier.
    """

    earliest: dict[Answer, Answered] = field(default_factory=dict)

    def take(self, said: Answered) -> bool:
        """Whether it is the earliest of its kind now; the same one again is not."""
        known = self.earliest.get(said.answer)
        if known is not None and rank(known) <= rank(said):
            return False
        self.earliest[said.answer] = said
        return True

    @property
    def first(self) -> Answered | None:
        """The answer that counts."""
        return min(self.earliest.values(), key=rank, default=None)

    @property
    def contradiction(self) -> Answered | None:
        """The earliest answer against it."""
        return max(self.earliest.values(), key=rank) if len(self.earliest) > 1 else None

    @property
    def state(self) -> State:
        """open = nobody has answered."""
        return self.first.answer if self.first else "open"


def rank(said: Answered) -> tuple[datetime, str]:
    """The lowest counts."""
    return said.at, said.event_id


def stored(answers: Answers) -> list[dict[str, object]]:
    """As a document holds them."""
    return [said.model_dump() for said in answers.earliest.values()]


def loaded(rows: list[Mapping[str, object]]) -> Answers:
    """The inverse of `stored`."""
    said = [Answered.model_validate(row) for row in rows]
    return Answers({each.answer: each for each in said})
