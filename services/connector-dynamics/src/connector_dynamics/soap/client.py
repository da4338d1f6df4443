"""Calls of the organisation service: within the organisation's limits, measured, failures by `faults`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connector_dynamics import faults, http
from connector_dynamics.http import LARGE, OnCall, Reply, Request
from connector_dynamics.organisations import Shared
from connector_dynamics.soap.decoding import Fault, decode
from connector_dynamics.soap.encoding import Message, encode
from connector_dynamics.soap.names import ACTION
from leadbus.errors import LeadbusError

PATH = "/XRMServices/2011/Organization.svc/web"
_HEADERS: Mapping[str, str] = {
    "Content-Type": "text/xml; charset=utf-8",
    "Accept": "text/xml",
    "SOAPAction": f'"{ACTION}"',
}
_UNREADABLE = (etree.LxmlError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Client:
    """One organisation's service. address: the organisation's."""

    address: str
    shared: Shared
    on_call: OnCall | None = None

    async def execute(
        self, message: Message, *, writing: bool = False, traces: Sequence[bytes | None] = ()
    ) -> tuple[Mapping[str, Any], Reply]:
        """The results by name. Raises LeadbusError by `faults`."""
        trace = next(filter(None, traces), None)
        headers = {**_HEADERS, **({"traceparent": trace.decode("ascii")} if trace else {})}
        request = Request("POST", self.address + PATH, headers, encode(message), writing)
        with http.measured(self.on_call, message.name, traces):
            async with self.shared.limiter.slot():
                reply = await self.shared.channel.send(request)
                found = await _results(reply, writing=writing)
                if isinstance(found, Fault):
                    raise found.error(writing=writing)
            return found, reply


async def _results(reply: Reply, *, writing: bool) -> Mapping[str, Any] | Fault:
    if "xml" not in reply.headers.get("Content-Type", "") or reply.status not in {200, 400, 500}:
        raise _of_status(reply, writing=writing)
    try:
        if len(reply.content) > LARGE:
            return await asyncio.to_thread(decode, reply.content)
        return decode(reply.content)
    except _UNREADABLE:
        # The parsers quote the answer, and with it people's data.
        raise faults.UNREADABLE.error(writing=writing) from None


def _of_status(reply: Reply, *, writing: bool) -> LeadbusError:
    return faults.of_status(reply.status, reply.headers.get("Retry-After"), writing=writing)
