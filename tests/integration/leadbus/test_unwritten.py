"""Stores over a client that never writes: they read what is there, and what they write is dropped."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.link import Link, LinkState
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.mirror import Mirror
from leadbus.messages import Record
from leadbus.storage.mongo import connect
from leadbus.storage.unwritten import unwritten

RECORD = Record(module="Leads", id="r1")


async def test_what_is_there_is_read_and_nothing_is_written(mongodb: Any) -> None:
    client, name = connect(mongodb.url, app_name="unwritten"), f"unwritten-{uuid4().hex[:8]}"
    now = datetime.now(UTC).replace(microsecond=0)
    link = Link("org", "p1", "acme", RECORD, LinkState.LINKED, now, "matched", "one")
    await Links(client, name, "s").save([link])
    read = unwritten(client)
    links, mirror, deliveries = Links(read, name, "s"), Mirror(read, name, "s"), Deliveries(read, name, "s")
    assert (await links.of_prospects("org", ["p1"]))["p1"] == link
    link.state = LinkState.UNLINKED
    await links.save([link])
    await mirror.intend("one", {RECORD: {"Phone": "1"}})
    delivery = Delivery("one", "org", "acme", "p1")
    await deliveries.settle(delivery, lambda changed: changed.begun.update(n1=["e1"]))
    assert delivery.begun == {"n1": ["e1"]}
    assert (await Links(client, name, "s").of_prospects("org", ["p1"]))["p1"].state is LinkState.LINKED
    for name_of_one in ("aggregate", "find_one_and_update", "drop", "watch"):
        with pytest.raises(AttributeError, match="may write"):
            getattr(read[name]["s.links"], name_of_one)
    assert await client[name].list_collection_names() == ["s.links"]
    await client.drop_database(name)
    await client.close()
