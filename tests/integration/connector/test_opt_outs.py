"""Opt-outs on their way to the CRM: none is lost, none is taken back but by the person itself."""

from leadbus.messages import ProspectUpdated, Record, Subscription, SubscriptionChanged
from leadbus.topics import CRM_DELIVERIES, CRM_SUBSCRIPTIONS
from sandbox.sugar import desk

ANN, BOB = "ann@example.com", "bob@example.com"


def updated(bench, email, *, at=0.0, **facts):
    envelope = bench._envelope(email, None, at)
    return ProspectUpdated(**envelope, received_at=envelope["occurred_at"], **facts)


def word(bench, email, status, *, explicit=False, at=0.0):
    said = bench._envelope(email, None, at)["occurred_at"]
    subscription = Subscription(status=status, at=said, source="form", explicit=explicit)
    return updated(bench, email, at=at, subscription=subscription)


def opted_out(crm, module="Leads"):
    """By email, of the module's records: the flag is the address's, whoever has it."""
    addresses = crm.store.rows("SELECT * FROM email_addresses")
    flags = {row["email_address"]: bool(row["opt_out"]) for row in addresses}
    return {row["email"]: flags[row["email"]] for row in desk.records(crm.store, module)}


async def test_an_opt_out_reaches_the_record_that_is_there_and_creates_none(bench, crm, leads, until):
    desk.create(crm.store, "Leads", {"last_name": "N", "email1": ANN})
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(word(bench, ANN, "opted_out"), word(bench, BOB, "opted_out"))
    await bench.settled(ANN, BOB)
    assert opted_out(crm) == {ANN: True}
    (report,) = bench.told(CRM_DELIVERIES)
    assert (report.outcome, report.record) == (
        "updated",
        None,
    )  # written, but not ours to write activities to


async def test_an_opt_out_reaches_a_target_and_the_lead_made_beside_it_is_made_once(bench, crm, leads, until):
    desk.create(crm.store, "Prospects", {"last_name": "N", "email1": ANN})
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(word(bench, ANN, "opted_out"))
    await bench.settled(ANN)
    assert opted_out(crm, "Prospects") == {ANN: True}
    for distribution in ("d1", "d2"):
        await bench.feed(bench.distributed(ANN, distribution))
        await bench.settled(ANN)
    assert opted_out(crm) == {ANN: True}
    await until(lambda: bench.outcomes()[1:] == ["created", "updated"])


async def test_who_opted_out_before_there_was_a_record_is_opted_out_in_it(bench, crm, leads, until):
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(word(bench, ANN, "opted_out"))
    await bench.settled(ANN)
    assert leads(crm) == []
    await bench.feed(bench.distributed(ANN), bench.distributed(BOB, "d2"))
    await until(lambda: bench.outcomes() == ["created", "created"])
    assert opted_out(crm) == {ANN: True, BOB: False}


class Overheard:
    """An adapter, and the people it was told to create."""

    def __init__(self, adapter, created):
        self._adapter, self._created = adapter, created

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def create(self, people):
        self._created += people
        return await self._adapter.create(people)


async def test_a_lead_made_beside_an_opted_out_target_is_opted_out_and_that_is_heard(bench, crm, until):
    desk.create(crm.store, "Prospects", {"last_name": "N", "email1": ANN, "email_opt_out": "1"})
    await bench.connect(crm)
    created = []
    await bench.pod(wrap=lambda adapter: Overheard(adapter, created))
    await bench.feed(bench.distributed(ANN), bench.distributed(BOB, "d2"))
    await until(lambda: bench.outcomes() == ["created", "created"])
    assert {new.email: new.opted_out for new in created} == {ANN: True, BOB: None}
    await bench.pull(kinds=("lead",))
    await until(lambda: bench.told(CRM_SUBSCRIPTIONS))
    (heard,) = bench.told(CRM_SUBSCRIPTIONS)
    assert (heard.email, heard.status) == (ANN, "opted_out")


async def test_whoever_unsubscribes_is_opted_out_even_if_that_makes_no_note(bench, crm, notes, did, until):
    await bench.connect(crm, event_types=["web_view"])
    await bench.pod()
    await bench.feed(bench.qualified(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    await bench.feed(bench.activities(ANN, did("News", "email_unsubscribe")))
    await until(lambda: bench.outcomes() == ["created", "updated"])
    assert opted_out(crm) == {ANN: True}
    assert notes(crm) == []


async def test_only_an_explicit_later_opt_in_takes_a_persons_opt_out_back(bench, crm, leads, until):
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    (lead,) = leads(crm)
    desk.change(crm.store, "Leads", lead["id"], {"email_opt_out": "1"})
    assert opted_out(crm) == {ANN: True}
    await bench.feed(bench.distributed(ANN, "d2"))
    await bench.settled(ANN)
    await bench.feed(word(bench, ANN, "opted_in", at=60))
    await bench.settled(ANN)
    assert opted_out(crm) == {ANN: True}
    await bench.feed(word(bench, ANN, "opted_in", explicit=True, at=120))
    await bench.settled(ANN)
    assert opted_out(crm) == {ANN: False}


async def test_a_tenants_opt_out_in_one_crm_goes_to_its_other_ones_and_not_back(bench, crm, until):
    other, names = await bench.crm(), (f"{bench.tenant}-one", f"{bench.tenant}-two")
    for server, name in zip((crm, other), names, strict=True):
        desk.create(server.store, "Leads", {"last_name": "N", "email1": ANN})
        await bench.connect(server, name)
    await bench.pod()
    heard = SubscriptionChanged(
        **bench._envelope(ANN, None, 0),
        connection_id=names[0],
        record=Record(module="Leads", id="any"),
        status="opted_out",
    )
    calls = sum(crm.calls.values())
    await bench.feed(heard)
    await bench.settled(ANN, connection=names[1])
    assert (opted_out(crm), opted_out(other)) == ({ANN: False}, {ANN: True})
    assert sum(crm.calls.values()) == calls


async def test_an_opt_out_moves_along_with_a_changed_email(bench, crm, leads, until):
    """Where the opt-out is the address's, as in SugarCRM, the new one knows nothing of it."""
    desk.create(crm.store, "Leads", {"last_name": "N", "email1": ANN})
    desk.create(crm.store, "Leads", {"last_name": "N", "email1": BOB, "email_opt_out": "1"})
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(word(bench, ANN, "opted_out"))
    await bench.settled(ANN)
    assert opted_out(crm) == {ANN: True, BOB: True}
    anew = {"new.ann@example.com": ANN, "new.bob@example.com": BOB}
    for new, old in anew.items():
        await bench.feed(updated(bench, new, at=60, previous_email=old))
        await bench.settled(new)
    assert opted_out(crm) == dict.fromkeys(anew, True)
