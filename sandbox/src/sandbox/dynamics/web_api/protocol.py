"""The Web API as one of the server's protocols: its addresses by version, and its way of refusing."""

import re
from collections.abc import Mapping

from starlette.requests import Request

from ...web.faults import Nature
from ..errors import CrmError
from ..family import Call, Reply
from .asks import Answer, Ask, failure
from .batch import Batch
from .dispatch import answer

_ADDRESS = re.compile(r"/api/data/v(\d+)\.(\d+)(?:/(.*))?", re.DOTALL)
_WRITES = re.compile(rb"^(POST|PATCH|PUT|DELETE) ", re.MULTILINE)
_FUNCTIONS: Mapping[str, str] = {
    "WhoAmI": "who_am_i",
    "RetrieveVersion": "version",
    "RetrieveTotalRecordCount": "count",
    "AddListMembersList": "add_members",
    "WinOpportunity": "close",
    "LoseOpportunity": "close",
    "QualifyLead": "qualify",
    "AddMemberList": "add_members",
    "RemoveMemberList": "remove_member",
    "CreateMultiple": "create",
    "UpdateMultiple": "update",
    "UpsertMultiple": "upsert",
}
_METADATA = ("EntityDefinitions", "GlobalOptionSetDefinitions", "$metadata")
_BY_METHOD: Mapping[str, str] = {"POST": "create", "PATCH": "update", "PUT": "update", "DELETE": "delete"}
_READS = frozenset({"who_am_i", "version", "count"})
_OLDEST = (8, 0)


class WebApi:
    """See `Family`."""

    def operation(self, request: Request, body: bytes) -> tuple[str, Nature]:
        """By address and method; a batch that writes anything is a write."""
        path = request.url.path.partition("/api/data/")[2].partition("/")[2]
        if path.startswith("$batch"):
            return "batch", "write" if _WRITES.search(body) else "read"
        if path.startswith(_METADATA):
            return "metadata", "other"
        for name in (path.partition("(")[0], path.rpartition(".")[2]):
            if name in _FUNCTIONS:
                operation = _FUNCTIONS[name]
                return operation, "read" if operation in _READS else "write"
        if request.method in _BY_METHOD:
            return _BY_METHOD[request.method], "write"
        return self._reading(request, path), "read"

    def answer(self, call: Call) -> Reply:
        ask = _ask(call)
        if ask.path == "$batch":
            if ask.method != "POST":
                raise CrmError("MethodNotAllowed", ask.method)
            batch = Batch(ask)
            reply = batch.reply()
            call.operations += batch.operations
            return reply
        if not ask.path:
            return _reply(_service(ask))
        done = answer(ask)
        call.operations[done.operation] += 1
        return _reply(done)

    def failed(self, error: CrmError) -> Reply:
        return _reply(Answer("failed", error.status, failure(error)))

    @staticmethod
    def _reading(request: Request, path: str) -> str:
        query = request.query_params
        if "fetchXml" in query:
            return "fetch"
        if "$deltatoken" in query or "odata.track-changes" in request.headers.get("prefer", ""):
            return "changes"
        return "retrieve" if "(" in path else "retrieve_multiple"


def _ask(call: Call) -> Ask:
    """Raises ResourceNotFound for a version that is not there."""
    match = _ADDRESS.fullmatch(call.path)
    if match is None or not _OLDEST <= (int(match[1]), int(match[2])) <= call.site.version:
        raise CrmError("ResourceNotFound", call.path)
    base = f"{call.site.url}{call.site.root}/api/data/v{match[1]}.{match[2]}"
    path = (match[3] or "").strip("/")
    return Ask(call.site, call.records, base, call.method, path, call.query, call.headers, call.body)


def _service(ask: Ask) -> Answer:
    """The service document: which sets there are."""
    sets = [
        {"name": entity.set, "kind": "EntitySet", "url": entity.set}
        for entity in ask.site.store.entities.values()
    ]
    return Answer("metadata", body={"@odata.context": f"{ask.base}/$metadata", "value": sets})


def _reply(done: Answer) -> Reply:
    return Reply(done.status, done.raw, done.typed, done.rows)
