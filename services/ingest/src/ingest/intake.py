"""Takes items in: validates, stamps, publishes, and says what became of each."""

from collections import OrderedDict
from collections.abc import Sequence

from ingest.inputs import INPUTS
from ingest.items import STATUSES, Fault, Item, Result
from ingest.outbound import Outbound
from ingest.own_fields import Judging, OwnFields
from ingest.stamping import Receipt, Stamped, stamp
from ingest.tracing import RequestTrace
from ingest.validation import MOST_FAULTS, validate
from leadbus.errors import Rejected
from leadbus.publishing import TRACEPARENT, Header, Outgoing
from leadbus.telemetry import Telemetry, names

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
        mark = (stamped.input.name, stamped.event_id)
        if mark in self._ids:
            return True
        self._ids[mark] = None
        if len(self._ids) > MOST_REMEMBERED:
            self._ids.popitem(last=False)
        return False


class Intake:
    """From items to results, one instance per process."""

    def __init__(self, outbound: Outbound, own_fields: OwnFields, telemetry: Telemetry) -> None:
        self._outbound = outbound
        self._own_fields = own_fields
        self._items = telemetry.counter(names.INGEST_ITEMS)
        for each in INPUTS:  # told from the beginning: a rate does not see the first of what was not there
            for status in STATUSES:
                self._items.add(0, {names.INPUT: each.name, names.OUTCOME: status})

    def refusal(self, items: int) -> str | None:
        """Why so many cannot be taken now; ask before `take`."""
        return self._outbound.refusal(items)

    async def take(
        self, receipt: Receipt, items: Sequence[Item], seen: Seen, trace: RequestTrace
    ) -> list[Result]:
        """A result per item, in order; `accepted` only after every in-sync replica has it."""
        judging = await self._own_fields.of(receipt.tenant_id)
        results: list[Result] = []
        sending: list[tuple[Result, Stamped]] = []
        for item in items:
            stamped = self._stamped(receipt, item, judging)
            item.text, item.said = "", None  # what many wait with for Kafka should be little
            if stamped is None:
                results.append(Result(item.index, "rejected", errors=item.faults))
                continue
            again = seen.again(stamped)
            result = Result(
                item.index, "duplicate" if again else "accepted", stamped.event_id, stamped.prospect_id
            )
            results.append(result)
            if not again:
                sending.append((result, stamped))
        if sending:
            await self._send(sending, trace)
        self._count(items, results)
        return results

    def _stamped(self, receipt: Receipt, item: Item, judging: Judging) -> Stamped | None:
        body = validate(item)
        if body is None or item.input is None:
            return None
        item.faults = judging.faults(body)[:MOST_FAULTS]
        if item.faults:
            return None
        return stamp(receipt, item, item.input, body)

    async def _send(self, sending: Sequence[tuple[Result, Stamped]], trace: RequestTrace) -> None:
        published = [(result, each) for result, stamped in sending for each in stamped.all]
        traceparents = trace.begin([each for _, each in published])
        records = [
            _record(each, traceparent) for (_, each), traceparent in zip(published, traceparents, strict=True)
        ]
        outcomes = await self._outbound.publish(records)
        trace.end(outcomes)
        for (result, _), error in zip(published, outcomes, strict=True):
            if isinstance(error, Rejected):
                result.status = "rejected"
                result.errors = [Fault("", str(error), "too_large")]
            elif error and result.status != "rejected":
                result.status = "failed"
                result.errors = [_NOT_SENT]

    def _count(self, items: Sequence[Item], results: Sequence[Result]) -> None:
        counts: dict[tuple[str, str], int] = {}
        for item, result in zip(items, results, strict=True):
            mark = (item.input.name if item.input else "unknown", result.status)
            counts[mark] = counts.get(mark, 0) + 1
        for (name, outcome), count in counts.items():
            self._items.add(count, {names.INPUT: name, names.OUTCOME: outcome})


def _record(stamped: Stamped, traceparent: bytes | None) -> Outgoing:
    headers = (_CONTENT_TYPE, (TRACEPARENT, traceparent)) if traceparent else (_CONTENT_TYPE,)
    return Outgoing(stamped.input.topic.name, stamped.key.encode(), stamped.value, headers)
