"""`OrganizationData.svc`: records by OData v2, 50 a page, and nothing else: no messages, no options' labels.

Source: Microsoft's pages on the OData endpoint of CRM 2011 to 2016, the contract's samples. Assumed: the
status of refusals, the form of `$skiptoken`, that `__next` repeats the other options.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from starlette.requests import Request

from ...web.faults import Nature
from ..comparing import Asked, stored
from ..errors import CrmError
from ..family import Call, Reply
from ..query import Filter, Found, Order, Query
from ..record import Record
from ..schema import Entity
from ..values import show
from . import filters
from .names import entity_name, schema_name
from .values import TYPES, decoded, encoded

_PATH = re.compile(
    r".*/OrganizationData\.svc(?:/(?P<set>\w+)Set(?:\(guid'(?P<id>[^']+)'\))?(?P<rest>/.*)?)?/?"
)
_PAGE = 50
_OPERATIONS: Mapping[str, tuple[str, Nature]] = {
    "GET": ("retrieve_multiple", "read"),
    "POST": ("create", "write"),
    "MERGE": ("update", "write"),
    "DELETE": ("delete", "write"),
}
_JSON = {"Content-Type": "application/json", "DataServiceVersion": "1.0;"}
_TOKEN = re.compile(r"'((?:[^']|'')*)'")


class ODataV2:
    """The protocol, to `front`. Calls are counted as what they do: create, update, ..."""

    def operation(self, request: Request, body: bytes) -> tuple[str, Nature]:
        name, nature = _OPERATIONS.get(_method(request.method, request.headers), ("unknown", "other"))
        one = name == "retrieve_multiple" and request.url.path.endswith(")")
        return ("retrieve" if one else name), nature

    def answer(self, call: Call) -> Reply:
        """Raises CrmError."""
        found = _PATH.fullmatch(unquote(call.path))
        if found is None or found["rest"]:
            raise CrmError("ResourceNotFound", call.path.rpartition("/")[2])
        if found["set"] is None:
            sets = [f"{entity_name(name)}Set" for name in call.site.store.entities]
            return _reply(200, {"EntitySets": sorted(sets)})
        method = _method(call.method, call.headers)
        call.operations[_OPERATIONS.get(method, ("unknown", "other"))[0]] += 1
        return _Set(call, _entity(call, found["set"])).answer(method, found["id"])

    def failed(self, error: CrmError) -> Reply:
        told = {"code": str(error.number), "message": {"lang": "en-US", "value": error.message}}
        return Reply(error.status, json.dumps({"error": told}).encode(), dict(_JSON))


class _Set:
    def __init__(self, call: Call, entity: Entity) -> None:
        self._call, self._entity = call, entity
        self._logical = {schema_name(name): name for name in entity.attributes}
        self._root = f"{call.site.url}{call.site.root}/XRMServices/2011/OrganizationData.svc"
        self._url = f"{self._root}/{entity_name(entity.name)}Set"

    def answer(self, method: str, key: str | None) -> Reply:
        records, entity = self._call.records, self._entity
        if method == "GET" and key:
            return _reply(200, self._told(records.get(entity.name, key), self._selected()))
        if method == "GET":
            return self._page()
        if method == "POST" and not key:
            record = records.create(entity.name, self._given())
            told = self._told(record, None)
            return _reply(201, told, {"Location": told["__metadata"]["uri"]}, rows=1)
        if method == "MERGE" and key:
            records.update(entity.name, key, self._given())
        elif method == "DELETE" and key:
            records.delete(entity.name, key)
        else:
            raise CrmError("MethodNotAllowed", method)
        return Reply(204, rows=1)

    def _page(self) -> Reply:
        options, asked = self._options, Asked(self._call.records.caller.user, self._call.site.store.clock())
        entity, orders = self._entity, tuple(self._orders())
        where = options.get("$filter")
        page, after = self._token(orders)
        query = Query(
            entity.name,
            None,
            filters.read(where, entity, self._by_name, asked) if where else Filter(),
            orders,
            (),
            int(options["$top"]) if options.get("$top", "").isdigit() else None,
            _PAGE,
            page,
            after,
            options.get("$inlinecount") == "allpages",
        )
        found = self._call.records.search(query)
        selected = self._selected()
        body: dict[str, Any] = {"results": [self._told(match.record, selected) for match in found.matches]}
        if found.total is not None:
            body["__count"] = str(found.total)
        if found.more:
            body["__next"] = self._next(found, page, orders)
        return _reply(200, body)

    @property
    def _options(self) -> dict[str, str]:
        return dict(parse_qsl(self._call.query, keep_blank_values=True))

    def _by_name(self, name: str) -> str:
        """Raises BadRequest."""
        if name not in self._logical:
            kind = f"{TYPES}.{entity_name(self._entity.name)}"
            raise CrmError("BadRequest", f"No property '{name}' exists in type '{kind}' at position 0.")
        return self._logical[name]

    def _selected(self) -> list[str] | None:
        names = self._options.get("$select")
        return [self._by_name(name.strip()) for name in names.split(",")] if names else None

    def _orders(self) -> list[Order]:
        parts = [part.split() for part in self._options.get("$orderby", "").split(",") if part.strip()]
        return [Order(self._by_name(name), direction == ["desc"]) for name, *direction in parts]

    def _token(self, orders: tuple[Order, ...]) -> tuple[int, tuple[Any, ...] | None]:
        """Which page, and the values it begins behind: `1,'leadid','{last}','{first}'` of the page before."""
        number, _, told = self._options.get("$skiptoken", "").partition(",")
        if not number:
            return 1, None
        entity = self._entity
        parts = [part.replace("''", "'") for part in _TOKEN.findall(told)]
        names = [*(order.attribute for order in orders), entity.id]
        if parts[::3] != names or not number.isdigit():
            raise CrmError("BadRequest", "Malformed $skiptoken.")
        lasts = zip(names, parts[1::3], strict=True)
        values = tuple(
            stored(entity, entity.attributes[name], last) if last else None for name, last in lasts
        )
        return int(number) + 1, values

    def _next(self, found: Found, page: int, orders: tuple[Order, ...]) -> str:
        names = [*(order.attribute for order in orders), self._entity.id]
        token = str(page)
        for name, last, first in zip(names, found.after or (), found.first or (), strict=True):
            sides = (_side(name == self._entity.id, value) for value in (last, first))
            token += ",".join(["", f"'{name}'", *sides])
        options = self._options | {"$skiptoken": token}
        return f"{self._url}?" + "&".join(f"{name}={quote(value)}" for name, value in options.items())

    def _told(self, record: Record, names: list[str] | None) -> dict[str, Any]:
        entity, store = self._entity, self._call.site.store
        kind = f"{TYPES}.{entity_name(entity.name)}"
        told: dict[str, Any] = {"__metadata": {"uri": f"{self._url}(guid'{record.id}')", "type": kind}}
        for name in entity.attributes if names is None else names:
            attribute = entity.attributes[name]
            told[schema_name(name)] = encoded(attribute, show(entity, record, name), store)
        return told

    def _given(self) -> dict[str, Any]:
        """The body's values. Raises CrmError."""
        try:
            body = json.loads(self._call.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise CrmError("BadRequest", "Error processing request stream.")
        names = {name: self._by_name(name) for name in body if name != "__metadata"}
        attributes = self._entity.attributes
        return {logical: decoded(attributes[logical], body[name]) for name, logical in names.items()}


def _method(method: str, headers: Mapping[str, str]) -> str:
    """Proxies know no MERGE: it is said in a header."""
    return headers.get("x-http-method", method) if method == "POST" else method


def _entity(call: Call, name: str) -> Entity:
    for entity in call.site.store.entities.values():
        if entity_name(entity.name) == name:
            return entity
    raise CrmError("ResourceNotFound", f"{name}Set")


def _side(is_id: bool, value: Any) -> str:
    text = "" if value is None else str(value).replace("'", "''")
    return f"'{{{text.upper()}}}'" if is_id else f"'{text}'"


def _reply(status: int, body: Any, headers: Mapping[str, str] | None = None, rows: int = 0) -> Reply:
    text = json.dumps({"d": body}, ensure_ascii=False, separators=(",", ":"))
    return Reply(status, text.encode(), {**_JSON, **(headers or {})}, rows)
