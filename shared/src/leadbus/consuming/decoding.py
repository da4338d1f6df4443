"""One Kafka record at a time: readable, misplaced, or a dead letter. One bad record costs nobody else."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from leadbus.consuming.records import Received
from leadbus.errors import Undecodable
from leadbus.messages import Message
from leadbus.publishing import TRACEPARENT, Header, Outgoing, partition_for
from leadbus.topics import BY_NAME, Topic

ATTEMPTS = "leadbus-attempts"
ORIGIN_TOPIC = "leadbus-origin-topic"
ORIGIN_PARTITION = "leadbus-origin-partition"
ORIGIN_OFFSET = "leadbus-origin-offset"
ERROR_KIND = "leadbus-error-kind"
ERROR = "leadbus-error"
OURS = frozenset({ATTEMPTS, ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, ERROR_KIND, ERROR})
"""The headers that a dead letter has more than the record it was."""


class Raw(NamedTuple):
    """A record as Kafka gave it; `topic` is the registry's name, without an installation's prefix."""

    topic: str
    record: "ConsumerRecord[bytes, bytes]"

    @property
    def headers(self) -> tuple[Header, ...]:
        """Kafka knows headers without a value; we read them as empty."""
        return tuple((name, value or b"") for name, value in self.record.headers)


def decode(raw: Raw) -> Received | Outgoing:
    """The message; or, if the record stands on another partition than its key's, the record to forward.

    Raises:
        Undecodable: no retry will read it; the text names the field, never its value.
    """
    topic = BY_NAME[raw.topic]
    record = raw.record
    message = _message(topic, record.value)
    key = message.key.encode()
    if partition_for(key, topic.partitions) != record.partition:
        return Outgoing(raw.topic, key, record.value, raw.headers)
    traceparent = _traceparent(record.headers)
    return Received(raw.topic, record.partition, record.offset, record.timestamp, message, traceparent)


def _traceparent(headers: Iterable[tuple[str, bytes | None]]) -> bytes | None:
    for name, value in headers:
        if name == TRACEPARENT:
            return value
    return None


def _message(topic: Topic, value: bytes | None) -> Message:
    if not value:
        raise Undecodable("The record is empty.", "empty")
    try:
        return topic.message.model_validate_json(value)
    except ValidationError as error:
        raise Undecodable(_reasons(error, topic), "invalid") from None


def _reasons(error: ValidationError, topic: Topic) -> str:
    """Which fields, and why; without what they held, which may be personal, the senders' own names too."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    ours = _field_names(topic)

    def name(part: str | int) -> str:
        return str(part) if isinstance(part, int) or part in ours else "*"

    return "; ".join(f"{'.'.join(map(name, d['loc'])) or 'body'}: {d['msg']}" for d in details[:5])


@cache
def _field_names(topic: Topic) -> frozenset[str]:
    """The names that the message and its parts declare."""
    schema = topic.message.model_json_schema()
    objects = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for each in objects for name in each.get("properties", {}))


def dead_letter(raw: Raw, consumer: str, error: Exception) -> Outgoing:
    """The record as it came, on the consumer's own dead-letter topic, with where it stood and why."""
    kind = error.kind if isinstance(error, Undecodable) else type(error).__name__
    text = str(error) if isinstance(error, Undecodable) else "The handler failed on this record; see the log."
    reasons: tuple[Header, ...] = (
        (ORIGIN_TOPIC, raw.topic.encode()),
        (ORIGIN_PARTITION, str(raw.record.partition).encode()),
        (ORIGIN_OFFSET, str(raw.record.offset).encode()),
        (ERROR_KIND, kind.encode()),
        (ERROR, text[:500].encode()),
        (ATTEMPTS, str(attempts(raw.headers) + 1).encode()),
    )
    kept = tuple(header for header in raw.headers if header[0] not in OURS)
    topic = BY_NAME[raw.topic].dead_letters_of(consumer)
    return Outgoing(topic, raw.record.key or b"", raw.record.value or b"", kept + reasons)


def key_of(topic: str, record: "ConsumerRecord[bytes, bytes]") -> bytes:
    """The key that the message itself names; the record's own where it cannot be read."""
    try:
        return _message(BY_NAME[topic], record.value).key.encode()
    except Undecodable:
        return record.key or b""


def attempts(headers: Sequence[Header]) -> int:
    """How often a record has been tried and failed before."""
    found = next((value for name, value in headers if name == ATTEMPTS), b"0")
    return int(found[:9]) if found.isdigit() else 0
