"""What people do when everything has arrived, and what comes of it: answers, lists, campaigns, mails."""

from collections import Counter
from typing import Any

from sandbox import guests, supplier
from sandbox.cast import AURORA, CONNECTIONS, NORTH
from sandbox.crms.sugar import GUESTS
from sandbox.judge.topics import Listener
from sandbox.place import Place
from sandbox.salesperson import STATUS
from sandbox.showing import Show
from sandbox.stack import Stack
from sandbox.upstream.account import Account
from sandbox.upstream.traffic import CAMPAIGN_NAME
from sandbox.waiting import once

_SHOWN = 4


class Afterwards:
    """`act`, and when that has arrived `show`. faults: a sentence for each thing that did not."""

    def __init__(self, stack: Stack, place: Place, account: Account, listener: Listener) -> None:
        self._stack, self._place, self._account, self._listener = stack, place, account, listener
        self._edits = guests.Edits()
        self._accepted: str | None = None
        self.faults: list[str] = []

    async def act(self) -> None:
        """Accepts a lead by the link in its mail, and changes a list by hand."""
        worked = self._account.notes(STATUS)
        records = (await self._stack.crms[AURORA.id].tables()).records
        emails = {email for record in records if record.id in worked for email in record.emails}
        self._accepted = await supplier.accept(self._stack, emails)
        self._edits = await guests.edit(self._stack)

    async def show(self, show: Show) -> None:
        """All of it."""
        await self._show_feedback(show)
        await self._show_list(show)
        await self._show_campaigns(show)
        self._show_mails(show)

    async def _show_feedback(self, show: Show) -> None:
        """What the supplier reads by API, with a key of its own."""
        told = await supplier.feedback(self._stack, await supplier.supplier_key(self._stack, self._place))
        self._expect(
            any(map(supplier.accepted_by_mail, told)), "the supplier did not hear that its lead was accepted"
        )
        self._expect({one["supplier_id"] for one in told} <= {NORTH.id}, "the supplier read others' leads")
        told.sort(key=lambda one: (not supplier.accepted_by_mail(one), -len(one["statuses"])))
        rows = [(one["distribution_id"], one["tenant_id"], *_feedback(one)) for one in told[:_SHOWN]]
        if self._accepted:
            show.line(f"A lead owner accepted a lead by the link in the mail: {self._accepted}")
        title = f"What {NORTH.name} reads of its {len(told)} leads, by API, with a key of its own"
        columns = ("distribution", "tenant", "state", "status", "opportunities", "activities")
        show.table(title, columns, rows)

    async def _show_list(self, show: Show) -> None:
        off, on = await guests.heard_of(self._edits, self._listener)
        self._expect(self._edits.pushed > 0, "nobody was put on the list in the CRM")
        self._expect(off and on, "the list was changed by hand, which was not heard")
        rows = [
            ("put on the list here, and by Leadbus on the CRM's", self._edits.pushed),
            ("taken off the CRM's by a salesperson, and heard here", int(off)),
            ("put on the CRM's by a salesperson, and heard here", int(on)),
        ]
        show.table(f"The list {GUESTS}, kept in sync by {CONNECTIONS[0].id}", ("", "people"), rows)

    async def _show_campaigns(self, show: Show) -> None:
        """The campaign in each CRM, and how many people are in it."""
        rows = []
        for connection in CONNECTIONS:
            found = await self._campaign(connection.id, self._stack.crms[connection.tenant].connector)
            title = self._stack.crms[connection.tenant].title
            self._expect(bool(found.get("members")), f"nobody is in the campaign by {connection.id}")
            rows.append((connection.id, title, found.get("members", 0)))
        columns = ("connection", "CRM", "people put in it")
        show.table(f"The campaign {CAMPAIGN_NAME}, made once in each CRM", columns, rows)

    async def _campaign(self, connection: str, connector: str) -> dict[str, Any]:
        """As the connector tells of it, once it has members, or after a while; empty if there is none."""
        path = f"/v1/connections/{connection}/campaigns"

        async def look() -> dict[str, Any]:
            told = (await self._stack.running.ask(connector, "GET", path))["campaigns"]
            return next((one for one in told if one["name"] == CAMPAIGN_NAME), {})

        return await once(lambda found: bool(found.get("members")), look)

    def _show_mails(self, show: Show) -> None:
        """How many mails each person got, and the last one."""
        mails = self._stack.mail.mails()
        counted = Counter(mail.to[0] for mail in mails)
        newest = {mail.to[0]: mail.subject for mail in reversed(mails)}
        rows = [(to, count, newest[to]) for to, count in sorted(counted.items())]
        show.table(f"Mails, in the inbox at {self._stack.mail.page}", ("to", "mails", "the last one"), rows)

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.faults.append(otherwise)


def _feedback(told: dict[str, Any]) -> tuple[str, str, int, int]:
    answer = told["answer"]
    state = f"{told['state']}, by {answer['by']}" if answer else told["state"]
    newest = told["statuses"][0] if told["statuses"] else {}
    status = newest.get("lead_status") or newest.get("status") or ""
    return state, status, len(told["opportunities"]), len(told["activities"])
