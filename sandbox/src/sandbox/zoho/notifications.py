"""`/actions/watch`: opening, changing and closing notification channels.

Source: Zoho's documentation and the contract notes: a channel lives an hour if nothing else is said, or if
more is said than is allowed (a week; a day before v4). NOT_SUBSCRIBED for one that has run out: reported by
users.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from . import moments
from .channels import Channel, Channels
from .errors import RowError, success
from .operations import Call, Operation, Reply
from .store import Row, as_number

_EVENTS = ("create", "edit", "delete")
_HOUR, _DAY = 3_600, 86_400
_LONGEST_TOKEN = 50
_MOST_CONDITIONS = 10
_TOLD = {
    "opened": "Successfully subscribed for actions-watch of the given module",
    "changed": "Successfully updated the subscribe details",
    "removed": "Successfully removed the subscribe details",
    "closed": "Successfully un-subscribed from actions-watch",
}

Outcome: TypeAlias = Callable[[Call, Row, str], Row]


def open_(call: Call) -> Reply:
    """POST: further modules of a known channel are added to it."""
    return _each(call, _open, 201)


def replace(call: Call) -> Reply:
    """PUT: what is not said is lost."""
    return _each(call, _replace, 200)


def change(call: Call) -> Reply:
    """PATCH: what is not said stays; with `_delete_events` the named events end."""
    return _each(call, _change, 200)


def listing(call: Call) -> Reply:
    size, page = call.number("per_page", 200, 200), call.number("page", 1, 10_000)
    wanted = {"channel": call.params.get("channel_id"), "module": call.params.get("module")}
    chosen = {name: value for name, value in wanted.items() if value}
    where = " AND ".join(["user = ?", *(f"{name} = ?" for name in chosen)])
    found = Channels(call.store).live(where, (call.user.id, *chosen.values()))
    shown = found[(page - 1) * size : page * size]
    if not shown:
        return Reply(204)
    info = {"per_page": size, "count": len(shown), "page": page, "more_records": len(found) > page * size}
    return Reply(body={"watch": [_listed(call, channel) for channel in shown], "info": info})


def close(call: Call) -> Reply:
    """DELETE: a row for each module of each channel."""
    channels, rows, failed = Channels(call.store), list[Row](), 0
    for number in call.required("channel_ids").split(","):
        found = channels.live("channel = ?", (number.strip(),))
        channels.remove(number.strip())
        rows += [success(_resource(call, one, named=False), _TOLD["closed"]) for one in found]
        if not found:
            failed += 1
            rows.append(RowError("NOT_SUBSCRIBED").row)
    return Reply(_status(len(rows) - failed, failed, 200), {"watch": rows})


_ADDRESS = "/crm/{version}/actions/watch"
OPERATIONS = tuple(
    Operation(f"{method} actions/watch", method, _ADDRESS, "other", f"notifications.{right}", answer)
    for method, right, answer in (
        ("POST", "CREATE", open_),
        ("PUT", "UPDATE", replace),
        ("PATCH", "UPDATE", change),
        ("GET", "READ", listing),
        ("DELETE", "DELETE", close),
    )
)


def _each(call: Call, do: Outcome, good: int) -> Reply:
    outcomes = list[Row]()
    for index, row in enumerate(call.rows("watch")):
        try:
            outcomes.append(do(call, row, f"$.watch[{index}]"))
        except RowError as refused:
            outcomes.append(refused.row)
    failed = sum(outcome["status"] == "error" for outcome in outcomes)
    return Reply(_status(len(outcomes) - failed, failed, good), {"watch": outcomes})


def _status(done: int, failed: int, good: int) -> int:
    if not failed:
        return good
    return 207 if done else 400


def _open(call: Call, row: Row, where: str) -> Row:
    return _done(call, _put(call, _number(row, where), row, where), "opened")


def _replace(call: Call, row: Row, where: str) -> Row:
    number = _number(row, where)
    _known(call, number)
    Channels(call.store).remove(number)
    return _done(call, _put(call, number, row, where), "changed")


def _change(call: Call, row: Row, where: str) -> Row:
    number = _number(row, where)
    known = _known(call, number)
    if row.get("_delete_events") is True:
        return _without(call, known, _events(call, row, where))
    first = known[0]
    before: Row = {
        "notify_url": first.url,
        "token": first.token,
        "channel_expiry": datetime.fromtimestamp(first.until, UTC).isoformat(),
        "return_affected_field_values": first.with_values,
        "notify_on_related_action": first.related,
        "notification_condition": [
            {"type": "field_selection", "module": {"api_name": one.module}, "field_selection": one.condition}
            for one in known
            if one.condition
        ],
        "events": [f"{one.module}.{event}" for one in known for event in one.events],
    }
    more = [*before["events"], *(row.get("events") or [])]
    return _done(call, _put(call, number, before | row | {"events": more}, where), "changed")


def _put(call: Call, number: str, row: Row, where: str) -> list[Channel]:
    """Raises RowError before anything is kept."""
    events, conditions = _events(call, row, where), _conditions(row, where)
    url = _need(row, "notify_url", where)
    if urlsplit(str(url)).scheme not in {"http", "https"}:
        raise _invalid("notify_url", where, expected_data_type="url")
    token = row.get("token")
    if token is not None and len(str(token)) > _LONGEST_TOKEN:
        raise _invalid("token", where, maximum_length=_LONGEST_TOKEN)
    until = _until(call, row.get("channel_expiry"), where)
    made = [
        Channel(
            number,
            module,
            call.user.id,
            chosen,
            until,
            None if token is None else str(token),
            str(url),
            row.get("return_affected_field_values") is True,
            row.get("notify_on_related_action") is not False,
            conditions.get(module),
        )
        for module, chosen in events.items()
    ]
    for channel in made:
        Channels(call.store).put(channel)
    return made


def _without(call: Call, known: list[Channel], events: Mapping[str, list[str]]) -> Row:
    touched = [one for one in known if one.module in events]
    for one in touched:
        one.events = [event for event in one.events if event not in events[one.module]]
        if one.events:
            Channels(call.store).put(one)
        else:
            Channels(call.store).remove(one.channel, one.module)
    return success({"events": [_resource(call, one) for one in touched]}, _TOLD["removed"])


def _done(call: Call, made: list[Channel], how: str) -> Row:
    events = [
        {"channel_expiry": moments.shown(one.until, call.user.zone), **_resource(call, one)} for one in made
    ]
    return success({"events": events}, _TOLD[how])


def _resource(call: Call, channel: Channel, *, named: bool = True) -> Row:
    module = call.store.modules[channel.module]
    return {
        "resource_uri": f"{call.site.url}/crm/{call.path['version']}/{module.name}",
        "resource_id": module.id,
        **({"resource_name": module.name} if named else {}),
        "channel_id": channel.channel,
    }


def _listed(call: Call, channel: Channel) -> Row:
    condition = {
        "type": "field_selection",
        "module": {"api_name": channel.module, "id": call.store.modules[channel.module].id},
        "field_selection": channel.condition,
    }
    return {
        "notify_on_related_action": channel.related,
        "channel_expiry": moments.shown(channel.until, call.user.zone),
        "return_affected_field_values": channel.with_values,
        **_resource(call, channel),
        "notify_url": channel.url,
        "fields": None,
        "notification_condition": [condition] if channel.condition else None,
        "events": [f"{channel.module}.{event}" for event in channel.events],
        "token": channel.token,
    }


def _known(call: Call, number: str) -> list[Channel]:
    found = Channels(call.store).live("channel = ? AND user = ?", (number, call.user.id))
    if not found:
        raise RowError("NOT_SUBSCRIBED")
    return found


def _number(row: Row, where: str) -> str:
    given = _need(row, "channel_id", where)
    if as_number(given) is None:
        raise _invalid("channel_id", where, expected_data_type="long")
    return str(given)


def _events(call: Call, row: Row, where: str) -> dict[str, list[str]]:
    """By module, in the order of the modules' first mention."""
    found = dict[str, list[str]]()
    for at, given in enumerate(_need(row, "events", where)):
        module, _, event = str(given).rpartition(".")
        if module not in call.store.modules or event not in {*_EVENTS, "all"}:
            raise _invalid(f"events[{at}]", where)
        wanted = _EVENTS if event == "all" else (event,)
        known = found.setdefault(module, [])
        known += [one for one in wanted if one not in known]
    return found


def _conditions(row: Row, where: str) -> dict[str, Row]:
    """Field selections by module. Source: Zoho's documentation (v6 and later)."""
    given = row.get("notification_condition") or []
    try:
        found = {one["module"]["api_name"]: one["field_selection"] for one in given}
        longest = max((len(chosen.get("group") or []) for chosen in found.values()), default=0)
    except (AttributeError, KeyError, TypeError):
        raise _invalid("notification_condition", where) from None
    if longest > _MOST_CONDITIONS:
        raise _invalid("notification_condition", where, maximum_length=_MOST_CONDITIONS)
    return found


def _until(call: Call, given: Any, where: str) -> int:
    now = call.store.now()
    if given is None:
        return now + _HOUR
    try:
        wanted = moments.seconds(str(given))
    except ValueError:
        raise _invalid("channel_expiry", where, expected_data_type="datetime") from None
    longest = 7 * _DAY if call.version >= 4 else _DAY
    return wanted if now < wanted <= now + longest else now + _HOUR


def _need(row: Row, name: str, where: str) -> Any:
    if not row.get(name):
        raise RowError("MANDATORY_NOT_FOUND", {"api_name": name, "json_path": f"{where}.{name}"})
    return row[name]


def _invalid(name: str, where: str, **details: Any) -> RowError:
    return RowError("INVALID_DATA", {"api_name": name, "json_path": f"{where}.{name}", **details})
