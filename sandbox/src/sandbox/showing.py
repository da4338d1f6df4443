"""What a person sees: lines, a progress line that renews itself in a terminal, a table at the end."""

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.status import Status
from rich.table import Table

_BETWEEN_LINES = 2.0
_PLAIN_WIDTH = 110


class Show:
    """Writes to standard output, or to standard error where that is for people and the other for programs.

    Where it is no terminal, progress is a plain line every two seconds.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        self._console = Console(stderr=stderr, highlight=False, soft_wrap=True)
        if not self._console.is_terminal:
            self._console = Console(stderr=stderr, highlight=False, soft_wrap=True, width=_PLAIN_WIDTH)
        self._status: Status | None = None
        self._last: tuple[str, float] = ("", 0.0)
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def line(self, text: str = "") -> None:
        """One line that stays."""
        self._console.print(text, markup=False)

    def progress(self, text: str) -> None:
        """What is going on at the moment."""
        if self._status:
            self._status.update(text)
        elif text != self._last[0] and time.monotonic() - self._last[1] >= _BETWEEN_LINES:
            self._last = (text, time.monotonic())
            self.line(f"  {text}")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
        """A table that stays."""
        table = Table(*columns, title=title, title_justify="left", show_header=any(columns))
        for row in rows:
            table.add_row(*(str(cell) for cell in row))
        self._console.print(table)
