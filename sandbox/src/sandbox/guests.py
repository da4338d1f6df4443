"""A list that is kept in sync: upstream puts people on it here, a salesperson changes it there."""

from dataclasses import dataclass
from typing import cast

from sandbox.cast import AURORA
from sandbox.crms.sugar import Sugar
from sandbox.judge.topics import Heard, Listener
from sandbox.stack import Stack
from sandbox.waiting import once


@dataclass(frozen=True, slots=True)
class Edits:
    """What was done by hand. pushed: how many people Leadbus had put on it. off, on: emails of people."""

    pushed: int = 0
    off: str | None = None
    on: str | None = None

    def heard(self, heard: Heard) -> tuple[bool, bool]:
        """Whether the topic has told of the one taken off, and of the one put on."""
        told = heard.of("crm.lists")
        removed = {member["email"] for change in told for member in change["removed"]}
        added = {member["email"] for change in told for member in change["added"]}
        return self.off in removed, self.on in added


async def edit(stack: Stack) -> Edits:
    """Takes somebody off whom Leadbus has put on, and puts somebody else on."""
    crm = cast(Sugar, stack.crms[AURORA.id])
    there = await once(bool, crm.on_list)
    people = [r for r in (await crm.tables()).records if r.emails and r.became is None]
    off = next((person for person in people if person.id in there), None)
    on = next((person for person in people if person.id not in there), None)
    if off and on:
        await crm.put_on_list(off, off=True)
        await crm.put_on_list(on)
        return Edits(len(there), off.emails[0], on.emails[0])
    return Edits(len(there))


async def heard_of(edits: Edits, listener: Listener) -> tuple[bool, bool]:
    """See `Edits.heard`; waits a while for both."""

    async def look() -> tuple[bool, bool]:
        return edits.heard(await listener.listen())

    return await once(all, look)
