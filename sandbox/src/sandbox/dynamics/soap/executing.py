"""Messages carried out, one by one and many in one call. Source: Microsoft's page on ExecuteMultiple."""

import re
from dataclasses import replace

from ..errors import CrmError
from ..family import Call
from ..records import Records
from .decoding import Message
from .encoding import Element, add, add_pair
from .envelope import fill_fault
from .messages import MESSAGES, Results, known, typed
from .names import TYPE, XRM, XRM_2012
from .service import Service

MANY = "ExecuteMultiple"
MOST = 1000
WRITING = frozenset(
    {
        "AddItemCampaign",
        "AddListMembersList",
        "AddMemberList",
        "Assign",
        "Associate",
        "Create",
        "Delete",
        "Disassociate",
        "LoseOpportunity",
        "QualifyLead",
        "RemoveMemberList",
        "SetState",
        "Update",
        "Upsert",
        "WinOpportunity",
        MANY,
    }
)
# Whose responses the SDK's own assembly declares; the others' are of the assembly with the CRM's messages.
_OF_XRM = {
    "Associate",
    "Create",
    "Delete",
    "Disassociate",
    MANY,
    "Retrieve",
    "RetrieveAttribute",
    "RetrieveEntity",
    "RetrieveMultiple",
    "Update",
    "Upsert",
}
_NAME = re.compile(r"(?<=.)(?=[A-Z])")


def counted(name: str) -> str:
    """`RetrieveMultiple` as calls are counted: `retrieve_multiple`."""
    return _NAME.sub("_", name).lower()


class Executor:
    """written: rows that have been written so far."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.written = 0

    def service(self, message: Message | None = None) -> Service:
        """With the duplicate rules applied, if the message has asked for that."""
        records = self._call.records
        if message is not None and message.value("SuppressDuplicateDetection") is False:
            records = Records(records.site, replace(records.caller, detect_duplicates=True))
        return Service(records)

    def execute(self, element: Element, message: Message) -> None:
        """Fills an OrganizationResponse. Raises CrmError, Malformed."""
        if message.name == MANY and known(MANY, self._call.site.full_version):
            results = self._many(message)
        else:
            results = self._one(message)
        self._fill(element, message.name, results)

    def _one(self, message: Message) -> Results:
        handler = MESSAGES.get(message.name)
        if handler is None or not known(message.name, self._call.site.full_version):
            raise CrmError("InvalidArgument")
        self.count(message.name)
        return handler(self.service(message), message)

    def count(self, name: str) -> None:
        """As a row of its own."""
        self._call.operations[counted(name)] += 1
        self.written += name in WRITING

    def _many(self, message: Message) -> Results:
        requests, settings = message.value("Requests", []), message.value("Settings", {})
        if len(requests) > MOST or any(request.name == MANY for request in requests):
            raise CrmError("InvalidArgument")
        goes_on, answers = settings.get("ContinueOnError", False), settings.get("ReturnResponses", False)
        outcomes: list[tuple[int, str, Results | CrmError]] = []
        faulted = False
        for index, request in enumerate(requests):
            try:
                results = self._one(request)
                if answers:
                    outcomes.append((index, request.name, results))
            except CrmError as error:
                faulted = True
                outcomes.append((index, request.name, error))
                if not goes_on:
                    break

        def fill(element: Element) -> None:
            element.set(TYPE, "l:OrganizationResponseCollection")
            for index, name, outcome in outcomes:
                item = add(element, XRM_2012, "ExecuteMultipleResponseItem")
                if isinstance(outcome, CrmError):
                    fill_fault(add(item, XRM_2012, "Fault"), outcome)
                add(item, XRM_2012, "RequestIndex", str(index))
                if not isinstance(outcome, CrmError):
                    self._fill(add(item, XRM_2012, "Response"), name, outcome)

        return {"IsFaulted": typed("d:boolean", "true" if faulted else "false"), "Responses": fill}

    def _fill(self, element: Element, name: str, results: Results) -> None:
        element.set(TYPE, f"{'b' if name in _OF_XRM else 'g'}:{name}Response")
        add(element, XRM, "ResponseName", name)
        listed = add(element, XRM, "Results")
        for key, fill in results.items():
            fill(add_pair(listed, key))
