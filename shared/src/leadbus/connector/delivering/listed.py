"""Which lists of ours a person is on, as far as the settings push them to the CRM's. Pure.

What a delivery knows of lists waits until a rule pushes them; being put on one that does gives the right to
create, as a sync request does.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.merging import Fact
from leadbus.connector.delivering.parts import Membership, list_of
from leadbus.connector.settings import ListRule
from leadbus.messages import ProspectUpdated


def is_wanted(rule: ListRule, membership: Membership) -> bool:
    """Whether the CRM is to hear of it."""
    return rule.push.add if membership.member else rule.push.remove


def begin(delivery: Delivery, rules: Mapping[str, ListRule], at: datetime, fact: Fact | None = None) -> None:
    """Memberships of lists that are pushed become due, or are dealt with where their rule does not want them.

    rules: by the list here. at: since when they wait. fact: merged just now; being put on a list gives its
    right also if it came after what took the person off again.
    """
    if isinstance(fact, ProspectUpdated):
        put_on = [rules.get(one.list_id) for one in fact.lists if one.member]
        if any(rule is not None and rule.push.add for rule in put_on):
            delivery.put_on_list(Membership(True, None, fact.occurred_at, fact.event_id), at)
    for name, membership in list(delivery.memberships.items()) if rules else ():
        rule = rules.get(list_of(name) or "")
        if rule is None or not (membership.pending and membership.waits):
            continue
        wanted = is_wanted(rule, membership)
        delivery.memberships[name] = replace(membership, waits=False, pending=wanted)
        if wanted and membership.member:
            delivery.put_on_list(membership, at)
    if delivery.is_due:
        delivery.due_since = delivery.due_since or at


def pushed_fields(delivery: Delivery, rules: Mapping[str, ListRule]) -> frozenset[str]:
    """Fields that a list which the person is on lets us change in records that exist."""
    on = [rules.get(list_of(name) or "") for name, m in delivery.memberships.items() if m.member]
    return frozenset(field for rule in on if rule is not None for field in rule.push_fields)
