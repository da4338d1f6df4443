"""Two members at most on one log: they join and leave, die and hang, and partitions go to and fro."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from random import Random

from exactly.member import Crashed, Fate, Member, Parts
from exactly.story import DISTRIBUTIONS, EVENTS, Story
from leadbus.consuming.decoding import Raw
from leadbus.consuming.ledger import Partition

MOST_TURNS = 400
"""Random ones; then the log is read to its end."""


class Stuck(Exception):
    """A member that nothing befalls gets nowhere."""


class Group:
    """Runs one schedule. befell: counts what happened."""

    def __init__(
        self, parts: Parts, story: Story, log: Mapping[Partition, Sequence[Raw]], befell: Counter[str]
    ) -> None:
        self._parts = parts
        self._story = story
        self._log = log
        self._befell = befell
        self._random = Random(f"schedule {story.seed}")
        self._numbers = sorted({number for _, number in log})
        self._members: list[Member] = []
        self._hanging: list[tuple[Member, asyncio.Task[None], int]] = []

    async def run(self) -> None:
        """Until all of the log is applied, and the time of the story's end has come."""
        random = self._random
        self._join()
        for turn in range(MOST_TURNS):
            await self._free(turn)
            if not self._members:
                self._join()
            if random.random() < 0.06:
                self._join_or_leave()
                continue
            awake = [m for m in self._members if not any(m is h for h, _, _ in self._hanging)]
            if not awake:
                continue
            member = random.choice(awake)
            await self._let(
                member, member.look(self._now()) if random.random() < 0.1 else member.turn(random), turn
            )
            if self._members and all(m.is_done() for m in self._members):
                break
        await self._free(None)
        await self._end()

    async def _end(self) -> None:
        for member in self._members:
            await member.bury()
        self._members = []
        self._join(calm=True)
        (last,) = self._members
        for _ in range(MOST_TURNS):
            if last.is_done():
                break
            await last.turn(self._random)
        else:
            raise Stuck("The log is never applied to its end.")
        await last.applier.look_back()
        await last.look(self._story.end)
        await last.applier.finish()

    async def _let(self, member: Member, doing: Coroutine[None, None, None], turn: int) -> None:
        """Lets a member do something, unless it dies of it, or hangs."""
        task = asyncio.create_task(doing)
        hanging = asyncio.create_task(member.fate.hanging.wait())
        await asyncio.wait([task, hanging], return_when=asyncio.FIRST_COMPLETED)
        hanging.cancel()
        if member.fate.hanging.is_set():
            self._hanging.append((member, task, turn + self._random.randint(1, 12)))
            if self._random.random() < 0.8:  # the group misses it; else nobody notices
                self._members.remove(member)
                self._share()
            return
        with suppress(Crashed):
            await task
        if member.fate.dead:
            await member.bury()
            self._members.remove(member)
            self._share()
        elif member.fate.fuse is None and self._random.random() < 0.3:
            member.fate.light()

    async def _free(self, turn: int | None) -> None:
        """Those go on that have hung long enough; None = all."""
        for each in list(self._hanging):
            member, task, until = each
            if turn is not None and turn < until:
                continue
            self._hanging.remove(each)
            member.fate.freed.set()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            member.fate.freed.clear()
            if member not in self._members:
                await member.bury()
            elif ended is not None:
                raise ended

    def _join(self, *, calm: bool = False) -> None:
        fate = Fate(self._random, self._befell)
        if calm:
            fate.fuse = None
        self._members.append(Member(self._parts, self._log, fate, (EVENTS, DISTRIBUTIONS)))
        self._share()

    def _join_or_leave(self) -> None:
        if len(self._members) == 1:
            self._befell["joined"] += 1
            self._join()
        elif not self._hanging:
            self._befell["left"] += 1
            gone = self._members.pop(self._random.randrange(2))
            gone.fate.fuse = None
            self._hanging.append((gone, asyncio.create_task(gone.applier.finish()), 0))
            self._share()

    def _share(self) -> None:
        """Each is told its partitions; one of two may learn of it late."""
        count = len(self._members)
        for place, member in enumerate(self._members):
            mine = set(self._numbers[place::count])
            if member.mine != mine:
                member.mine = mine
                member.must_begin = self._random.random() < 0.7 or not member.applier.offsets

    def _now(self) -> int:
        """By the clock: it may be ahead of all that has been read."""
        latest = max((p.latest for m in self._members for p in m.applier.applied.values()), default=0)
        return self._random.randint(min(latest, self._story.end), self._story.end)
