"""Telling the owners of notification channels what has changed: one POST for a call's changes of a kind.

Source: samples of the contract notes. Each is sent once, in no order, and whatever comes of it; who made the
change does not matter. Assumed: `notify_on_related_action` means that people are told of as updated when the
record of their company is.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from urllib.parse import parse_qsl, urlsplit

import httpx

from .channels import Channel, Channels
from .rendering import shown
from .site import Site
from .store import Change, Row

_SECONDS = 5.0
_AT_ONCE = 8
_OPERATIONS = {"create": "insert", "edit": "update", "delete": "delete"}
_PEOPLE = ("Leads", "Contacts")
_COMPANY = "Account_Name"


@cache
def _tls() -> ssl.SSLContext:
    """One for all simulators of a process, as making one takes long."""
    return ssl.create_default_context()


class Callbacks:
    """Hears of the changes of a site's records while it runs. sent: callbacks so far, answered or not."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._channels = Channels(site.store)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._sending = set[asyncio.Task[None]]()
        self._http: httpx.AsyncClient | None = None
        self.sent = 0

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._site.store.watchers.append(self._changed)

    async def stop(self) -> None:
        """What is not sent yet never will be."""
        if self._loop is None:
            return
        self._loop = None
        self._site.store.watchers.remove(self._changed)
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    def _changed(self, changes: list[Change]) -> None:
        """After a call; also from a thread, where somebody uses the desk in one."""
        if self._loop is None or self._site.callbacks_dropped:
            return
        for channel in self._channels.live():
            for url, body in self._bodies(channel, changes):
                self._loop.call_soon_threadsafe(self._post, url, json.dumps(body))

    def _bodies(self, channel: Channel, changes: Sequence[Change]) -> Iterable[tuple[str, Row]]:
        wanted = [
            change
            for change in [*changes, *(self._of_companies(changes) if channel.related else ())]
            if change.module == channel.module and channel.wants(change.event, change.fields)
        ]
        for event, same in groupby(wanted, lambda change: change.event):
            yield channel.url, self._body(channel, event, list(same))

    def _body(self, channel: Channel, event: str, changes: Sequence[Change]) -> Row:
        edited = event == "edit"
        values = [self._values(change) for change in changes] if edited else []
        return {
            "server_time": self._site.store.now_ms(),
            **({"affected_values": values} if channel.with_values and event != "delete" else {}),
            "query_params": dict(parse_qsl(urlsplit(channel.url).query)),
            "module": channel.module,
            "resource_uri": f"{self._site.url}/crm/v8/{channel.module}",
            "ids": [change.id for change in changes],
            "affected_fields": [{change.id: list(change.fields)} for change in changes] if edited else [],
            "operation": _OPERATIONS[event],
            "channel_id": channel.channel,
            "token": channel.token,
        }

    def _values(self, change: Change) -> Row:
        store, user = self._site.store, self._site.primary
        record = store.get(change.module, change.id)
        module = store.modules[change.module]
        [row] = shown(self._site, user, module, [record] if record else [], change.fields) or [{}]
        row.pop("id", None)
        return {"record_id": change.id, "values": row}

    def _of_companies(self, changes: Iterable[Change]) -> list[Change]:
        """The people of the companies that were edited."""
        where = f"module = ? AND deleted IS NULL AND json_extract(body, '$.{_COMPANY}') = ?"
        return [
            Change("edit", person.module, person.id, change.by, (_COMPANY,))
            for change in changes
            if change.module == "Accounts" and change.event == "edit"
            for module in _PEOPLE
            for person in self._site.store.find(where, (module, change.id))
        ]

    def _post(self, url: str, body: str) -> None:
        task = asyncio.create_task(self._sent(url, body))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _sent(self, url: str, body: str) -> None:
        async with self._turns:
            if self._http is None:  # making one takes 20 ms
                self._http = httpx.AsyncClient(timeout=_SECONDS, trust_env=False, verify=_tls())
            self.sent += 1
            headers = {"content-type": "application/json;charset=UTF-8"}
            with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL):
                await self._http.post(url, content=body, headers=headers)
