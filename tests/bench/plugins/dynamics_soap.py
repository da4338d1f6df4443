"""Dynamics on premises: SOAP over one connection, signed in to by NTLM; with httpx."""

import base64
import re
import time
from collections.abc import Generator, Mapping, Sequence
from uuid import uuid4

import httpx
import spnego

from bench.dynamics import DOMAIN, ORGANISATION, PASSWORD, USER
from bench.plugins.wanted import PERSON, SUBJECT

_SERVICES = "http://schemas.microsoft.com/xrm/2011/Contracts/Services"
_ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<{{0}} xmlns="{_SERVICES}" xmlns:b="http://schemas.microsoft.com/xrm/2011/Contracts"'
    ' xmlns:c="http://schemas.datacontract.org/2004/07/System.Collections.Generic"'
    ' xmlns:d="http://www.w3.org/2001/XMLSchema" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
    "{1}</{0}></s:Body></s:Envelope>"
)
_TEXT = '<c:value i:type="d:string">{}</c:value>'
_FOUND = re.compile(r"<\w+:Entity>")


class _Windows(httpx.Auth):
    """Signs a connection in; what is sent over it afterwards needs nothing."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See `httpx.Auth`."""
        answer = yield request
        options = spnego.NegotiateOptions.use_ntlm
        context = spnego.client(f"{DOMAIN}\\{USER}", PASSWORD, protocol="ntlm", options=options)
        challenge = None
        while answer.status_code == httpx.codes.UNAUTHORIZED and not context.complete:
            token = context.step(challenge) or b""
            request.headers["Authorization"] = f"NTLM {base64.b64encode(token).decode()}"
            answer = yield request
            told = answer.headers.get("WWW-Authenticate", "").removeprefix("NTLM ")
            challenge = base64.b64decode(told) if not context.complete else None


def work(url: str, emails: Sequence[str]) -> float:
    """See `bench.plugins`."""
    address = f"{url}/{ORGANISATION}/XRMServices/2011/Organization.svc/web"
    limits = httpx.Limits(max_connections=1)
    with httpx.Client(auth=_Windows(), timeout=60, trust_env=False, limits=limits) as client:

        def ask(operation: str, body: str) -> str:
            action = f'"{_SERVICES}/IOrganizationService/{operation}"'
            headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action}
            answer = client.post(address, content=_ENVELOPE.format(operation, body), headers=headers)
            return answer.raise_for_status().text

        def create(entity: str, key: str, values: Mapping[str, str]) -> None:
            ask("Create", f"<entity>{_entity(entity, key, values)}</entity>")

        ask("Execute", "<request><b:RequestName>WhoAmI</b:RequestName></request>")
        began = time.monotonic()
        for email in emails:
            if _FOUND.search(ask("RetrieveMultiple", _by_email(email))):
                raise RuntimeError("The lead is there already.")
            lead, texts = str(uuid4()), {**PERSON, "emailaddress1": email}
            create("lead", lead, {name: _TEXT.format(value) for name, value in texts.items()})
            about = f"<b:Id>{lead}</b:Id><b:LogicalName>lead</b:LogicalName>"
            tie = f'<c:value i:type="b:EntityReference">{about}</c:value>'
            create("annotation", str(uuid4()), {"subject": _TEXT.format(SUBJECT), "objectid": tie})
        return time.monotonic() - began


def _entity(name: str, key: str, values: Mapping[str, str]) -> str:
    pairs = "".join(
        f"<b:KeyValuePairOfstringanyType><c:key>{key}</c:key>{value}</b:KeyValuePairOfstringanyType>"
        for key, value in values.items()
    )
    named = f"<b:Id>{key}</b:Id><b:LogicalName>{name}</b:LogicalName>"
    return f"<b:Attributes>{pairs}</b:Attributes>{named}"


def _by_email(email: str) -> str:
    fetch = (
        '<fetch count="1"><entity name="lead"><attribute name="leadid"/><filter>'
        f'<condition attribute="emailaddress1" operator="eq" value="{email}"/></filter></entity></fetch>'
    )
    escaped = fetch.replace("<", "&lt;")
    return f'<query i:type="b:FetchExpression"><b:Query>{escaped}</b:Query></query>'
