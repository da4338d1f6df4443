"""Under which ids a person is known, and which person an alias belongs to. Pure.

A visitor who logs in, and an old email, are aliases of the person. The person's document notes them; the
alias's own document holds since when it is whose, and which events it has handed over or on: nothing counts.
"""

from typing import Any

from leadbus.consuming.records import Received
from leadbus.event_types import TRAITS
from leadbus.messages import ForwardedRecord, MarketingEvent, Message, ProspectUpdated
from leadbus.topics import BY_NAME
from scoring.fading import Terms
from scoring.history import Row, compact
from scoring.merging import ALIASES
from scoring.prospect import Alias, Link, Prospect

VISITOR = "visitor:"
EMAIL = "email:"
SAY_AGAIN = 30 * 60_000
"""Milliseconds after which a person says an alias again that it has said: so somebody who logs in on a shared
computer is noticed, and again when the first one is back, and a busy visitor costs two records an hour."""


def note(prospect: Prospect, name: str, at: int) -> bool:
    """Notes that a fact of the person named an alias at `at` (broker time, ms); whether it is to be said."""
    known = prospect.aliases.get(name)
    if known is not None and at <= known.said + (SAY_AGAIN if known.said else 0):
        return False
    keep(prospect, {name: Alias(at, known.joined if known else 0)})
    return True


def keep(prospect: Prospect, aliases: dict[str, Alias]) -> None:
    """Takes in how aliases stand, but for what is the person's own name; the newest are kept."""
    known = dict(prospect.aliases)
    for name, alias in aliases.items():
        before = known.get(name, alias)
        known[name] = Alias(max(alias.said, before.said), max(alias.joined, before.joined))
    known.pop(f"{EMAIL}{prospect.email}", None)
    newest = sorted(known.items(), key=lambda item: (max(item[1]), item[0]))
    prospect.aliases = dict(newest[-ALIASES:])


def lose(prospect: Prospect, name: str, at: int) -> bool:
    """Takes in that an alias has been somebody else's since `at` (ms), so that the next fact that names it is
    said at once; whether it was the prospect's until then."""
    known = prospect.aliases.get(name)
    if known is None or not 0 < known.said <= at:
        return False
    prospect.aliases = prospect.aliases | {name: known._replace(said=0)}
    return True


def relink(prospect: Prospect, link: Link, name: str) -> bool:
    """Takes in a link of the alias of that name, whatever order links come in; whether it was news.

    Of each person's links in a row the first and the last stay, and of all the first and the newest. An email
    has its newest alone: who had it before is that one now, and a late record must not go round in circles.
    """
    links = sorted({*prospect.links, link})
    if name.startswith(EMAIL):
        links = links[-1:]
    links = [
        each
        for n, each in enumerate(links)
        if n in (0, len(links) - 1) or {links[n - 1].person, links[n + 1].person} != {each.person}
    ]
    if len(links) > ALIASES:
        links = [links[0], *links[1 - ALIASES :]]
    if links == prospect.links:
        return False
    prospect.links = links
    return True


def becomes_itself(prospect: Prospect, received: Received, updated: ProspectUpdated) -> bool:
    """Takes in that a changed email is the prospect's: since then it is no alias. Whether that is news."""
    if updated.previous_email in (None, updated.email):
        return False
    link = Link(received.at, prospect.key.prospect_id, updated.email)
    return relink(prospect, link, EMAIL + updated.email)


def has_passed(prospect: Prospect, event: MarketingEvent) -> bool:
    """Whether the event has come before and was handed over or on, whoever it belonged to then."""
    return bool(prospect.passed.rows) and prospect.passed.holds(compact(event.event_id))


def note_passed(prospect: Prospect, event: MarketingEvent, at: int) -> None:
    """Notes an event that an alias hands on."""
    row = Row(at, compact(event.event_id), TRAITS[event.type].number, 0, 0)
    prospect.passed.add(row, Terms())


def person_at(prospect: Prospect, at: int) -> Link:
    """Who an alias belonged to at `at` (ms): by the newest link by then, else the first."""
    found = next((link for link in reversed(prospect.links) if link.at <= at), prospect.links[0])
    return prospect.links[-1] if found.person == prospect.key.prospect_id else found


def renamed(message: Message, email: str) -> Message:
    """A fact about an alias, as one about whoever has this email."""
    changes: dict[str, Any] = {}
    if "email" in type(message).model_fields:
        changes["email"] = email
    if isinstance(message, MarketingEvent) and message.email is None:
        changes["visitor_id"] = None  # which says nothing new of who that was
    return message.model_copy(update=changes)


def names_alias(message: Message) -> bool:
    """Whether an update says under which other id the person is known: scoring asks it nothing else."""
    return isinstance(message, ProspectUpdated) and bool(message.previous_email or message.visitor_id)


def unpacked(received: Received, record: ForwardedRecord, at: int) -> Received:
    """The record that an alias has handed on, with the time (ms) at which it came.

    Raises:
        KeyError, ValidationError: it is none of a topic that is known.
    """
    message = BY_NAME[record.topic].message.model_validate_json(record.value)
    return received._replace(at=at, message=message)
