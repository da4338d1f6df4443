"""The operations of SOAP and legacy REST: what each answers, once its parameters are known by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import contract, describing, links, reading, records, rights, rows
from .envelope import Request, Value, integer, items, pairs, text, texts
from .faults import DiedWriting, Faults, Happening, Nature, RowRefused
from .linked import LinkFields, relationship_list
from .modules import Module
from .sessions import Session, Sessions
from .site import Protocols, Settings
from .soapfault import client_fault, fault
from .store import Store

Args = Mapping[str, Value]
_NATURES: Mapping[str, Nature] = {
    "login": "login",
    "logout": "logout",
    "get_server_info": "open",
    "set_entry": "write",
    "set_entries": "write",
    "set_relationship": "write",
}
# The right that an operation on a module takes; those missing here take none.
_RIGHTS = {
    "set_entry": "edit",
    "set_entries": "edit",
    "get_entry": "view",
    "get_entries": "view",
    "get_entry_list": "list",
    "get_entries_count": "list",
}


@dataclass(slots=True)
class Call:
    """One call by SOAP or legacy REST, and all it may touch.

    `rows_written` is what it will be charged for; `prefix` stands before the operation in the counts.
    """

    store: Store
    sessions: Sessions
    faults: Faults
    protocols: Protocols
    settings: Settings
    version: str
    request: Request
    prefix: str = ""
    cookie: str | None = None
    traceparent: str | None = None
    session: Session | None = None
    rows_written: int = 0

    @property
    def caller(self) -> records.Caller:
        session = self._session()
        return records.Caller(session.user, session.is_admin, self.traceparent, self.settings.changes_emails)

    @property
    def happening(self) -> Happening:
        operation = self.request.operation
        nature = _NATURES.get(operation, "read")
        return Happening(self.prefix + operation, nature, self._module_name(), operation)

    @property
    def session_id(self) -> str:
        """The session a call waits for: its first parameter, or for a login the one its cookie names."""
        if self.request.operation == "login":
            return self.cookie or ""
        return text(self.request.parameters[0]) if self.request.parameters else ""

    def _session(self) -> Session:
        if self.session is None:
            raise fault(11)
        return self.session

    def args(self) -> Args:
        """Parameters by the names of their positions; what was sent beyond them is ignored."""
        operation = contract.operations(self.version).get(self.request.operation)
        if operation is None:
            raise client_fault(
                f"Operation '{self.request.operation}' is not defined in the WSDL for this service"
            )
        if len(self.request.parameters) < operation.required:
            raise fault(-1)
        return dict(zip((name for name, _ in operation.parts), self.request.parameters, strict=False))

    def _module_name(self) -> str | None:
        operation = contract.operations(self.version).get(self.request.operation)
        names = [name for name, _ in operation.parts] if operation else []
        index = names.index("module_name") if "module_name" in names else len(self.request.parameters)
        return text(self.request.parameters[index]) if index < len(self.request.parameters) else None


def run(call: Call) -> Any:
    """The result in the shape of the contract's type, None where the answer is nil. Raises `SoapFault`."""
    args = call.args()
    name = call.request.operation
    if "session" in args:
        session_id = text(args["session"])
        if not session_id and call.version != "v2":
            return None
        call.session = call.sessions.get(session_id)
        if call.session is None:
            raise fault(11)
    if name in _MODULE_OPERATIONS:
        module = call.store.modules.get(text(args["module_name"]))
        if module is None:
            raise fault(20)
        right = _RIGHTS.get(name)
        if right in rights.denied(call.store, call.caller.user, module.name):
            raise fault(40)
        if right == "edit" and module.name == "Users" and not call.caller.is_admin:
            raise fault(40)
        return _MODULE_OPERATIONS[name](call, module, args)
    return _OPERATIONS[name](call, args)


def _login(call: Call, args: Args) -> Any:
    auth = args["user_auth"]
    credentials = auth if isinstance(auth, dict) else {}
    call.session, user = call.sessions.login(
        text(credentials.get("user_name")), text(credentials.get("password")), call.cookie
    )
    told: dict[str, str | None] = {
        "user_id": user["id"],
        "user_name": user["user_name"],
        "user_language": "en_us",
        "user_currency_id": None,
    }
    if call.version != "v2":
        told |= {
            "user_is_admin": "1" if user["is_admin"] else "",
            "user_default_team_id": None,
            "user_default_dateformat": "m/d/Y",
            "user_default_timeformat": "H:i",
            "user_number_separator": ",",
            "user_decimal_separator": ".",
            "mobile_max_list_entries": None,
            "mobile_max_subpanel_entries": None,
        }
    told["user_currency_name"] = "US Dollar"
    return {"id": call.session.id, "module_name": "Users", "name_value_list": reading.name_values(told)}


def _logout(call: Call, args: Args) -> None:
    call.sessions.forget(text(args["session"]))


def _get_server_info(call: Call, args: Args) -> Any:
    server = call.protocols
    return {"flavor": server.flavor, "version": server.version, "gmt_time": call.store.now()}


def _get_user_id(call: Call, args: Args) -> str:
    return call.caller.user


def _get_available_modules(call: Call, args: Args) -> Any:
    return describing.available_modules(
        call.store, call.version, call.caller.user, is_admin=call.caller.is_admin
    )


def _get_module_fields(call: Call, module: Module, args: Args) -> Any:
    return describing.module_fields(call.store, module, texts(args.get("fields")))


def _get_entry(call: Call, module: Module, args: Args) -> Any:
    return _entries(call, module, [text(args["id"])], args)


def _get_entries(call: Call, module: Module, args: Args) -> Any:
    return _entries(call, module, texts(args["ids"]), args)


def _entries(call: Call, module: Module, ids: list[str], args: Args) -> Any:
    asked = _links(args["link_name_to_fields_array"])
    wanted = _wanted(args["select_fields"])
    entries, found = [], []
    for key in ids:
        row = reading.by_id(call.store, module, key)
        if row is None:
            entries.append(reading.missing(module, key))
        else:
            entries.append(reading.entry(call.store, module, row, wanted, call.version))
            found.append(entries[-1])
    related = relationship_list(call.store, module, found, asked, call.version)
    return {"entry_list": entries, "relationship_list": related}


def _get_entry_list(call: Call, module: Module, args: Args) -> Any:
    with_deleted = integer(args["deleted"]) != 0
    selection = reading.Selection(
        call.store, module, text(args["query"]), version=call.version, with_deleted=with_deleted
    )
    offset, limit = integer(args["offset"]), integer(args["max_results"])
    found = selection.page(text(args["order_by"]), offset, limit if limit > 0 else reading.DEFAULT_PAGE)
    wanted = _wanted(args["select_fields"])
    entries = [reading.entry(call.store, module, row, wanted, call.version) for row in found]
    asked = _links(args["link_name_to_fields_array"])
    return {
        "result_count": len(entries),
        "total_count": selection.count(),
        "next_offset": offset + len(entries),
        "entry_list": entries,
        "relationship_list": relationship_list(call.store, module, entries, asked, call.version),
    }


def _get_entries_count(call: Call, module: Module, args: Args) -> Any:
    with_deleted = integer(args["deleted"]) != 0
    selection = reading.Selection(
        call.store, module, text(args["query"]), version=call.version, with_deleted=with_deleted
    )
    return {"result_count": selection.count()}


def _set_entry(call: Call, module: Module, args: Args) -> Any:
    return {"id": _save(call, module, args["name_value_list"], "set_entry")}


def _set_entries(call: Call, module: Module, args: Args) -> Any:
    """Not atomic: a failing item ends the call with its fault, and the earlier ones stay."""
    return {"ids": [_save(call, module, item, "set_entries") for item in items(args["name_value_lists"])]}


def _save(call: Call, module: Module, name_value_list: Value, via: records.Via) -> str:
    values = pairs(name_value_list)

    def save() -> str:
        call.rows_written += 1
        return records.save(call.store, call.caller, module, values, via)

    try:
        return rows.write(call.store, call.faults, call.happening, values, save)
    except (RowRefused, DiedWriting):
        raise fault(-1) from None


def _set_relationship(call: Call, args: Args) -> Any:
    module = call.store.modules.get(text(args["module_name"]))
    link = module.links.get(text(args["link_field_name"])) if module else None
    if module is None or link is None:
        return {"created": 0, "failed": 1, "deleted": 0}
    own, related = text(args["module_id"]), texts(args["related_ids"])
    call.rows_written += len(related)
    with call.store.transaction():
        if integer(args["delete"]):
            links.remove(call.store, link, own, related)
            links.tell(call.store, "after_relationship_delete", module.name, own, link, related)
            return {"created": 0, "failed": 0, "deleted": 1}
        links.add(call.store, link, own, related, pairs(args["name_value_list"]))
        links.tell(call.store, "after_relationship_add", module.name, own, link, related)
    return {"created": 1, "failed": 0, "deleted": 0}


def _get_relationships(call: Call, module: Module, args: Args) -> Any:
    own, link = text(args["module_id"]), module.links.get(text(args["link_field_name"]))
    if reading.by_id(call.store, module, own) is None:
        raise fault(-1)
    if link is None:
        return {"entry_list": [], "relationship_list": []}
    related = call.store.modules[link.module]
    selection = reading.Selection(
        call.store, related, text(args["related_module_query"]), version=call.version
    ).related_to(link, own)
    limit = integer(args.get("limit"))
    offset = integer(args.get("offset"))
    found = selection.page(text(args.get("order_by")), offset, limit if limit > 0 else -1)
    wanted = _wanted(args["related_fields"])
    entries = [reading.entry(call.store, related, row, wanted, call.version) for row in found]
    asked = _links(args["related_module_link_name_to_fields_array"])
    return {
        "entry_list": entries,
        "relationship_list": relationship_list(call.store, related, entries, asked, call.version),
    }


def _wanted(select_fields: Value) -> list[str]:
    """Names that cannot be read as names (no arrayType) still count as a selection: of nothing."""
    return [text(item) for item in items(select_fields)]


def _links(value: Value) -> LinkFields:
    return [
        (text(item.get("name")), texts(item.get("value")))
        for item in items(value)
        if isinstance(item, dict) and texts(item.get("value"))
    ]


_OPERATIONS: Mapping[str, Callable[[Call, Args], Any]] = {
    "login": _login,
    "logout": _logout,
    "get_server_info": _get_server_info,
    "get_user_id": _get_user_id,
    "get_available_modules": _get_available_modules,
    "set_relationship": _set_relationship,
}
_MODULE_OPERATIONS: Mapping[str, Callable[[Call, Module, Args], Any]] = {
    "get_module_fields": _get_module_fields,
    "get_entry": _get_entry,
    "get_entries": _get_entries,
    "get_entry_list": _get_entry_list,
    "get_entries_count": _get_entries_count,
    "set_entry": _set_entry,
    "set_entries": _set_entries,
    "get_relationships": _get_relationships,
}
