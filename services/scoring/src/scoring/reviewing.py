"""What follows from looking at prospects at a time at which nothing came, as effects of a transaction."""

from collections.abc import Callable, Collection, Mapping

from leadbus.consuming.records import Effects
from leadbus.publishing import Outgoing
from scoring.connections import Connections
from scoring.cooling import review
from scoring.emission import qualified, scored
from scoring.prospect import Key, Prospect
from scoring.qualification import cooled_for
from scoring.rules import Rules
from scoring.score import rounded
from scoring.store import ProspectStore


def reviewed(
    store: ProspectStore,
    prospects: Collection[Prospect],
    rules: Mapping[str, Rules],
    connections: Connections,
    now: int,
    change: Callable[[Prospect], bool] = lambda prospect: False,
) -> Effects:
    """Reviews prospects at `now` (ms), by their tenants' rules; `change` is done to each before, and says
    whether it did anything."""
    writing = store.writing()
    publish: list[Outgoing] = []
    stale: set[Key] = set()
    for prospect in prospects:
        tenant = prospect.key.tenant_id
        before, cools_at = _told(prospect), prospect.cools_at
        changed = change(prospect)
        at = max(now, prospect.at)
        crossed = review(prospect, connections.for_tenant(tenant), rules[tenant], at)
        told = _told(prospect) != before
        if not (changed or crossed or told or prospect.cools_at != cools_at):
            continue
        if crossed or told:
            prospect.version += 1
        if told:
            publish.append(scored(prospect, prospect.score_at(at, rules[tenant]), at, None))
        publish += [
            qualified(prospect, connection, number, millipoints, prospect.version, at, None)
            for connection, number, millipoints in crossed
        ]
        writing.add(prospect)
        stale.add(prospect.key)
    return Effects(writing.write, publish, stale) if stale else Effects()


def _told(prospect: Prospect) -> tuple[list[str], list[int]]:
    scores = [prospect.score, *(named.score for named in prospect.named.values())]
    return cooled_for(prospect), [rounded(score) for score in scores]
