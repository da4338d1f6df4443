"""A client of the organisation service that writes its envelopes by hand."""

import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from lxml import etree

from sandbox.dynamics import Dynamics

_TLS = ssl.create_default_context()
"""Making one takes longer than most of the tests."""
SERVICES = "http://schemas.microsoft.com/xrm/2011/Contracts/Services"
XRM = "http://schemas.microsoft.com/xrm/2011/Contracts"
ZERO = "00000000-0000-0000-0000-000000000000"
PREFIXES = (
    f'xmlns:b="{XRM}" xmlns:c="http://schemas.datacontract.org/2004/07/System.Collections.Generic"'
    ' xmlns:d="http://www.w3.org/2001/XMLSchema" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:e="http://schemas.microsoft.com/2003/10/Serialization/"'
    ' xmlns:f="http://schemas.microsoft.com/2003/10/Serialization/Arrays"'
    ' xmlns:k="http://schemas.microsoft.com/xrm/7.1/Contracts"'
    ' xmlns:l="http://schemas.microsoft.com/xrm/2012/Contracts"'
)


class Fault(Exception):
    """code: None for a fault without detail."""

    def __init__(self, code: int | None, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def text(kind: str, value: object) -> str:
    return f'<c:value i:type="{kind}">{value}</c:value>'


def string(value: str) -> str:
    return text("d:string", value)


def option(value: int) -> str:
    return text("b:OptionSetValue", f"<b:Value>{value}</b:Value>")


def reference(entity: str, key: str) -> str:
    return text("b:EntityReference", f"<b:Id>{key}</b:Id><b:LogicalName>{entity}</b:LogicalName>")


def pairs(values: dict[str, str]) -> str:
    return "".join(
        f"<b:KeyValuePairOfstringanyType><c:key>{key}</c:key>{value}</b:KeyValuePairOfstringanyType>"
        for key, value in values.items()
    )


def entity(name: str, values: dict[str, str], key: str = ZERO, middle: str = "", end: str = "") -> str:
    return (
        f"<b:Attributes>{pairs(values)}</b:Attributes><b:Id>{key}</b:Id>{middle}"
        f"<b:LogicalName>{name}</b:LogicalName>{end}"
    )


def request(name: str, parameters: dict[str, str]) -> str:
    return f"<b:Parameters>{pairs(parameters)}</b:Parameters><b:RequestName>{name}</b:RequestName>"


class Service:
    """The client. Answers come as the element in the body."""

    def __init__(self, crm: Dynamics, http: httpx.AsyncClient) -> None:
        self.crm, self.http = crm, http

    async def post(self, body: str, **headers: str) -> httpx.Response:
        found = re.match(r"<(\w+)", body)
        assert found
        envelope = (
            f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f"{body.replace(found[0], f'{found[0]} xmlns={chr(34)}{SERVICES}{chr(34)} {PREFIXES}', 1)}"
            f"</s:Body></s:Envelope>"
        )
        usual = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{SERVICES}/IOrganizationService/{found[1]}"',
        }
        return await self.http.post(self.crm.soap_url, content=envelope.encode(), headers=usual | headers)

    async def call(self, body: str) -> etree._Element:
        """Raises Fault."""
        answer = await self.post(body)
        root = etree.fromstring(answer.content)
        if answer.status_code == 200:
            return root[0][0]
        code, message = root.findtext(f".//{{{XRM}}}ErrorCode"), root.findtext(".//faultstring")
        raise Fault(int(code) & 0xFFFFFFFF if code else None, message or "")

    async def create(self, name: str, values: dict[str, str], key: str = ZERO) -> str:
        answer = await self.call(f"<Create><entity>{entity(name, values, key)}</entity></Create>")
        return answer[0].text or ""

    async def update(self, name: str, key: str, values: dict[str, str]) -> None:
        await self.call(f"<Update><entity>{entity(name, values, key)}</entity></Update>")

    async def execute(self, name: str, parameters: dict[str, str]) -> dict[str, etree._Element]:
        answer = await self.call(f"<Execute><request>{request(name, parameters)}</request></Execute>")
        listed = answer.find(f".//{{{XRM}}}Results")
        assert listed is not None
        return {pair[0].text or "": pair[1] for pair in listed}

    async def fetch(self, query: str) -> list[dict[str, str]]:
        escaped = query.replace("<", "&lt;")
        answer = await self.call(
            "<RetrieveMultiple><query i:type='b:FetchExpression'>"
            f"<b:Query>{escaped}</b:Query></query></RetrieveMultiple>"
        )
        return [
            attributes(record) for record in answer.findall("{*}RetrieveMultipleResult/{*}Entities/{*}Entity")
        ]


def attributes(record: etree._Element) -> dict[str, str]:
    """Texts of an Entity's values."""
    listed = record.find(f"{{{XRM}}}Attributes")
    return {pair[0].text or "": "".join(pair[1].itertext()) for pair in (() if listed is None else listed)}


@asynccontextmanager
async def served(version: str, **how: Any) -> AsyncIterator[Service]:
    crm = Dynamics(version=version, online=False, trusted_header="x-user", **how)
    await crm.start()
    try:
        async with httpx.AsyncClient(headers={"x-user": "CONTOSO\\leadbus"}, verify=_TLS) as http:
            yield Service(crm, http)
    finally:
        await crm.stop()


def row(service: Service, name: str, key: str) -> dict[str, Any]:
    return next(one for one in service.crm.records(name) if one["id"] == key)


async def refused(service: Service, call: Callable[[], Any]) -> int | None:
    with pytest.raises(Fault) as fault:
        await call()
    return fault.value.code


LEAD = {"lastname": string("Kot"), "emailaddress1": string("a+b@kot.test")}


def many(requests: list[str], *, goes_on: bool, answers: bool) -> dict[str, str]:
    flags = {"ContinueOnError": goes_on, "ReturnResponses": answers}
    settings = "".join(f"<l:{name}>{str(flag).lower()}</l:{name}>" for name, flag in flags.items())
    listed = "".join(f"<b:OrganizationRequest>{one}</b:OrganizationRequest>" for one in requests)
    return {
        "Requests": text("l:OrganizationRequestCollection", listed),
        "Settings": text("l:ExecuteMultipleSettings", settings),
    }


def creation(name: str) -> str:
    return request("Create", {"Target": text("b:Entity", entity("lead", {"lastname": string(name)}))})
