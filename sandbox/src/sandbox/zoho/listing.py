"""Reading records: pages by number and by token, one record, what is deleted, how many there are.

Source: Zoho's documentation by the contract notes. Assumed: fields that do not exist are passed over; the
time of If-Modified-Since is a parameter that a page token is bound to; pages go by the place of the last
record.
"""

from dataclasses import dataclass
from typing import Any

from . import moments
from .errors import ApiError, bad_id, no_permission
from .operations import Call, Operation, Reply
from .paging import TOKEN_LIFE, PageTokens, Place
from .records import moment
from .rendering import shown
from .store import Record, Row, as_number

PER_PAGE = 200
_PLAIN_RECORDS = 2_000
_TOKEN_RECORDS = 100_000
_FIELDS = 50
_FOR_ADMINS = {"Notes"}
_COLUMNS = {"id": "id", "Created_Time": "created", "Modified_Time": "modified"}
_CONVERTED = {"false": "converted = 0", "true": "converted = 1", "both": "1"}


def fields_of(call: Call) -> list[str] | None:
    """Of the parameter, required since v3. Raises REQUIRED_PARAM_MISSING, LIMIT_EXCEEDED."""
    if "fields" not in call.params and call.version < 3:
        return None
    names = call.required("fields").split(",")
    if len(names) > _FIELDS:
        raise ApiError("LIMIT_EXCEEDED", {"limit": _FIELDS, "param_name": "fields"}, "fields limit exceeded")
    return [name.strip() for name in names]


def choice(call: Call, name: str, choices: dict[str, str], usual: str) -> str:
    """What a parameter stands for. Raises INVALID_DATA."""
    given = call.params.get(name, usual)
    if given not in choices:
        raise ApiError("INVALID_DATA", {"param_name": name, "supported_values": list(choices)})
    return choices[given]


@dataclass(slots=True)
class _Walk:
    """The pages that a list's parameters make."""

    call: Call
    where: str
    parameters: list[Any]
    column: str
    descending: bool

    def page(self, place: Place, limit: int) -> list[Record]:
        """One more than `limit` if there is more."""
        where, parameters, offset = self.where, list(self.parameters), 0
        if place.after is not None:
            sign = "<" if self.descending else ">"
            where += f" AND ({self.column}, id) {sign} (?, ?)"
            parameters += [*place.after]
        else:
            offset = place.read
        direction = "DESC" if self.descending else "ASC"
        order = f"{self.column} {direction}, id {direction}"
        return self.call.store.find(where, parameters, order, limit + 1, offset)


def listing(call: Call) -> Reply:
    module = call.module
    call.allow("view", module)
    if module.name in _FOR_ADMINS and not call.user.admin:
        raise no_permission(f"Crm_Implied_View_{module.name}")
    fields, per_page = fields_of(call), call.number("per_page", PER_PAGE, PER_PAGE)
    sort_by, walk = call.params.get("sort_by", "id"), _walk(call)
    since = _since(call)
    tokens = PageTokens(call)
    if "page_token" in call.params:
        place = tokens.read(call.params["page_token"])
        if place.read + per_page > _TOKEN_RECORDS:
            raise ApiError("PAGINATION_LIMIT_EXCEEDED")
    else:
        number = call.number("page", 1, 10**6)
        place = Place(page=number, read=(number - 1) * per_page)
        if number * per_page > _PLAIN_RECORDS:
            raise ApiError("DISCRETE_PAGINATION_LIMIT_EXCEEDED")
    records = walk.page(place, per_page)
    if not records and "page_token" not in call.params:
        return Reply(304 if since is not None else 204)
    more = len(records) > per_page
    records = records[:per_page]
    following = None
    if more:
        last = records[-1]
        value = int(last.id) if walk.column == "id" else getattr(last, walk.column)
        following = tokens.make(Place(place.page + 1, place.read + per_page, (value, int(last.id))))
    expiry = moments.shown(call.store.now() + TOKEN_LIFE, call.user.zone) if following else None
    info = {
        "call": False,
        "per_page": per_page,
        "next_page_token": following,
        "count": len(records),
        "sort_by": sort_by,
        "page": place.page,
        "previous_page_token": call.params.get("page_token"),
        "page_token_expiry": expiry,
        "sort_order": "desc" if walk.descending else "asc",
        "email": False,
        "more_records": more,
    }
    return Reply(200, {"data": shown(call.site, call.user, module, records, fields), "info": info})


def one(call: Call) -> Reply:
    """A converted lead only with `converted`; what is not there has no valid id."""
    module = call.module
    call.allow("view", module)
    record = call.store.get(module.name, call.path["id"])
    wants = call.params.get("converted", "false")
    if (
        record is None
        or (record.converted and wants == "false")
        or (wants == "true" and not record.converted)
    ):
        raise bad_id()
    since = _since(call)
    if since is not None and record.modified < since:
        return Reply(304)
    fields = call.params["fields"].split(",") if "fields" in call.params else None
    return Reply(200, {"data": shown(call.site, call.user, module, [record], fields)})


def deleted(call: Call) -> Reply:
    """The newest first (assumed)."""
    module = call.module
    call.allow("view", module)
    kinds = {
        "all": "deleted IS NOT NULL",
        "recycle": "deleted = 'recycle'",
        "permanent": "deleted = 'permanent'",
    }
    where = f"module = ? AND {choice(call, 'type', kinds, 'all')}"
    parameters: list[Any] = [module.name]
    if (since := _since(call)) is not None:
        where += " AND deleted_at >= ?"
        parameters.append(since)
    page, per_page = call.number("page", 1, 10**6), call.number("per_page", PER_PAGE, PER_PAGE)
    order = "deleted_at DESC, id DESC"
    found = call.store.find(where, parameters, order, per_page + 1, (page - 1) * per_page)
    if not found:
        return Reply(204)
    rows = [_deleted(call, record) for record in found[:per_page]]
    info = {"per_page": per_page, "count": len(rows), "page": page, "more_records": len(found) > per_page}
    return Reply(200, {"data": rows, "info": info})


def _deleted(call: Call, record: Record) -> Row:
    users, gone = call.site.users, record.deleted == "permanent"
    name = shown(call.site, call.user, call.module, [record], [call.module.title])[0].get(call.module.title)
    return {
        "deleted_by": None if gone else users.reference(record.deleted_by),
        "id": record.id,
        "display_name": None if gone else name,
        "type": record.deleted,
        "created_by": None if gone else users.reference(record.created_by),
        "deleted_time": moments.shown(record.deleted_at or 0, call.user.zone),
    }


def _walk(call: Call) -> _Walk:
    where = f"module = ? AND deleted IS NULL AND {choice(call, 'converted', _CONVERTED, 'false')}"
    parameters: list[Any] = [call.module.name]
    if (since := _since(call)) is not None:
        where += " AND modified >= ?"
        parameters.append(since)
    if "ids" in call.params:
        keys = [as_number(key.strip()) or 0 for key in call.params["ids"].split(",")]
        if len(keys) > 100:
            raise ApiError("LIMIT_EXCEEDED", {"limit": 100, "param_name": "ids"})
        where += f" AND id IN ({', '.join('?' * len(keys))})"
        parameters += keys
    if "cvid" in call.params and "sort_by" in call.params:
        names = [{"param_name": "cvid"}, {"param_name": "sort_by"}]
        raise ApiError("AMBIGUITY_DURING_PROCESSING", {"ambiguity_due_to": names})
    column = choice(call, "sort_by", _COLUMNS, "id")
    order = choice(call, "sort_order", {"asc": "asc", "desc": "desc"}, "desc")
    return _Walk(call, where, parameters, column, order == "desc")


def _since(call: Call) -> int | None:
    """Inclusive (reported by users)."""
    given = call.headers.get("if-modified-since")
    return None if given is None else moment(given, "If-Modified-Since")


def _sorted_or_viewed(call: Call) -> bool:
    return "sort_by" in call.params or "cvid" in call.params


def _credits(call: Call) -> int:
    """A filtered read is reported as 3 by users."""
    return 3 if "cvid" in call.params else 1


OPERATIONS = (
    Operation("deleted", "GET", "/crm/{version}/{module}/deleted", "read", "modules.READ", deleted),
    Operation(
        "list", "GET", "/crm/{version}/{module}", "read", "modules.READ", listing, _credits, _sorted_or_viewed
    ),
    Operation("read", "GET", "/crm/{version}/{module}/{id}", "read", "modules.READ", one),
)
