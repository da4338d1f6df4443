"""`Organization.svc/web`: the eight operations of IOrganizationService, by SOAP 1.1.

Source: the service's WSDL and recorded envelopes; how WCF words what never reaches the service: Microsoft's
documentation of WCF's faults.
"""

from collections.abc import Callable, Mapping

from starlette.requests import Request

from ...web.faults import Nature
from ..errors import CrmError
from ..family import Call, Reply
from .decoding import Malformed, children, guid, local, members, message, record, target, text
from .encoding import Element, add, rooted
from .envelope import CONTENT_TYPE, body_of, enveloped, fault, fault_of_wcf
from .executing import WRITING, Executor, counted
from .names import SERVICES, TYPE

_ACTION = f"{SERVICES}/IOrganizationService/"
_METADATA = frozenset({"RetrieveAttribute", "RetrieveEntity", "RetrieveVersion", "WhoAmI"})
_UNKNOWN_ACTION = (
    "The message with Action '{}' cannot be processed at the receiver, due to a ContractFilter mismatch at"
    " the EndpointDispatcher."
)


class Soap:
    """The protocol, to `front`. Calls are counted as their operation, those of Execute as its message."""

    def operation(self, request: Request, body: bytes) -> tuple[str, Nature]:
        try:
            element = body_of(body)
            name = local(element)
            if name == "Execute":
                name = message(_only(element)).name
        except Malformed:
            return "unknown", "other"
        if name in _METADATA:
            return counted(name), "other"
        return counted(name), "write" if name in WRITING else "read"

    def answer(self, call: Call) -> Reply:
        """Raises CrmError."""
        if not call.headers.get("content-type", "").startswith("text/xml"):
            return Reply(415)
        action = call.headers.get("soapaction", "").strip('"')
        try:
            element = body_of(call.body)
            name = local(element)
            if action != _ACTION + name or name not in _OPERATIONS:
                return _fault(fault_of_wcf("a:ActionNotSupported", _UNKNOWN_ACTION.format(action)))
            executor = Executor(call)
            if name != "Execute":
                executor.count(name)
            answer = rooted(SERVICES, f"{name}Response")
            _OPERATIONS[name](executor, element, answer)
        except (Malformed, ValueError, KeyError):
            return _fault(fault_of_wcf())
        return Reply(200, enveloped(answer), {"Content-Type": CONTENT_TYPE}, executor.written)

    def failed(self, error: CrmError) -> Reply:
        return _fault(fault(error))


def _fault(body: bytes) -> Reply:
    return Reply(500, body, {"Content-Type": CONTENT_TYPE})


def _only(element: Element) -> Element:
    """The operation's one argument. Raises Malformed."""
    found = list(children(element))
    if len(found) != 1:
        raise Malformed
    return found[0]


def _create(executor: Executor, element: Element, answer: Element) -> None:
    made = executor.service().create(record(_only(element)))
    add(answer, SERVICES, "CreateResult", made.id)


def _update(executor: Executor, element: Element, answer: Element) -> None:
    executor.service().update(record(_only(element)))


def _delete(executor: Executor, element: Element, answer: Element) -> None:
    part = members(element, ("entityName", "id"))
    executor.service().records.delete(text(part.get("entityName")), guid(part.get("id")))


def _retrieve(executor: Executor, element: Element, answer: Element) -> None:
    part = members(element, ("entityName", "id", "columnSet"))
    service = executor.service()
    entity = service.records.entity(text(part.get("entityName")))
    service.retrieve(
        add(answer, SERVICES, "RetrieveResult"), entity, guid(part.get("id")), part.get("columnSet")
    )


def _retrieve_multiple(executor: Executor, element: Element, answer: Element) -> None:
    query = _only(element)
    kind = query.get(TYPE, "").rpartition(":")[2]
    executor.service().retrieve_multiple(add(answer, SERVICES, "RetrieveMultipleResult"), query, kind)


def _execute(executor: Executor, element: Element, answer: Element) -> None:
    executor.execute(add(answer, SERVICES, "ExecuteResult"), message(_only(element)))


def _tie(executor: Executor, element: Element, answer: Element) -> None:
    """Associate, Disassociate."""
    part = members(element, ("entityName", "entityId", "relationship", "relatedEntities"))
    schema_name = members(part.get("relationship"), ("PrimaryEntityRole", "SchemaName")).get("SchemaName")
    related = [target(child) for child in children(part.get("relatedEntities"))]
    held = text(part.get("entityName")), guid(part.get("entityId"))
    ends = local(element) == "Disassociate"
    executor.service().associate(held, text(schema_name), related, ends=ends)


_OPERATIONS: Mapping[str, Callable[[Executor, Element, Element], None]] = {
    "Associate": _tie,
    "Create": _create,
    "Delete": _delete,
    "Disassociate": _tie,
    "Execute": _execute,
    "Retrieve": _retrieve,
    "RetrieveMultiple": _retrieve_multiple,
    "Update": _update,
}
