"""Which campaigns and lists a prospect is part of, as far as anybody has said. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from leadbus.connector.delivering.parts import Membership, list_of, of_list
from leadbus.messages import ProspectUpdated

MOST_MEMBERSHIPS = 200
"""In campaigns, and as many on lists; of more, those that are dealt with are forgotten first, then those that
wait longest."""


def merged(memberships: Mapping[str, Membership], fact: ProspectUpdated) -> dict[str, Membership]:
    """With what a fact says of them. Lists wait until the settings want it (`listed`)."""
    at, event_id = fact.occurred_at, fact.event_id
    told = {one.campaign_id: Membership(one.member, one.response, at, event_id) for one in fact.campaigns}
    told |= {
        of_list(one.list_id): Membership(one.member, None, at, event_id, waits=True) for one in fact.lists
    }
    found = dict(memberships)
    for name, membership in told.items():
        known = found.get(name)
        if known is None or membership.rank > known.rank:
            found[name] = replace(membership, record=known.record if known else None)
    ordered = sorted(found.items(), key=lambda pair: (*_urgency(pair[1]), pair[0]))
    for of_lists in (True, False):
        names = [name for name, _ in ordered if (list_of(name) is not None) is of_lists]
        for name in names[:-MOST_MEMBERSHIPS]:
            del found[name]
    return found


def _urgency(membership: Membership) -> tuple[bool, bool, datetime]:
    return (membership.pending, membership.is_due, membership.at)
