"""Everything of a module as one file that Zoho prepares: jobs, and the rows of the file last asked for.

By Zoho's documentation of bulk read (v8): 200,000 rows a job and a page token for the next one; the result is
a zip file with one CSV, headed by API names, lookups as ids; 10 downloads a minute. Those who take the rows
come back for the next ones, so that a file is kept on disk until another one is asked for.
"""

import asyncio
import contextlib
import csv
import io
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

from connector_zoho.client import ZohoClient
from connector_zoho.faults import UNREADABLE
from connector_zoho.wire import outcomes
from leadbus.errors import Unsupported

_PATH = "/crm/bulk/v8/read"
LOOKS = (0.0, 0.3, 1.0, 2.0)
"""Seconds before each look whether the file of a new job is prepared; then the caller comes again."""
LATER_LOOKS = (0.0, 1.0, 4.0)
"""The same for one that was waited for already: each look costs a credit."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, csv.Error, IndexError)
_NO_ROOM = "There is no room on the connector's disk for a file of the CRM's records."
_FAILED = "The CRM could not prepare a file of its records."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job's file is there. next: token of the job for the rows that are not in it."""

    next: str | None


class Bulk:
    """One client's jobs and the one file it keeps."""

    def __init__(self, client: ZohoClient) -> None:
        self._client = client
        self._ready: tuple[str, Prepared] | None = None
        self._fetching = asyncio.Lock()
        self._file: _File | None = None

    async def begin(self, module: str, fields: Sequence[str], token: str | None) -> str:
        """The id of a new job. Raises PageLost if the token has expired, Unsupported if it may not be."""
        query = {"module": {"api_name": module}, "fields": list(fields)}
        page = {"page_token": token} if token else {"page": 1}
        answer = await self._client.call("POST bulk read", "POST", _PATH, body={"query": {**query, **page}})
        for outcome in outcomes(answer):
            if outcome.get("status") == "success":
                return str(outcome["details"]["id"])
        raise Unsupported(_FAILED)

    async def prepared(self, job: str, looks: Sequence[float] = LOOKS) -> Prepared | None:
        """Whether the file is there; None = not within some seconds. Raises Unsupported: it never will be."""
        if self._ready is not None and self._ready[0] == job:
            return self._ready[1]
        for seconds in looks:
            await asyncio.sleep(seconds)
            answer = await self._client.call("GET bulk read", "GET", f"{_PATH}/{job}")
            found = next(iter(outcomes(answer)), {})
            if found.get("state") == "COMPLETED":
                result = found.get("result") or {}
                self._ready = (
                    job,
                    Prepared(result.get("next_page_token") if result.get("more_records") else None),
                )
                return self._ready[1]
            if found.get("state") in {"FAILURE", "FAILED"}:
                raise Unsupported(_FAILED)
        return None

    async def rows(self, job: str, first: int, count: int) -> list[dict[str, str]]:
        """Some rows of a prepared file; fewer at its end. Raises Unsupported: there is no room for it."""
        async with self._fetching:
            if self._file is None or self._file.job != job:
                self.close()
                try:
                    self._file = await self._fetched(job)
                except OSError:
                    raise Unsupported(_NO_ROOM) from None
            file = self._file
        try:
            return await asyncio.to_thread(file.rows, first, count)
        except _DAMAGED:
            self.close()
            raise UNREADABLE.error(writing=False) from None

    async def _fetched(self, job: str) -> "_File":
        with contextlib.ExitStack() as undo:
            zipped = undo.enter_context(tempfile.TemporaryFile())
            async with self._client.download("GET bulk read result", f"{_PATH}/{job}/result") as parts:
                async for part in parts:
                    zipped.write(part)
            try:
                file = _File(job, zipped)
            except _DAMAGED:
                raise UNREADABLE.error(writing=False) from None
            undo.pop_all()
            return file

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


class _File:
    """A downloaded file; its rows are mostly asked for one after the other."""

    def __init__(self, job: str, zipped: IO[bytes]) -> None:
        self.job = job
        self._zipped = zipped
        self._archive = zipfile.ZipFile(zipped)
        self._name = self._archive.namelist()[0]
        self._using = threading.Lock()
        self._place = 0
        self._rows: Iterator[dict[str, str]] = self._opened()

    def rows(self, first: int, count: int) -> list[dict[str, str]]:
        with self._using:
            if first < self._place:
                self._place, self._rows = 0, self._opened()
            skipped = sum(1 for _ in islice(self._rows, first - self._place))
            found = list(islice(self._rows, count))
            self._place += skipped + len(found)
            return found

    def _opened(self) -> Iterator[dict[str, str]]:
        with self._archive.open(self._name) as binary:
            lines = csv.reader(io.TextIOWrapper(binary, encoding="utf-8-sig", newline=""))
            names = ["id" if name.lower() == "id" else name for name in next(lines, [])]
            for values in lines:
                yield dict(zip(names, values, strict=False))

    def close(self) -> None:
        with self._using:
            self._archive.close()
            self._zipped.close()
