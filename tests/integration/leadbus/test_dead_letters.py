"""A bad record has an address, costs nobody else anything, and comes back once its cause is gone."""

import pytest

from leadbus.consuming.dead_letters import DeadLetters
from leadbus.topics import LEADS_DISTRIBUTED, MARKETING_EVENTS

SECRET = "jane.doe@example.com"
GOOD = b'{"event_id":"e","tenant_id":"acme","occurred_at":"2026-11-01T00:00:00Z","prospect_id":"p",'
POISON = {
    "empty": (b"", "empty"),
    "broken JSON": (f'{{"email": "{SECRET}"'.encode(), "invalid"),
    "invalid UTF-8": (b'{"email": "\xff\xfe"}', "invalid"),
    "unknown enum": (
        GOOD + f'"received_at":"2026-11-01T00:00:00Z","type":"{SECRET}","email":"{SECRET}"}}'.encode(),
        "invalid",
    ),
    "not an email": (
        GOOD + f'"received_at":"2026-11-01T00:00:00Z","type":"web_view","email":"{SECRET}@"}}'.encode(),
        "invalid",
    ),
    "a sender's own names": (
        GOOD
        + b'"received_at":"2026-11-01T00:00:00Z","type":"web_view",'
        + f'"properties":{{"{SECRET * 9}":1}},'.encode()
        + f'"fields":{{"custom":{{"{SECRET}":"x"}}}}}}'.encode(),
        "invalid",
    ),
    "not an object": (b"null", "invalid"),
    "very deep": (b"[" * 5_000, "invalid"),
}


async def test_a_poison_record_goes_to_the_dead_letters_and_blocks_nothing(bench):
    await bench.publish(bench.event("before"))
    for number, (value, _) in enumerate(POISON.values()):
        headers = [("note", b"kept"), ("empty", None), ("leadbus-attempts", b"1")]
        await bench.publish_raw(
            MARKETING_EVENTS, value, partition=number, key=b"k%d" % number, headers=headers
        )
        await bench.publish(bench.event(f"after{number}"))
    async with bench.running():
        await bench.until_counted(["before:0", *(f"after{n}:0" for n in range(len(POISON)))])
        dead = await bench.until_dead(MARKETING_EVENTS, len(POISON))
    by_partition = {dict(r.headers)["leadbus-origin-partition"]: r for r in dead}
    assert len(by_partition) == len(POISON)
    for number, (value, kind) in enumerate(POISON.values()):
        letter = by_partition[str(number).encode()]
        headers = dict(letter.headers)
        assert letter.value == value
        assert letter.key == b"k%d" % number
        assert headers["note"] == b"kept"
        assert headers["leadbus-origin-topic"] == b"marketing.events"
        assert headers["leadbus-error-kind"] == kind.encode()
        assert headers["leadbus-attempts"] == b"2"
        assert headers["leadbus-error"]
        assert b"jane" not in b"".join(headers.values())
        original = await bench.log_of(MARKETING_EVENTS.name)
        at = int(headers["leadbus-origin-offset"])
        assert any((r.partition, r.offset, r.value) == (number, at, value) for r in original)


@pytest.mark.parametrize("failure", [RuntimeError(SECRET), KeyError(SECRET), AssertionError()])
async def test_a_record_on_which_the_handler_fails_is_set_aside_and_its_neighbours_are_counted(
    bench, caplog, failure
):
    def fail(batch):
        if any(r.message.event_id == "same:3" for r in batch):
            raise failure

    await bench.publish(*(bench.event("same", n) for n in range(8)))
    member = bench.member()
    member.handler.before = fail
    async with bench.running(member):
        await bench.until_counted([f"same:{n}" for n in range(8) if n != 3])
        (letter,) = await bench.until_dead(MARKETING_EVENTS, 1)
    headers = dict(letter.headers)
    assert headers["leadbus-error-kind"] == type(failure).__name__.encode()
    assert headers["leadbus-origin-offset"] == b"3"
    assert headers["leadbus-attempts"] == b"1"
    assert "in fail" in caplog.text
    assert SECRET not in caplog.text


async def test_a_dead_letter_whose_cause_is_gone_is_replayed_and_counted_once(bench):
    broken = True

    def fail(batch):
        if broken and any(r.message.key.startswith("bad") for r in batch):
            raise RuntimeError

    bad = [f"bad{n}" for n in range(7)]
    await bench.publish(*map(bench.event, bad), *map(bench.distribution, bad[:3]), bench.event("good"))
    await bench.publish_raw(MARKETING_EVENTS, b"never", partition=4)
    letters = DeadLetters(
        bench.kafka.bootstrap_servers,
        "scoring",
        (MARKETING_EVENTS, LEADS_DISTRIBUTED),
        bench.publisher,
        bench.prefix,
    )
    assert await letters.list(10) == []
    member = bench.member()
    member.handler.before = fail
    async with bench.running(member):
        await bench.until_dead(MARKETING_EVENTS, 8)
        await bench.until_dead(LEADS_DISTRIBUTED, 3)
        listed = await letters.list(100)
        assert len(listed) == 11
        assert len(await letters.list(2)) == 2
        assert [x.at for x in listed] == sorted(x.at for x in listed)
        unreadable = next(x for x in listed if x.kind == "invalid")
        assert (unreadable.topic, unreadable.origin_topic) == (
            "marketing.events.scoring.dead",
            "marketing.events",
        )
        assert (unreadable.origin_partition, unreadable.origin_offset, unreadable.attempts) == (
            4,
            *at_end(listed),
        )
        assert "JSON" in unreadable.reason
        broken = False
        assert await letters.replay(3) == 3
        assert len(await letters.list(100)) + 3 in (11, 12)  # the unreadable one may be back already
        assert await letters.replay() in (8, 9)
        await bench.until_counted([*(f"{b}:0" for b in bad), *(f"{b}:d" for b in bad[:3]), "good:0"])

        async def only_the_unreadable_is_back() -> bool:
            left = await letters.list(100)
            return [x.kind for x in left] == ["invalid"] and left[0].attempts >= 2

        await bench.eventually(only_the_unreadable_is_back)
    assert await letters.replay() == 1
    assert await letters.replay() == 0
    assert await letters.list(100) == []


def at_end(listed):
    """Offset and attempts of the unreadable one: it came after what lay on its partition."""
    return next((x.origin_offset, 1) for x in listed if x.kind == "invalid")
