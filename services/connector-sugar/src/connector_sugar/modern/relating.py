"""Rows related, and parted, by modern REST: a request for each pair, many of them in one bulk."""

from collections.abc import Sequence

from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.modern.client import ModernClient, Result
from connector_sugar.modern.requests import Answer, Request
from connector_sugar.wire import Relation
from leadbus.connector.contract import Outcome
from leadbus.connector.together import rows_per_call
from leadbus.errors import Gone, LeadbusError, Rejected


async def relate(client: ModernClient, relations: Sequence[Relation]) -> list[Outcome]:
    """An outcome for each.

    Raises:
        LeadbusError: not one of them was settled.
    """
    size = rows_per_call(CAPABILITIES, len(relations))
    results = await client.bulk([_request(relation) for relation in relations], writing=True, size=size)
    outcomes = [_outcome(r, result) for r, result in zip(relations, results, strict=True)]
    failures = [o for o in outcomes if isinstance(o, LeadbusError) and not isinstance(o, Gone | Rejected)]
    if failures and len(failures) == len(outcomes):
        raise failures[0]
    return outcomes


def _request(relation: Relation) -> Request:
    path = f"/{relation.module}/{relation.id}/link/{relation.link}/{relation.other}"
    method = "POST" if relation.on else "DELETE"
    return Request(method, path, f"{method} {relation.module}/link", traceparent=relation.traceparent)


def _outcome(relation: Relation, result: Result) -> Outcome:
    """What is parted from something that is not there is parted."""
    error = result.error(writing=True) if isinstance(result, Answer) else result
    return None if isinstance(error, Gone) and not relation.on else error
