"""The simulator of a SugarCRM."""

import itertools
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.simulator import LEAD_SOURCE, Simulator, running

USER = PASSWORD = "admin"
PLATFORM = "leadbus"
CALL_MS, ROW_MS = 50.0, 10.0
"""What a call takes at least, and what each row it writes adds; calls of one session run one at a time."""
_LOADED_AT_ONCE = 5_000


class Sugar(Simulator):
    """See the module."""

    tables = ("Leads", "Notes", "parent_id")

    async def access(self) -> dict[str, Any]:
        """As the administrator."""
        return {"url": self.url, "user": USER, "password": PASSWORD}

    async def load(self, module: str, rows: Iterable[Mapping[str, str]]) -> None:
        """Creates rows, fast."""
        waiting = iter(rows)
        while batch := list(itertools.islice(waiting, _LOADED_AT_ONCE)):
            await self._ask("POST", "desk/load", json={"module": module, "rows": batch})

    async def slow(self, seconds: float) -> None:
        """Every call takes so long; 0 = as before."""
        await self._ask("DELETE", "faults")
        if seconds:
            await self._ask("POST", "faults", json={"kind": "slow", "seconds": seconds})

    async def settle_in(self, *, modern: bool) -> None:
        """What its administrator does before a connection is made."""
        option = {"field": "lead_source", "name": LEAD_SOURCE}
        for module in ("Leads", "Contacts"):
            await self._ask("POST", "option", json=option | {"module": module})
        if modern:
            await self._ask("POST", "desk/register_platform", json={"name": PLATFORM})


@asynccontextmanager
async def sugar(
    folder: Path, speaks: str, *, call_ms: float = CALL_MS, row_ms: float = ROW_MS
) -> AsyncIterator[Sugar]:
    """A new one. speaks: see `python -m sandbox.sugar --help`."""
    costs = ("--cost-per-call-ms", f"{call_ms:g}", "--cost-per-row-ms", f"{row_ms:g}")
    async with running(Sugar, "sandbox.sugar", folder, "--speaks", speaks, *costs) as crm:
        await crm.settle_in(modern=speaks.startswith("sugar-"))
        yield crm
