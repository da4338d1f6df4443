"""What belongs to a record: notes and activities, and members of campaigns.

Source: Zoho's documentation and the contract notes. Assumed: a related list is the newest record first, and
pages go by number alone; a member who is put in without a status again keeps its own, and a new one is
Planned; any text is taken for a status, as by pick lists; taking out who is not in is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import BAD_ID, ApiError, RowError, bad_id, success
from .listing import PER_PAGE, fields_of
from .operations import Call, Operation, Reply
from .records import moment, status_of
from .rendering import shown
from .store import Record, Row

_PEOPLE = ("Leads", "Contacts")


@dataclass(frozen=True, slots=True)
class _List:
    """SQL for the records of `module` that belong to one; every `?` is that one's id."""

    module: str
    where: str


def _pointing(module: str, *fields: str) -> _List:
    return _List(module, " OR ".join(f"json_extract(body, '$.{field}') = ?" for field in fields))


_ACTIVITIES = tuple(_pointing(module, "Who_Id", "What_Id") for module in ("Tasks", "Calls", "Events"))
_CAMPAIGNS = _List("Campaigns", "id IN (SELECT campaign FROM members WHERE person = CAST(? AS INTEGER))")
_MEMBERS = tuple(
    _List(module, "id IN (SELECT person FROM members WHERE campaign = CAST(? AS INTEGER))")
    for module in _PEOPLE
)
_LISTS: dict[str, tuple[_List, ...]] = {
    "Leads": (_pointing("Notes", "Parent_Id"), *_ACTIVITIES, _CAMPAIGNS),
    "Contacts": (
        _pointing("Notes", "Parent_Id"),
        *_ACTIVITIES,
        _CAMPAIGNS,
        _pointing("Deals", "Contact_Name"),
    ),
    "Accounts": (
        _pointing("Notes", "Parent_Id"),
        *_ACTIVITIES,
        _pointing("Contacts", "Account_Name"),
        _pointing("Deals", "Account_Name"),
    ),
    "Deals": (_pointing("Notes", "Parent_Id"), *_ACTIVITIES),
    "Campaigns": (_pointing("Notes", "Parent_Id"), *_ACTIVITIES, *_MEMBERS),
}


def listing(call: Call) -> Reply:
    """Raises INVALID_DATA where there is no such record, INVALID_URL_PATTERN where it has no such list."""
    parent = _parent(call)
    found = next((one for one in _LISTS.get(parent.module, ()) if one.module == call.path["list"]), None)
    if found is None:
        raise ApiError("INVALID_URL_PATTERN")
    module = call.named(found.module)
    call.allow("view", module)
    fields = fields_of(call)
    page, size = call.number("page", 1, 10**6), call.number("per_page", PER_PAGE, PER_PAGE)
    where = f"module = ? AND deleted IS NULL AND converted = 0 AND ({found.where})"
    parameters: list[Any] = [module.name, *[parent.id] * found.where.count("?")]
    if since := call.headers.get("if-modified-since"):
        where += " AND modified >= ?"
        parameters.append(moment(since, "If-Modified-Since"))
    records = call.store.find(where, parameters, "id DESC", size + 1, (page - 1) * size)
    if not records:
        return Reply(304 if since else 204)
    rows = shown(call.site, call.user, module, records[:size], fields)
    if parent.module == "Campaigns" and module.name in _PEOPLE:
        _add_status(call, parent, rows)
    info = {
        "call": False,
        "per_page": size,
        "next_page_token": None,
        "count": len(rows),
        "sort_by": "id",
        "page": page,
        "previous_page_token": None,
        "page_token_expiry": None,
        "sort_order": "desc",
        "email": False,
        "more_records": len(records) > size,
    }
    return Reply(body={"data": rows, "info": info})


def lists(call: Call) -> Reply:
    """Which related lists a module's records have. Source: the official SDK, which asks before it reads."""
    module = call.named(call.required("module"))
    rows = [
        {
            "id": f"{module.id[:13]}{number:06}",
            "api_name": one.module,
            "name": one.module,
            "display_label": one.module,
            "sequence_number": str(number),
            "type": "default",
            "href": f"{module.name}/{{ENTITYID}}/{one.module}",
            "module": {"api_name": one.module, "id": call.store.modules[one.module].id},
            "visible": True,
        }
        for number, one in enumerate(_LISTS.get(module.name, ()), 1)
    ]
    return Reply(body={"related_lists": rows}) if rows else Reply(204)


def join(call: Call) -> Reply:
    """People into campaigns, from either side."""

    def add(campaign: int, person: Record, row: Row) -> str:
        status, key = row.get("Member_Status"), (campaign, person.module, int(person.id))
        sql = "INSERT OR IGNORE INTO members VALUES (?, ?, ?, 'Planned')"
        call.store.execute(sql, key)
        if status:
            sql = "UPDATE members SET status = ? WHERE campaign = ? AND module = ? AND person = ?"
            call.store.execute(sql, (status, *key))
        return "relation added"

    return _relate(call, call.rows(), add)


def leave(call: Call) -> Reply:
    def remove(campaign: int, person: Record, row: Row) -> str:
        sql = "DELETE FROM members WHERE campaign = ? AND person = ?"
        if not call.store.execute(sql, (campaign, int(person.id))):
            raise RowError("INVALID_DATA", {"id": row["id"]}, "the related id given seems to be invalid")
        return "relation removed"

    given = call.path.get("other") or call.required("ids")
    return _relate(call, [{"id": key} for key in given.split(",")], remove)


_RECORD = "/crm/{version}/{module}/{id}"
_SHOWN = ("Notes", "Tasks", "Calls", "Events", "Campaigns", "Leads", "Contacts", "Deals")
OPERATIONS = (
    Operation(
        "related lists", "GET", "/crm/{version}/settings/related_lists", "read", "settings.READ", lists
    ),
    *(
        Operation(
            f"GET related {name}", "GET", f"{_RECORD}/(?P<list>{name})", "read", "modules.READ", listing
        )
        for name in _SHOWN
    ),
    *(
        Operation(name, method, address, "write", "modules.UPDATE", answer)
        for name, method, address, answer in (
            ("join campaign", "PUT", f"{_RECORD}/(?P<list>Campaigns|Leads|Contacts)", join),
            ("leave campaign", "DELETE", f"{_RECORD}/(?P<list>Campaigns|Leads|Contacts)", leave),
            ("leave campaign", "DELETE", f"{_RECORD}/(?P<list>Campaigns|Leads|Contacts)/{{other}}", leave),
        )
    ),
)


def _parent(call: Call) -> Record:
    call.allow("view", call.module)
    record = call.store.get(call.module.name, call.path["id"])
    if record is None:
        raise bad_id()
    return record


def _add_status(call: Call, campaign: Record, rows: Sequence[Row]) -> None:
    known = call.store.rows("SELECT person, status FROM members WHERE campaign = ?", (int(campaign.id),))
    status = {str(row["person"]): row["status"] for row in known}
    for row in rows:
        row["Member_Status"] = status.get(row["id"])


def _relate(call: Call, given: Sequence[Row], do: Callable[[int, Record, Row], str]) -> Reply:
    """Each row has its outcome. Raises INVALID_URL_PATTERN between modules that have no such relation."""
    parent, other = _parent(call), call.path["list"]
    sides = {parent.module, other}
    if "Campaigns" not in sides or not sides & set(_PEOPLE):
        raise ApiError("INVALID_URL_PATTERN")
    call.allow("edit", call.module)
    outcomes = []
    for row in given:
        record = call.store.get(other, row.get("id"))
        if record is None:
            outcomes.append(RowError("INVALID_DATA", {"id": row.get("id")}, BAD_ID).row)
            continue
        campaign, person = (record, parent) if other == "Campaigns" else (parent, record)
        try:
            outcomes.append(success({"id": record.id}, do(int(campaign.id), person, row)))
        except RowError as refused:
            outcomes.append(refused.row)
    return Reply(status_of(outcomes), {"data": outcomes}, rows=len(given))
