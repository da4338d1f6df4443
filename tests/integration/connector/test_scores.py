"""The score of linked records: at most once an hour, after everything else, and first to wait for credits."""

from dataclasses import replace
from datetime import timedelta

from sandbox.sugar import desk

ANN, BOB = "ann@example.com", "bob@example.com"
FIELD = "lead_score_c"


def score_of(leads, crm, email):
    return next(lead[FIELD] for lead in leads(crm) if lead["email"] == email)


async def an_hour_passes(bench, email):
    """The last score of the person's record was written long ago."""
    delivery = await bench.delivery(email)

    def earlier(found):
        found.score = replace(found.score, at=found.score.at - timedelta(hours=1))

    await bench.desk.deliveries.settle(delivery, earlier)


async def test_a_score_follows_up_and_down_once_an_hour_without_any_right_to_create(bench, crm, leads, until):
    await bench.connect(crm, score_field=FIELD)
    await bench.pod()
    await bench.feed(bench.qualified(ANN, score=60))
    await bench.settled(ANN)
    for version, score in ((2, 90), (3, 20)):
        await bench.feed(bench.scored(ANN, score, version))
        assert (await bench.delivery(ANN)).score_due_at is not None
        before = crm.calls.total()
        await bench.feed(bench.scored(BOB, 40, version))  # nobody's record
        assert crm.calls.total() == before
        await an_hour_passes(bench, ANN)
        await until(lambda score=score: score_of(leads, crm, ANN) == score)
    assert bench.outcomes() == ["created"]
    history = [hop.what for hop in (await bench.delivery(ANN)).history]
    assert len(history) == 1  # scores fill nobody's journey


async def test_a_score_goes_with_what_is_written_anyway_and_starts_the_hour_anew(bench, crm, leads, until):
    await bench.connect(crm, score_field=FIELD, marketing_automation={"field_updates": True})
    await bench.pod()
    await bench.feed(bench.qualified(ANN, score=60))
    await bench.settled(ANN)
    await an_hour_passes(bench, ANN)
    await bench.feed(bench.activities(ANN, score=70, phone="555"))
    await bench.settled(ANN)
    assert (score_of(leads, crm, ANN), leads(crm)[0]["phone_work"]) == (70, "555")
    assert (await bench.delivery(ANN)).score_due_at is None


async def test_the_score_of_a_record_that_is_gone_costs_one_look_and_no_more(bench, crm, leads, until):
    await bench.connect(crm, score_field=FIELD)
    await bench.pod()
    await bench.feed(bench.qualified(ANN, score=60))
    await bench.settled(ANN)
    desk.change(crm.store, "Leads", leads(crm)[0]["id"], {"deleted": "1"})
    for version, score in ((2, 90), (3, 20)):
        await bench.feed(bench.scored(ANN, score, version))
        if version == 2:
            await an_hour_passes(bench, ANN)

        async def at_rest():
            return (await bench.delivery(ANN)).score_due_at is None

        await until(at_rest)
    assert leads(crm) == []


async def test_a_field_for_the_score_that_is_given_later_is_filled_for_every_linked_record(
    bench, crm, leads, until
):
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(bench.qualified(ANN, score=60), bench.qualified(BOB, score=70))
    await bench.settled(ANN, BOB)
    await bench.feed(bench.scored(BOB, 30, 2))
    other = "account_description"  # any field that holds a number will do
    for field in (FIELD, other):
        await bench.connect(crm, score_field=field)
        await until(lambda field=field: {str(lead[field] or "") for lead in leads(crm)} == {"60", "30"})
