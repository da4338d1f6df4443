"""Leads, contacts and targets: the person as it stands, its status, its opt-out. Pure.

A prospect is told under the id of the link that the record has, else under that of its primary email.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from leadbus.connector.contract import Person, Row
from leadbus.connector.link import Link
from leadbus.connector.pulling.problems import SEVERAL_MATCHES, chosen_of, problem_of
from leadbus.connector.stores.mirror import (
    ACCOUNT,
    ACCOUNT_FACTS,
    ANY,
    CONVERTED,
    EMAIL,
    OPTED_OUT,
    OWNER,
    STATUS,
    MirrorRow,
)
from leadbus.connector.taking import statuses
from leadbus.connector.taking.fields import changed_fields
from leadbus.connector.taking.known import (
    Known,
    Taken,
    Told,
    frees,
    gone,
    is_first,
    problem_changed,
    remembered,
)
from leadbus.connector.taking.telling import about_prospect, valid_email
from leadbus.ids import prospect_id
from leadbus.messages import ContactChanged, Fields, Record, SubscriptionChanged
from leadbus.topics import CRM_CONTACTS, CRM_SUBSCRIPTIONS

UNTOLD = "untold"
"""Among `details`, of people whom the settings want nothing of: once they do, they are told as they stand."""


@dataclass(frozen=True, slots=True)
class _Prospect:
    """Whom an event is about. link: if we brought the record there, or found it."""

    id: str
    link: Link | None


def take(row: Row, known: Known) -> Taken:
    """Published: what is news. Held back: a record that makes no prospect; the mirror has it all the same."""
    if row.deleted or not isinstance(row, Person):
        return _deleted(row, known)
    before = known.before(row)
    values = {
        **row.values,
        EMAIL: row.email or "",
        STATUS: row.status or "",
        OWNER: row.owner_id or "",
        OPTED_OUT: {True: "true", False: "false", None: ""}[row.opted_out],
        ACCOUNT: row.account_id or "",
        ACCOUNT_FACTS: json.dumps(facts, sort_keys=True) if (facts := _account_facts(row, known)) else "",
        CONVERTED: row.converted_to.id if row.converted_to else "",
    }
    prospects = _prospects(row, known)
    after = remembered(row, row.kind, known, values, problem_of(row, row.kind, known))
    after.name = " ".join(filter(None, _names(row, known)))
    after.email, after.account_id = row.email, row.account_id
    # Whose a record is that we are just making, its link tells once the answer is there.
    is_early = row.record in known.made and not known.links.get(row.record.id)
    after.prospect_id = prospects[0].id if prospects and not is_early else None
    after.details = {"open": str(row.open).lower()}
    if not known.connection.settings.pull_people and not is_early:
        told = [who for who in prospects if who.link is not None]
        after.details |= {UNTOLD: "true"} if prospects and not told else {}
        prospects = told
    if row.created_at:
        after.details["created_at"] = row.created_at.isoformat()
    events = statuses.take(row, known, before) + _farewell(row, known, before, after.prospect_id)
    if after.problem is None or not after.problem.blocking:
        events += [event for who in prospects for event in _events(row, known, before, after, who)]
    elif after.problem.code == SEVERAL_MATCHES:  # whichever is taken for the person: it has opted out
        events += [event for who in prospects for event in _opt_events(row, known, before, after, who)]
    return Taken(events, after, _twins_to_read_again(row, known), frees(before, after))


def _prospects(row: Person, known: Known) -> Sequence[_Prospect]:
    links = known.links.get(row.record.id, ())
    if links:
        return [_Prospect(link.prospect_id, link) for link in links]
    email = valid_email(row.email)
    if email is None:
        return []
    found = prospect_id(known.connection.settings.tenant_id, email=email)
    return [_Prospect(found, None)]


def _events(
    row: Person, known: Known, before: MirrorRow | None, after: MirrorRow, who: _Prospect
) -> list[Told]:
    email = valid_email(row.email)
    events: list[Told] = []
    if _is_news(row, known, before, after, who):
        changed: list[object] = [after.values, after.problem.code if after.problem else None]
        at = None
        if before is not None and before.is_news(ACCOUNT_FACTS, after.values[ACCOUNT_FACTS]):
            # The person's record may be as it was: its time would make this no newer than what was told.
            account = known.accounts.get(row.account_id or "")
            changed.append(account.changed_at.isoformat() if account and account.changed_at else "")
            at = known.at
        contact = about_prospect(
            ContactChanged,
            row,
            known,
            who.id,
            who.link,
            changed,
            at=at,
            email=email,
            kind=row.kind,
            state="client" if row.kind == "contact" or row.converted_to else "prospect",
            fields=_fields(row, known),
            changed_fields=changed_fields(row, known, before, who.link),
            status=row.status,
            owner_email=known.owner_email(row.owner_id),
            account=_account(row, known),
            account_fields=_account_facts(row, known),
            converted_to=row.converted_to,
        )
        events.append((CRM_CONTACTS, contact))
    return events + _opt_events(row, known, before, after, who)


def _opt_events(
    row: Person, known: Known, before: MirrorRow | None, after: MirrorRow, who: _Prospect
) -> list[Told]:
    status = _subscription(before, after.values[OPTED_OUT])
    if status is None:
        return []
    email = valid_email(row.email)
    told = about_prospect(
        SubscriptionChanged, row, known, who.id, who.link, status, email=email, status=status
    )
    return [(CRM_SUBSCRIPTIONS, told)]


def _is_news(row: Person, known: Known, before: MirrorRow | None, after: MirrorRow, who: _Prospect) -> bool:
    """Also if what was wrong with it, such as its account, is so no longer, or something else is."""
    values = after.values
    told = {pair.theirs for pair in known.fields.pairs.get(row.kind, {}).values() if pair.read}
    told |= {STATUS, EMAIL, OWNER, ACCOUNT, ACCOUNT_FACTS, CONVERTED}
    if before is None:
        return row.record not in known.elsewhere  # the connection that has made it has told of it
    is_made = who.link is not None and who.link.made == "created"
    if before.kind is None and (is_made or row.record in known.made):
        # Its first reading: what we did not write, the CRM filled in by itself; but it converts nobody, and
        # knows of no account what we do not.
        meant = {CONVERTED: "", ACCOUNT_FACTS: ""} | before.ours
        return any(
            before.ours.get(n) != ANY and values[n] != meant[n] for n in told & meant.keys() & values.keys()
        )
    if is_first(before) or UNTOLD in before.details or problem_changed(before, after):
        return True
    linked = (link.prospect_id for link in known.links.get(row.record.id, ()))
    if before.prospect_id not in (None, who.id, *linked):
        return True  # it was somebody else's until now
    return any(before.is_news(name, values[name]) for name in told if name in values)


def _subscription(before: MirrorRow | None, now: str) -> str | None:
    """New people bring their opt-out with them; that they are not opted out says nothing."""
    meant = before.ours.get(OPTED_OUT) if before else None
    is_second = before is not None and before.problem is not None and before.problem.code == SEVERAL_MATCHES
    is_known = before is not None and (is_second or not is_first(before)) and UNTOLD not in before.details
    was = before.values.get(OPTED_OUT, "") if before is not None and is_known else ""
    if now in (was, meant):
        return None
    return {("", "true"): "opted_out", ("false", "true"): "opted_out", ("true", "false"): "opted_in"}.get(
        (was, now)
    )


def _farewell(row: Row, known: Known, before: MirrorRow | None, now: str | None) -> list[Told]:
    """The prospect that a record was until its email changed has it no longer, whatever it is now."""
    return _gone_for(row, known, before) if before is not None and before.prospect_id != now else []


def _deleted(row: Row, known: Known) -> Taken:
    before, after = known.before(row), gone(row, known)
    if after is None or before is None:
        return Taken()
    return Taken(_gone_for(row, known, before), after, set(), frees(before, after))


def _gone_for(row: Row, known: Known, before: MirrorRow) -> list[Told]:
    """Also of one that is held back now: it may have been told before that."""
    if before.kind is None or before.deleted or before.prospect_id is None:
        return []
    link = next((link for link in known.links.get(row.record.id, ())), None)
    link = link if link and link.prospect_id == before.prospect_id else None
    if UNTOLD in before.details or (link is None and not known.connection.settings.pull_people):
        return []
    contact = about_prospect(
        ContactChanged,
        row,
        known,
        before.prospect_id,
        link,
        "deleted",
        email=valid_email(before.email),
        kind=before.kind,
        state="client" if before.kind == "contact" or before.values.get(CONVERTED) else "prospect",
        deleted=True,
    )
    return [(CRM_CONTACTS, contact)]


def _fields(row: Person, known: Known) -> dict[str, object]:
    """As `Fields` takes them; a contact's company is its account's name."""
    flat = known.fields.from_crm(row.kind, row.values)
    account = known.accounts.get(row.account_id or "")
    if account is not None and account.name and not account.deleted:
        flat.setdefault("company", account.name)
    custom = {n.removeprefix("custom."): v for n, v in flat.items() if n.startswith("custom.")}
    standard = {n: v for n, v in flat.items() if n in Fields.model_fields}
    return {**standard, "custom": custom}


def _names(row: Person, known: Known) -> tuple[str, str]:
    flat = known.fields.from_crm(row.kind, row.values)
    return flat.get("first_name", ""), flat.get("last_name", "")


def _account_facts(row: Person, known: Known) -> dict[str, str]:
    account = known.accounts.get(row.account_id or "")
    return known.fields.from_crm("account", account.values) if account and not account.deleted else {}


def _account(row: Person, known: Known) -> Record | None:
    """None also for one that could not be taken in itself."""
    if not row.account_id:
        return None
    account = known.accounts.get(row.account_id)
    if account is None:
        return Record(module=known.capabilities.module_of("account"), id=row.account_id)
    return account.record if not (account.deleted or account.problem) else None


def _twins_to_read_again(row: Person, known: Known) -> set[Record]:
    """Others with this email that do not know yet which of them is the prospect's.

    And leads that a contact seen for the first time may have been: not every CRM tells so of the lead.
    """
    chosen = chosen_of(row, known)
    if chosen is None:
        return set()
    before = known.before(row)
    is_new_contact = row.kind == "contact" and (before is None or before.kind is None)
    again = set()
    for twin in known.twins.get(row.email or "", ()):
        if (twin.kind == "target") != (row.kind == "target"):
            continue
        mirrored = known.mirrored.get(twin.record)
        problem = mirrored.problem if mirrored else None
        named = problem.root if problem and problem.code == SEVERAL_MATCHES else None
        expected = None if twin.record == chosen else chosen
        became = is_new_contact and twin.kind == "lead"
        if twin.record != row.record and mirrored is not None and (became or named != expected):
            again.add(twin.record)
    return again
