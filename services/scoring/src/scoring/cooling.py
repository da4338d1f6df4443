"""When a prospect has cooled: its score fell well below a threshold that it had exceeded. Pure.

Nothing needs to happen for it: points fade. Each prospect bears the earliest time at which it can have
happened, so that only those are looked at whose time has come. The moment that is noted is that of the
fall itself, to the millisecond, whoever notices it and when.
"""

from collections.abc import Callable, Iterator
from math import log2

from leadbus.messages import ConnectionChanged
from scoring.fading import Terms
from scoring.history import AGE
from scoring.prospect import Named, Prospect
from scoring.qualification import Connections, cool_level, cooled_after, cross, split
from scoring.rules import Rules
from scoring.score import DAY


def cool(prospect: Prospect, connections: Connections, rules: Rules, at: int) -> bool:
    """Notes for which connections the prospect has cooled by `at` (ms), since its newest record, and when it
    has to be looked at next; whether it has cooled for any."""
    cooled = False
    soon: list[int] = []
    for connection in split(prospect, connections)[1]:
        rises = _may_rise(prospect, connection, rules)
        level = cool_level(connection)

        def score(time: int, name: str | None = connection.score) -> int:
            return prospect.score_at(time, rules, name)

        # Within a day to the millisecond, so that nobody is looked at again and again.
        # Day after day is dear: those before the bound have been looked at.
        start = max(prospect.at, min(at, prospect.cools_at or 0)) if rises else prospect.at
        falls = _fall(score, level, start, at + DAY, rises=rises)
        if falls is not None and falls <= at:
            known = prospect.qualified[connection.connection_id]
            prospect.qualified[connection.connection_id] = known._replace(cooled=falls)
            cooled = True
        else:
            if falls is None and (later := _bound(prospect, connection, rules)) is not None:
                falls = max(later, at + DAY)
            if falls is not None:
                soon.append(falls)
    prospect.cools_at = min(soon, default=None)
    return cooled


def bound(prospect: Prospect, connections: Connections, rules: Rules) -> int | None:
    """A time (ms) before which the prospect, as it stands at `prospect.at`, does not cool for any of the
    connections, for all of which it is hot; None = it does not without another record."""
    times = [_bound(prospect, connection, rules) for connection in connections]
    return min((time for time in times if time is not None), default=None)


def review(
    prospect: Prospect, connections: Connections, rules: Rules, at: int
) -> list[tuple[ConnectionChanged, int, int]]:
    """Looks at a prospect at a time (ms) at which no record came: cools it, and answers for which connections
    it has exceeded the threshold, for the how manieth time, and with how many millipoints; that is noted. Its
    stored scores stay those of its newest record, and a `cools_at` that is low enough as it is."""
    known = prospect.cools_at
    # Not those for whom it cools only now: the next record says whether it is above again.
    waiting = [c for c in split(prospect, connections)[0] if not cooled_after(at, prospect, c)]
    cool(prospect, connections, rules, at)
    crossed: list[tuple[ConnectionChanged, int, int]] = []
    if prospect.email is not None:
        for connection in waiting:
            score = prospect.score_at(at, rules, connection.score)
            if score > connection.threshold * 1000:
                crossed.append((connection, cross(prospect, connection, at, None), score))
    if crossed:
        cool(prospect, connections, rules, at)
    elif known is not None and prospect.cools_at is not None and at < known <= prospect.cools_at:
        prospect.cools_at = known
    return crossed


def _bound(prospect: Prospect, connection: ConnectionChanged, rules: Rules) -> int | None:
    tables, name, at = rules.tables, connection.score, prospect.at
    scale = tables.main if name is None else tables.others.get(name)
    scored: Prospect | Named | None = prospect if name is None else prospect.named.get(name)
    if scale is None or scored is None:
        return at
    newest = prospect.history.newest_given
    # What inactivity has taken off by now stays off while the rest fades.
    stands = scored.standing - scale.off(newest, at)
    times = [_fades(scored, stands, scale.terms, cool_level(connection), at)]
    if scale.idle and newest:
        times.append(newest + ((at - newest) // scale.idle.every + 1) * scale.idle.every)
    return min((time for time in times if time is not None), default=None)


def _fades(scored: Prospect | Named, stands: int, terms: Terms, level: int, at: int) -> int | None:
    history = scored.history
    half_lives = {fell.half_life_days for fell in history.sums} - {0}
    if half_lives - {terms.half_life_days} or (terms.steps and half_lives):
        return at  # old sums fade otherwise: it is looked at, and then known to the day
    if terms.steps:
        return (at // DAY + 1) * DAY
    # Each part is rounded, by half at most, then and now.
    slack = len(history) + len(history.sums) + 1
    faded, need = scored.score - stands - slack, level - stands + slack
    if need <= 0:
        return None  # what does not fade is enough
    return at if faded <= need else at + int(terms.half_life_days * DAY * log2(faded / need))


def _may_rise(prospect: Prospect, connection: ConnectionChanged, rules: Rules) -> bool:
    """Whether the score may rise while nothing happens: points taken off end by other steps than those given
    before them, or fade by another half-life."""
    scored = prospect.named.get(connection.score) if connection.score else prospect
    scale = rules.tables.others.get(connection.score) if connection.score else rules.tables.main
    if scored is None or scale is None:
        return False
    fading = {fell.half_life_days for fell in scored.history.sums} | {scale.terms.half_life_days}
    return (bool(scale.terms.steps) or len(fading) > 1) and scored.history.takes_off


def _fall(score: Callable[[int], int], level: int, start: int, end: int, *, rises: bool) -> int | None:
    """The millisecond from `start` to `end` at which the score falls to the level; None = not by then.

    rises: it may have risen again since. Rounded parts let a score tremble for seconds around the level;
    where a fall is looked for depends on `start` alone, so that all who look at the same rows find the same.
    """
    for begin, until in _days(start) if rises else _spans(start):
        if begin > end:
            return None
        if score(until) > level:
            continue
        if score(begin) <= level:
            return begin
        above, below = begin, until
        while below - above > 1:
            middle = (above + below) // 2
            if score(middle) > level:
                above = middle
            else:
                below = middle
        return below if below <= end else None
    return None


def _spans(start: int) -> Iterator[tuple[int, int]]:
    """An hour, then two, four, and so on."""
    begin, span = start, DAY // 24
    while True:
        yield begin, begin + span
        begin, span = begin + span, span * 2


def _days(start: int) -> Iterator[tuple[int, int]]:
    """To each midnight (UTC): within a day a score only falls. Nothing has steps that is older than AGE."""
    begin = start
    while begin < start + AGE + DAY:
        until = (begin // DAY + 1) * DAY - 1
        yield begin, until
        begin = until + 1
    yield from _spans(begin)
