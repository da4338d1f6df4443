"""Takes items in: validates, stamps, publishes, and says what became of each."""

import logging
from collections import Counter, OrderedDict
from collections.abc import Sequence

from ingest.items import Fault, Item, Result, Status
from ingest.limits import InFlight
from ingest.stamping import Receipt, Stamped, stamp
from ingest.tracing import RequestTrace
from ingest.validation import validate
from leadbus.errors import LeadbusError, Rejected, Transient
from leadbus.publishing import TRACEPARENT, Header, Outgoing, Publisher
from leadbus.telemetry import Telemetry, names

log = logging.getLogger(__name__)

MOST_REMEMBERED = 100_000
_CONTENT_TYPE: Header = ("content-type", b"application/json")
_NOT_SENT = Fault("", "Kafka did not acknowledge it in time; send it again", "not_acknowledged")


class Seen:
    """The sender's event ids of one request, the last 100,000 of them: a stream may be endless."""

    def __init__(self) -> None:
        self._ids: OrderedDict[tuple[str, str], None] = OrderedDict()

    def again(self, stamped: Stamped) -> bool:
        """Whether the same id of the same input came before in this request."""
        if not stamped.named:
            return False
        mark = (stamped.input.name, stamped.message.event_id)
        if mark in self._ids:
            return True
        self._ids[mark] = None
        if len(self._ids) > MOST_REMEMBERED:
            self._ids.popitem(last=False)
        return False


class Intake:
    """From items to results, one instance per process."""

    def __init__(self, publisher: Publisher, in_flight: InFlight, telemetry: Telemetry) -> None:
        self._publisher = publisher
        self._in_flight = in_flight
        self._items = telemetry.counter(names.INGEST_ITEMS)
        self._sent = telemetry.counter(names.MESSAGES_SENT)
        self._waiting = telemetry.gauge(names.INGEST_IN_FLIGHT)

    def refusal(self, items: int) -> str | None:
        """Why so many cannot be taken now; ask before `take`."""
        return self._in_flight.refusal(items)

    async def take(
        self, receipt: Receipt, items: Sequence[Item], seen: Seen, trace: RequestTrace
    ) -> list[Result]:
        """A result per item, in order; `accepted` only after every in-sync replica has it."""
        results: list[Result] = []
        sending: list[tuple[Result, Stamped]] = []
        for item in items:
            stamped = self._stamped(receipt, item)
            if stamped is None:
                results.append(Result(item.index, Status.REJECTED, errors=item.faults))
                continue
            status = Status.DUPLICATE if seen.again(stamped) else Status.ACCEPTED
            result = Result(item.index, status, stamped.message.event_id, stamped.prospect_id)
            results.append(result)
            if status is Status.ACCEPTED:
                sending.append((result, stamped))
        if sending:
            await self._send(sending, trace)
        self._count(items, results)
        return results

    def _stamped(self, receipt: Receipt, item: Item) -> Stamped | None:
        body = validate(item)
        if body is None or item.input is None:
            return None
        return stamp(receipt, item, item.input, body)

    async def _send(self, sending: Sequence[tuple[Result, Stamped]], trace: RequestTrace) -> None:
        traceparents = trace.begin([stamped for _, stamped in sending])
        records = [
            _record(stamped, traceparent)
            for (_, stamped), traceparent in zip(sending, traceparents, strict=True)
        ]
        outcomes = await self._publish(records)
        trace.end(outcomes)
        acknowledged: Counter[tuple[str, str]] = Counter()
        for (result, stamped), error in zip(sending, outcomes, strict=True):
            acknowledged[stamped.input.topic.name, "failed" if error else "ok"] += 1
            if isinstance(error, Rejected):
                result.status = Status.REJECTED
                result.errors = [Fault("", str(error), "too_large")]
            elif error:
                result.status = Status.FAILED
                result.errors = [_NOT_SENT]
        for (topic, outcome), count in acknowledged.items():
            self._sent.add(count, {names.DESTINATION: topic, names.OUTCOME: outcome})

    async def _publish(self, records: Sequence[Outgoing]) -> Sequence[LeadbusError | None]:
        ticket = self._in_flight.enter(len(records))
        self._waiting.set(self._in_flight.items)
        try:
            return await self._publisher.publish(records)
        except Exception:  # whatever it was, the truth for the sender is that nothing was acknowledged
            log.exception("publishing failed")
            return [Transient("The records could not be published.")] * len(records)
        finally:
            self._in_flight.leave(ticket)
            self._waiting.set(self._in_flight.items)

    def _count(self, items: Sequence[Item], results: Sequence[Result]) -> None:
        counts = Counter(
            (item.input.name if item.input else "unknown", result.status.value)
            for item, result in zip(items, results, strict=True)
        )
        for (name, outcome), count in counts.items():
            self._items.add(count, {names.INPUT: name, names.OUTCOME: outcome})


def _record(stamped: Stamped, traceparent: bytes | None) -> Outgoing:
    headers = (_CONTENT_TYPE, (TRACEPARENT, traceparent)) if traceparent else (_CONTENT_TYPE,)
    return Outgoing(stamped.input.topic.name, stamped.message.key.encode(), stamped.value, headers)
