"""What was learned, for people: tables in a terminal, plain lines elsewhere."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadbus.event_types import TRAITS
from scoring.fitting.event_points import LEAST, EventPoints
from scoring.fitting.events import Told
from scoring.fitting.judging import FOLDS, Judgement
from scoring.fitting.leaks import LeftOut
from scoring.fitting.points import DOUBLES
from scoring.fitting.table_points import Fitted

_KEPT = {
    "": "",
    "rare": f"as it is: fewer than {LEAST} prospects had one",
    "suspicious": "as it is: alone it ranks suspiciously well; does it follow the outcome?",
}


def show_table(console: Console, fitted: Fitted) -> None:
    """Of a file of leads."""
    leads = fitted.leads
    console.print(f"{len(leads)} leads, {sum(leads.won)} of them won ({leads.base_rate:.0%}).")
    _columns(console, fitted.left_out)
    console.print(f"\nThe table: {DOUBLES} points more double the odds of being won.")
    lines = fitted.table.lines
    rows = [(f"{line.points:+d}", line.column, line.band, str(line.leads)) for line in lines]
    _table(console, ("points", "column", "is", "leads"), rows)
    _judged(console, fitted.judged, leads.base_rate)
    _told(console, fitted.tells)


def show_events(console: Console, found: EventPoints, base_rate: float) -> None:
    """Of one's own outcomes."""
    console.print("\nPoints for each event, now and as proposed:")
    rows = [
        (
            TRAITS[line.type].label,
            f"{line.in_force:+g}",
            f"{line.proposed:+g}",
            str(line.prospects),
            _KEPT[line.why_kept],
        )
        for line in found.lines
    ]
    _table(console, ("event", "now", "proposed", "prospects", ""), rows)
    _judged(console, found.judged, base_rate)


def _columns(console: Console, columns: Sequence[LeftOut]) -> None:
    if columns:
        by_why: dict[str, list[str]] = {}
        for column in columns:
            by_why.setdefault(column.why, []).append(column.column)
        console.print("\nColumns that were left out:")
        _table(console, ("why", "columns"), [(why, ", ".join(names)) for why, names in by_why.items()])
    suspicious = [column.column for column in columns if column.kind == "suspicious"]
    if suspicious:
        names = ", ".join(suspicious)
        hint = f" {names} may know the outcome. What was known before it may be learned from with --keep."
        console.print(Text.assemble(("Warning:", "yellow"), hint))


def _judged(console: Console, judged: Mapping[str, Judgement], base_rate: float) -> None:
    console.print(
        f"\nJudged on leads it was not learned from ({FOLDS} times: learned from {FOLDS - 1} parts of"
        f" {FOLDS}, judged on the other):"
    )
    rows = [_figures(name, judgement, base_rate) for name, judgement in judged.items()]
    rows.append(("chance alone", "0.500", "", "1.00", f"{base_rate:.0%}"))
    names = ("score", "area under the curve", "lowest to highest part", "lift in the top tenth", "won there")
    _table(console, names, rows)
    console.print("\nWhat it expects, and what became of them, by fifths from the most points to the fewest:")
    first = next(iter(judged.values()))
    groups = [(str(g.leads), f"{g.least:.0f}", f"{g.expected:.0%}", f"{g.actual:.0%}") for g in first.groups]
    _table(console, ("leads", "points from", "expected to be won", "won"), groups)


def _figures(name: str, judgement: Judgement, base_rate: float) -> tuple[str, ...]:
    parts = f"{judgement.lowest:.3f} to {judgement.highest:.3f}"
    return name, f"{judgement.auc:.3f}", parts, f"{judgement.lift:.2f}", f"{judgement.lift * base_rate:.0%}"


def _told(console: Console, tells: Iterable[Told]) -> None:
    by_type: dict[str, list[str]] = {}
    for column, cell, type_ in tells:
        by_type.setdefault(TRAITS[type_].label, []).append(column if cell is None else f"{column}: {cell}")
    if not by_type:
        console.print("\nNo column tells of events; --event says which do, to judge the default rules by.")
        return
    console.print("\nThe default rules were told of these events (--event says it otherwise):")
    _table(console, ("event", "by"), [(label, "; ".join(places)) for label, places in by_type.items()])


def _table(console: Console, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*names)
    if not console.is_terminal:  # plain lines, so that they can be searched
        table.box, table.pad_edge, table.show_edge = None, False, False
    for row in rows:
        table.add_row(*map(Text, row))  # a name may look like markup
    console.print(table)
