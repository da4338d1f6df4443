"""Products of the name Dynamics: those that are served, by version, and those that others take for them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

PRODUCTS = (
    "Microsoft Dynamics CRM 2011, 2013, 2015 and 2016 and Dynamics 365 Customer Engagement (on-premises),"
    " signed in to with a Windows user (NTLM)",
    "Dynamics 365 Sales, Customer Service and Marketing on Dataverse (online), signed in to with an app"
    " registration",
)
"""Those served; shown before a connection is set up."""
SUPPORTED = "; and ".join(PRODUCTS)
"""Told whoever tries another product."""

FIRST_WITH_WEB_API = (8, 0)
FIRST_WITH_KEYS = (7, 1)
"""From 2015 Update 1 on Update takes state and owner too, and rows have versions (contract notes, [doc])."""
FIRST_IN_BULK = (5, 0, 9690, 3236)
"""ExecuteMultiple came with Update Rollup 12 of 2011, of this build (Microsoft's list of its updates)."""

_NAMES: Mapping[tuple[int, int], str] = {
    (5, 0): "Microsoft Dynamics CRM 2011",
    (6, 0): "Microsoft Dynamics CRM 2013",
    (6, 1): "Microsoft Dynamics CRM 2013 SP1",
    (7, 0): "Microsoft Dynamics CRM 2015",
    (7, 1): "Microsoft Dynamics CRM 2015 Update 1",
    (8, 0): "Microsoft Dynamics CRM 2016",
    (8, 1): "Microsoft Dynamics CRM 2016 SP1",
    (8, 2): "Microsoft Dynamics 365 (on-premises) 8.2",
}


def parts(version: str) -> tuple[int, ...]:
    """5.0.9690.3000 as numbers; empty for what is no version."""
    found = re.fullmatch(r"\d+(?:\.\d+)+", version.strip())
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def name(version: str, *, online: bool) -> str:
    """What Microsoft calls the product."""
    if online:
        return "Microsoft Dynamics 365 (Dataverse)"
    major, minor, *_ = (*parts(version), 0, 0)
    return _NAMES.get((major, minor), "Microsoft Dynamics 365 Customer Engagement (on-premises)")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another product. host, path, page: patterns of its addresses and of the pages it answers with."""

    name: str
    host: re.Pattern[str] | None = None
    path: re.Pattern[str] | None = None
    page: re.Pattern[str] | None = None

    @property
    def sentence(self) -> str:
        """What a person is told who enters its address."""
        return (
            f"The address is one of {self.name}, which Leadbus does not support. Supported are {SUPPORTED}."
        )


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# Hosts and paths as Microsoft's documentation of these products shows them; the pages are assumed.
NEIGHBOURS = (
    Neighbour(
        "Microsoft Dynamics AX 2012",
        path=_pattern(r"^/(MicrosoftDynamicsAXAif\d*|MicrosoftDynamicsAX|DynamicsAx|AXWebServices)(/|$)"),
        page=_pattern(r"Microsoft\.Dynamics\.(AX|Ax)\b|schemas\.microsoft\.com/dynamics/2008/01"),
    ),
    Neighbour(
        "Dynamics 365 Finance & Operations",
        host=_pattern(
            r"(^|\.)((\w+\.)?operations(\.eu|\.\w+)?\.dynamics\.com|(sandbox|test)\.ax\.dynamics\.com"
            r"|cloudax\.(uae\.)?dynamics\.com|axcloud\.dynamics\.com|operations\.dynamics\.(cn|us))$"
        ),
        page=_pattern(r"Finance and Operations|Microsoft\.Dynamics\.DataEntities"),
    ),
    Neighbour(
        "Dynamics 365 Business Central (formerly Dynamics NAV)",
        host=_pattern(r"(^|\.)businesscentral\.dynamics\.com$"),
        path=_pattern(r"^/([^/]+/)?(ODataV4|OData|WS|api/microsoft|api/v[12]\.0)(/|$)|^/(BC|NAV)\d*(/|$)"),
        page=_pattern(r"Business Central|Dynamics NAV|Microsoft\.NAV\b"),
    ),
)

UNSUPPORTED = (
    *(neighbour.name for neighbour in NEIGHBOURS),
    "Organisations that sign people in by claims (internet-facing deployment, IFD, or AD FS), at their outer"
    " address",
)


def by_address(url: str) -> Neighbour | None:
    """The product that such an address belongs to, if it is none of those served."""
    address = urlsplit(url)
    for known in NEIGHBOURS:
        if known.host and known.host.search(address.hostname or ""):
            return known
        if known.path and known.path.search(address.path):
            return known
    return None


def by_page(text: str) -> Neighbour | None:
    """The product that answers so."""
    return next((known for known in NEIGHBOURS if known.page and known.page.search(text)), None)
