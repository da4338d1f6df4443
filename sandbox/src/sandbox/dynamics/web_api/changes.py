"""Change tracking: everything once, and from then on what has changed or been deleted since.

Source: Microsoft's page about synchronising by change tracking. How its pages go on is assumed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from ..errors import CrmError
from ..schema import Entity
from .asks import Answer, Ask
from .filters import columns
from .rendering import context, shown

_REFUSED = ("$filter", "$orderby", "$expand", "$top")
_TIME = "%m/%d/%Y %H:%M:%S"
_PAGE = "<tracking "


def wanted(ask: Ask) -> bool:
    """Whether a GET of a set is about changes."""
    options = ask.options
    return (
        "odata.track-changes" in ask.preferences
        or "$deltatoken" in options
        or options.get("$skiptoken", "").startswith(_PAGE)
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """Versions after `since`, where the client stands (0 = nowhere), up to `until`; read to `after`."""

    since: int
    until: int
    after: int


def changed(ask: Ask, entity: Entity) -> Answer:
    """A page of records, then of changes. Raises ExpiredVersionStamp for an old token."""
    ask.records.allow("read", entity)
    if not entity.tracked:
        raise CrmError("ChangeTrackingNotEnabledForEntity", entity.name)
    for name in _REFUSED:
        if name in ask.options:
            raise CrmError(
                "BadRequest",
                f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.',
            )
    span, selected = _span(ask), columns(entity, ask.options.get("$select"))
    # Who has nothing yet is told of no deletions.
    where = "entity = ? AND version > ? AND version <= ?" + (" AND deleted = 0" if not span.since else "")
    size = ask.page_size
    found = ask.site.store.find(where, (entity.name, span.after, span.until), "version", size + 1)
    page, more = found[:size], len(found) > size
    gone = f"{ask.base}/$metadata#{entity.set}/$deletedEntity"
    rows: list[dict[str, Any]] = [
        {"@odata.context": gone, "id": record.id, "reason": "deleted"}
        if record.deleted
        else shown(ask, entity, record, selected)
        for record in page
    ]
    body: dict[str, Any] = {"@odata.context": context(ask, entity, selected, "/$delta" if span.since else "")}
    if more:
        token = f'{_PAGE}since="{span.since}" until="{span.until}" after="{page[-1].version}" />'
        body["@odata.nextLink"] = _link(ask, "$skiptoken", token)
    else:
        moment = ask.site.store.clock().astimezone(UTC).strftime(_TIME)
        body["@odata.deltaLink"] = _link(ask, "$deltatoken", f"{span.until}!{moment}")
    body["value"] = rows
    applied = (
        {"Preference-Applied": "odata.track-changes"} if "odata.track-changes" in ask.preferences else {}
    )
    return Answer("changes", body=body, headers=applied)


def count(ask: Ask, entity: Entity) -> Answer:
    """How many rows a delta link would answer."""
    span = _span(ask)
    sql = "SELECT count(*) FROM records WHERE entity = ? AND version > ?"
    number = ask.site.store.value(sql, (entity.name, span.after))
    return Answer("changes", body=str(number), headers={"Content-Type": "text/plain"})


def _span(ask: Ask) -> _Span:
    """Raises ExpiredVersionStamp, BadRequest."""
    latest = ask.site.store.version
    token = ask.options.get("$skiptoken", "")
    if token.startswith(_PAGE):
        try:
            numbers = [int(part.split('"')[1]) for part in token.removeprefix(_PAGE).split(" ")[:3]]
        except (ValueError, IndexError):
            raise CrmError("BadRequest", "Malformed XML in the Paging Cookie.") from None
        return _Span(*numbers)
    if "$deltatoken" not in ask.options:
        return _Span(0, latest, 0)
    version, _, moment = ask.options["$deltatoken"].partition("!")
    try:
        since, given = int(version), datetime.strptime(moment, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise CrmError("BadRequest", "The delta token is not valid.") from None
    age = ask.site.store.clock() - given
    if since < ask.site.tracked_from or age > timedelta(days=ask.site.settings.track_days):
        raise CrmError("ExpiredVersionStamp")
    return _Span(since, latest, since)


def _link(ask: Ask, name: str, token: str) -> str:
    select = ask.options.get("$select")
    kept = f"$select={select}&" if select else ""
    return f"{ask.base}/{ask.path}?{kept}{name}={quote(token, safe='')}"
