"""Creates the topics, with the partitions and settings that the registry declares."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from leadbus.brokers import Brokers
from leadbus.errors import Transient
from leadbus.settings import ConfigurationError
from leadbus.topics import DEAD_LETTER_PARTITIONS, Topic
from leadbus.wire_names import on_wire

log = logging.getLogger(__name__)

REPLICAS = 3
IN_SYNC = {"min.insync.replicas": "2"}
"""Of those three; said of every topic that has them."""
DEAD_LETTER_CONFIG = {
    "cleanup.policy": "delete",
    "retention.ms": str(90 * 24 * 3600 * 1000),
    "max.message.bytes": str(2 * 1024 * 1024),
}
"""Kept longer than the topics themselves, because a dead letter waits for a person; and with room for the
headers that say where it stood, even if the record was as large as its topic takes."""
MOST_WAIT_SECONDS = 15.0


class WrongTopic(ConfigurationError):
    """A topic exists and is not as declared; a person has to decide, since its records' order hangs on it."""


async def provision(
    bootstrap_servers: Brokers | str, topics: Sequence[Topic], consumer: str | None = None, prefix: str = ""
) -> None:
    """Creates what is missing of `topics` and, for `consumer` (a service that reads them), its dead letters.

    Idempotent, and safe when several services do it at once. Three replicas of which two must
    acknowledge where the cluster has three brokers; else as many replicas as brokers.

    Raises:
        WrongTopic: a topic has another number of partitions than declared.
        Transient, KafkaError: no broker answers (yet).
    """
    admin = AIOKafkaAdminClient(
        **Brokers.at(bootstrap_servers).for_aiokafka(), client_id="leadbus-provisioning"
    )
    try:
        await admin.start()
        wanted = {on_wire(prefix, t.name): (t.partitions, t.config) for t in topics}
        if consumer:
            wanted |= {
                on_wire(prefix, t.dead_letters_of(consumer)): (DEAD_LETTER_PARTITIONS, DEAD_LETTER_CONFIG)
                for t in topics
            }
        await _create_missing(admin, wanted)
        _compare(wanted, await _partitions(admin, list(wanted)))
    finally:
        await admin.close()


async def _create_missing(admin: AIOKafkaAdminClient, wanted: dict[str, tuple[int, dict[str, str]]]) -> None:
    missing = set(wanted) - set(await admin.list_topics())
    if not missing:
        return
    brokers = len((await admin.describe_cluster())["brokers"])
    replicas = min(brokers, REPLICAS)
    durability = IN_SYNC if replicas == REPLICAS else {}
    answer = await admin.create_topics(
        [
            NewTopic(name, partitions, replicas, topic_configs={**durability, **config})
            for name, (partitions, config) in wanted.items()
            if name in missing
        ]
    )
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise Transient(f"Kafka did not create the topic {name} ({error.__name__}).")
    log.info("created %d topics with %d replicas", len(missing), replicas)


async def _partitions(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """How many partitions each topic has, once every one has its leaders (new ones take a moment)."""
    deadline = asyncio.get_running_loop().time() + MOST_WAIT_SECONDS
    while True:
        described: list[dict[str, Any]] = await admin.describe_topics(names)
        unready = [
            t["topic"]
            for t in described
            if t["error_code"] or not t["partitions"] or any(p["leader"] < 0 for p in t["partitions"])
        ]
        if not unready:
            return {t["topic"]: len(t["partitions"]) for t in described}
        if asyncio.get_running_loop().time() > deadline:
            raise Transient(f"Kafka has not made these topics ready: {', '.join(sorted(unready))}.")
        await asyncio.sleep(0.05)


def _compare(wanted: dict[str, tuple[int, dict[str, str]]], found: dict[str, int]) -> None:
    wrong = [
        f"{name} has {found[name]} partitions instead of {partitions}"
        for name, (partitions, _) in wanted.items()
        if found[name] != partitions
    ]
    if wrong:
        raise WrongTopic(
            f"{'; '.join(wrong)}. The number decides which records stay in order, so it is never changed:"
            " create the topic anew, or choose another LEADBUS_TOPIC_PREFIX."
        )
