"""One CRM in trouble, another one well: the well one notices nothing, and the other gets everything once."""

import asyncio
import time

from rig.installation import Installation
from rig.tenant import Tenant

from leadbus.testing.waiting import until
from sandbox.sugar import desk

PROMPT = 15.0
"""Seconds: fewer than a CRM that hangs is waited for; more than on a machine with nothing else to do."""
FORM = ("telequalification", "form_submission", "web_view")


async def test_a_crm_that_is_well_gets_its_leads_promptly_while_others_fail_and_those_get_all_once_later(
    ours: Installation,
) -> None:
    well, dying, hanging, forgetful = await asyncio.gather(*(ours.tenant() for _ in range(4)))
    dying.crm.faults.add("http_500")
    hanging.crm.faults.add("hang")
    # It writes, and does not say so: each new record and some notes.
    forgetful.crm.faults.add("lost_reply_after_write", module="Leads", times=2)
    forgetful.crm.faults.add("lost_reply_after_write", module="Notes", times=2)
    ill = (dying, hanging, forgetful)
    await asyncio.gather(*(send(tenant) for tenant in (well, *ill)))
    for tenant in ill:
        await until(lambda t=tenant: t.crm.faults.rules[0].struck, "the trouble")
    for _ in range(3):
        began = time.monotonic()
        (email,) = well.people(1)
        await well.post("distributions", [well.distribution(email)])
        await until(lambda e=email: e in emails(well), "the lead", PROMPT)
        assert time.monotonic() - began < PROMPT
    assert emails(dying) == emails(hanging) == set()
    for tenant in (dying, hanging):
        tenant.crm.faults.clear()
    await ours.until_drained()
    for tenant in (well, *ill):
        await tenant.judge()
    assert all(rule.struck == rule.times for rule in forgetful.crm.faults.rules)


async def send(tenant: Tenant) -> None:
    people = tenant.people(6)
    await tenant.post("distributions", [tenant.distribution(person) for person in people[:4]])
    await tenant.post("events", [tenant.event(person, type) for person in people[2:] for type in FORM])


def emails(tenant: Tenant) -> set[str]:
    return {row["email"] for row in desk.records(tenant.crm.store, "Leads")}
