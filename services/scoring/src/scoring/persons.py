"""Under which prospect ids one person is known."""

from leadbus.ids import prospect_id_of
from scoring.prospect import Key
from scoring.store import ProspectStore

MOST_STEPS = 10
"""From alias to alias: a visitor, an old email, a newer one, and so on."""


async def same_person(prospects: ProspectStore, key: Key) -> tuple[str, ...]:
    """All ids of whom `key` names, its aliases first and the person last; `key` alone if nothing is known."""
    found = {key.prospect_id: None}
    for _ in range(MOST_STEPS):
        known = (await prospects.load([key])).get(key)
        if known is None or known.person is None:
            break
        key = key._replace(prospect_id=known.person.person)
        found[key.prospect_id] = None
    known = (await prospects.load([key])).get(key)
    more = {prospect_id_of(key.tenant_id, name) for name in (known.aliases if known else ())}
    for _ in range(MOST_STEPS):
        found |= dict.fromkeys(more)
        # A person knows its newest aliases; each alias knows whose it is.
        more = await prospects.linked_to(key.tenant_id, found) - found.keys()
        if not more:
            break
    return (*(name for name in found if name != key.prospect_id), key.prospect_id)
