"""Bulk read: everything of a module as a zip file with one CSV, prepared by a job.

Source: Zoho's documentation and the contract notes. What a job answers is read when the job is made, so that
it stays as it was. Assumed: converted leads are not among the rows; a token goes on with the query it was
given for; the job's `callback` is taken and never called.
"""

import csv
import io
import json
import secrets
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from . import moments
from .criteria import Condition, condition
from .errors import ApiError, success
from .operations import Call, Operation, Reply
from .schema import Module
from .store import Record, Row, Store, name_of

_STATES = ("ADDED", "QUEUED", "IN PROGRESS")
_TOKEN_SECONDS = 86_400
_BATCH = 5_000
_DOWNLOADS_PER_MINUTE = 10
_SYSTEM: dict[str, Callable[[Record, ZoneInfo], Any]] = {
    "id": lambda record, zone: record.id,
    "Created_Time": lambda record, zone: moments.shown(record.created, zone),
    "Modified_Time": lambda record, zone: moments.shown(record.modified, zone),
    "Created_By": lambda record, zone: record.created_by,
    "Modified_By": lambda record, zone: record.modified_by,
    "Converted__s": lambda record, zone: record.converted,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a job is to read: records after an id, but for `offset` of them. query: what a token is for."""

    module: Module
    columns: Sequence[str]
    where: Condition
    query: Row
    page: int
    after: int = 0
    offset: int = 0


def begin(call: Call) -> Reply:
    """Raises ApiError."""
    try:
        asked = _asked(call)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ApiError("INVALID_REQUEST", message="the request is not one of a bulk read") from None
    records, most = _records(call.store, asked), call.site.settings.bulk_rows
    job, now = call.store.next_id(), call.store.clock()
    file, count, last = _zipped(job, asked, islice(records, most), call.user.zone)
    more = next(records, None) is not None
    token = _token(call, asked, last) if more else None
    call.store.execute(
        "INSERT INTO bulk_jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            int(job),
            call.user.id,
            asked.module.name,
            asked.page,
            now.timestamp(),
            call.site.bulk_fails,
            count,
            token,
            file,
        ),
    )
    details = {
        "id": job,
        "operation": "read",
        "state": _STATES[0],
        "created_by": call.user.reference(),
        "created_time": moments.shown(int(now.timestamp()), call.user.zone),
    }
    added = success(details, "Added successfully.") | {"code": "ADDED_SUCCESSFULLY"}
    return Reply(201, {"data": [added], "info": {}})


def state(call: Call) -> Reply:
    job = _job(call)
    shown: Row = {
        "id": str(job["id"]),
        "operation": "read",
        "state": _state(call, job),
        "query": {
            "module": {"api_name": job["module"], "id": call.store.modules[job["module"]].id},
            "page": job["page"],
        },
        "created_by": call.site.users.reference(job["user"]),
        "created_time": moments.shown(int(job["made"]), call.user.zone),
        "file_type": "csv",
    }
    if shown["state"] == "COMPLETED":
        shown["result"] = {
            "page": job["page"],
            "per_page": call.site.settings.bulk_rows,
            "count": job["count"],
            "download_url": f"/crm/bulk/{call.path['version']}/read/{job['id']}/result",
            "more_records": job["token"] is not None,
            "next_page_token": job["token"],
        }
    return Reply(body={"data": [shown]})


def result(call: Call) -> Reply:
    """Raises TOO_MANY_REQUESTS for the eleventh in a minute."""
    job, now = _job(call), call.store.now()
    if _state(call, job) != "COMPLETED":
        raise _no_such(call)
    lately = call.store.value("SELECT count(*) FROM bulk_downloads WHERE at > ?", (now - 60,))
    if lately >= _DOWNLOADS_PER_MINUTE:
        raise ApiError("TOO_MANY_REQUESTS")
    call.store.execute("INSERT INTO bulk_downloads VALUES (?)", (now,))
    named = f'attachment; filename="{job["id"]}.zip"'
    headers = {"content-type": "application/zip", "content-disposition": named}
    return Reply(raw=job["file"], headers=headers)


_JOBS = "/crm/bulk/{version}/read"
OPERATIONS = (
    Operation("POST bulk/read", "POST", _JOBS, "other", "bulk.READ", begin),
    Operation("GET bulk/read/:id", "GET", f"{_JOBS}/{{job}}", "other", "bulk.READ", state),
    Operation("GET bulk/read/:id/result", "GET", f"{_JOBS}/{{job}}/result", "other", "bulk.READ", result),
)


def _asked(call: Call) -> _Asked:
    """Raises ApiError, and what Python raises where the query is none."""
    query = call.body["query"]
    asked = {name: query.get(name) for name in ("module", "fields", "criteria")}
    token = query.get("page_token")
    known = _known(call, token, asked) if token else None
    chosen = json.loads(known["query"]) if known else asked
    name = chosen["module"]["api_name"]
    if name not in call.store.modules:
        raise ApiError("MODULE_NOT_AVAILABLE", {"api_name": name}, "the module is not available")
    module = call.store.modules[name]
    call.allow("view", module)
    columns = _columns(module, chosen)
    where = condition(module, chosen["criteria"]) if chosen["criteria"] else ("1", [])
    if known:
        return _Asked(module, columns, where, chosen, known["page"], known["after"])
    page = int(query.get("page") or 1)
    return _Asked(module, columns, where, chosen, page, offset=(page - 1) * call.site.settings.bulk_rows)


def _known(call: Call, token: str, asked: Row) -> Row:
    """A token that goes on with what is asked for. Raises TOKEN_BOUND_DATA_MISMATCH, EXPIRED_VALUE."""
    known = call.store.row("SELECT * FROM bulk_tokens WHERE token = ?", (token,))
    first = json.loads(known["query"]) if known else {}
    if known is None or any(value not in (None, first[name]) for name, value in asked.items()):
        raise ApiError("TOKEN_BOUND_DATA_MISMATCH", {"param_name": "page_token"})
    if known["until"] <= call.store.now():
        raise ApiError("EXPIRED_VALUE", {"param_name": "page_token"})
    return known


def _columns(module: Module, query: Row) -> list[str]:
    """`id` first, always. Raises FIELD_NOT_AVAILABLE."""
    asked = query.get("fields") or list(module.fields)
    for name in asked:
        if name != "id" and name not in module.fields:
            raise ApiError("FIELD_NOT_AVAILABLE", {"api_name": name}, "the field is not available")
    return ["id", *(name for name in asked if name != "id")]


def _token(call: Call, asked: _Asked, last: int) -> str:
    made, until = secrets.token_hex(24), call.store.now() + _TOKEN_SECONDS
    row = (made, json.dumps(asked.query), last, asked.page + 1, until)
    call.store.execute("INSERT INTO bulk_tokens VALUES (?, ?, ?, ?, ?)", row)
    return made


def _job(call: Call) -> Row:
    sql = "SELECT * FROM bulk_jobs WHERE id = CAST(? AS INTEGER)"
    job = call.store.row(sql, (call.path["job"],))
    if job is None:
        raise _no_such(call)
    return job


def _no_such(call: Call) -> ApiError:
    """Also of a file that is not ready (assumed)."""
    details = {"resource": call.path["job"]}
    return ApiError("RESOURCE_NOT_FOUND", details, "The requested resource doesn't exist.", 404)


def _state(call: Call, job: Row) -> str:
    seconds = call.site.settings.bulk_seconds
    age = call.store.clock().timestamp() - job["made"]
    if age < seconds:
        return _STATES[int(age / seconds * len(_STATES))]
    return "FAILURE" if job["fails"] else "COMPLETED"


def _records(store: Store, asked: _Asked) -> Iterator[Record]:
    """Live ones that are not converted, by id; some at a time, as there may be many."""
    (where, values), after, offset = asked.where, asked.after, asked.offset
    live = f"module = ? AND id > ? AND deleted IS NULL AND converted = 0 AND {where}"
    while found := store.find(live, (asked.module.name, after, *values), limit=_BATCH, offset=offset):
        yield from found
        after, offset = int(found[-1].id), 0


def _zipped(job: str, asked: _Asked, records: Iterable[Record], zone: ZoneInfo) -> tuple[bytes, int, int]:
    """The file, how many records it has, and the id of the last one (0 = none)."""
    file, count, last = io.BytesIO(), 0, "0"
    cells = [_cell(asked.module, name) for name in asked.columns]
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{job}.csv", "w") as entry,
        io.TextIOWrapper(entry, "utf-8", newline="") as text,
    ):
        writer = csv.writer(text)
        writer.writerow(asked.columns)
        for record in records:
            writer.writerow([cell(record, zone) for cell in cells])
            count, last = count + 1, record.id
    return file.getvalue(), count, int(last)


def _cell(module: Module, name: str) -> Callable[[Record, ZoneInfo], str]:
    """Lookups and owners are ids. Assumed: several options stand with `;` between, as a bulk write takes
    them; tags are their names with commas between."""
    system = _SYSTEM.get(name)
    kind = module.fields[name].type if name in module.fields else ""

    def cell(record: Record, zone: ZoneInfo) -> str:
        value = system(record, zone) if system else record.values.get(name)
        if kind == "boolean":
            return str(bool(value)).lower()
        if value is None:
            return name_of(module, record.values) if name == "Full_Name" else ""
        if isinstance(value, list):
            return (";" if kind == "multiselectpicklist" else ",").join(map(str, value))
        return moments.stored_shown(value, zone) if kind == "datetime" and not system else str(value)

    return cell
