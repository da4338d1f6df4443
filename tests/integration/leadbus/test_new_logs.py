"""A log made anew, under an old name or in another cluster, is read from its beginning; an old one is not."""

import pytest
from anew import made_anew

from leadbus.publishing import partition_for
from leadbus.topics import MARKETING_EVENTS, PARTITIONS


@pytest.mark.parametrize("count", [2, 5, 9], ids=["shorter", "as long", "longer"])
async def test_a_topic_made_anew_while_nobody_read_is_read_from_its_beginning(bench, count):
    old = [f"p:{n}" for n in range(5)]
    await bench.publish(*(bench.event("p", n) for n in range(5)))
    async with bench.running():
        await bench.until_counted(old)
    await made_anew(bench.kafka, MARKETING_EVENTS, bench.prefix)
    await bench.publish(*(bench.event("p", 100 + n) for n in range(count)))
    async with bench.running():
        await bench.until_counted(old + [f"p:{100 + n}" for n in range(count)])


@pytest.mark.parametrize("count", [2, 9], ids=["shorter", "longer"])
async def test_a_topic_made_anew_under_a_running_consumer_is_read_from_its_beginning(
    bench, count, monkeypatch
):
    monkeypatch.setattr("leadbus.consuming.consumer.METADATA_MS", 500)
    old = [f"p:{n}" for n in range(5)]
    await bench.publish(*(bench.event("p", n) for n in range(5)))
    async with bench.running():
        await bench.until_counted(old)
        await made_anew(bench.kafka, MARKETING_EVENTS, bench.prefix)
        await bench.publish(*(bench.event("p", 100 + n) for n in range(count)))
        await bench.until_counted(old + [f"p:{100 + n}" for n in range(count)])


async def test_the_offsets_of_another_cluster_are_not_believed(bench):
    row = f"{MARKETING_EVENTS.name}/{partition_for(b'p', PARTITIONS)}"
    await bench.publish(*(bench.event("p", n) for n in range(3)))
    offsets = bench.client[bench.database]["scoring.applied_offsets"]
    topic, number = row.split("/")
    await offsets.insert_one(
        {
            "_id": row,
            "topic": topic,
            "partition": int(number),
            "offset": 2,
            "latest": 2**50,
            "cluster": "another",
        }
    )
    async with bench.running():
        await bench.until_counted([f"p:{n}" for n in range(3)])
    found = await offsets.find_one({"_id": row})
    assert found["offset"] == 3
    assert found["cluster"] != "another"
