"""How commands ask services: over HTTP, as the operator or with an API key. No service is imported."""

import os
import re
import sys
from typing import Any

import httpx
from rich.console import Console

from leadbus.errors import LeadbusError
from leadbus.installed import installed

HOW = """Installed services are looked for on this machine; LEADBUS_<SERVICE>_URL gives another address,
such as LEADBUS_INGEST_URL or LEADBUS_CONNECTOR_SUGAR_URL. LEADBUS_OPERATOR_TOKEN asks as the operator,
LEADBUS_API_KEY as one tenant."""

_VARIABLE = re.compile(r"LEADBUS_([A-Z0-9_]+)_URL")

# Where nobody watches, lines stay whole, so that they can be searched. What others have written may hold
# brackets: those are no markup.
console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 240)
errors = Console(stderr=True, highlight=False, markup=False)


class ServiceAway(LeadbusError):
    """A service does not answer."""


class Refused(LeadbusError):
    """A service answered that it will not."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def services(prefix: str = "") -> list[str]:
    """The services that can be asked: those installed here, and those whose address is given."""
    named = (_VARIABLE.fullmatch(variable) for variable in os.environ)
    given = {match[1].lower().replace("_", "-") for match in named if match}
    return sorted(name for name in given | set(installed()) if name.startswith(prefix))


def address(service: str) -> str:
    """The base URL of a service: as given, else where its package says that it listens locally."""
    given = os.environ.get(f"LEADBUS_{service.upper().replace('-', '_')}_URL")
    if given:
        return given.rstrip("/")
    entry = installed().get(service)
    declared: list[str] = (entry.dist.metadata.get_all("Project-URL") or []) if entry and entry.dist else []
    for url in declared:
        label, _, where = url.partition(",")
        if label == "local":
            return where.strip()
    raise ServiceAway(f"There is no service {service} here; give its address as LEADBUS_<SERVICE>_URL.")


def ask(service: str, method: str, path: str, **request: Any) -> Any:
    """The JSON of the answer; None if it has none.

    Raises:
        ServiceAway, Refused: in a sentence that says what to do.
    """
    base = address(service)
    token = os.environ.get("LEADBUS_OPERATOR_TOKEN") or os.environ.get("LEADBUS_API_KEY", "")
    if not token:
        raise Refused("Set LEADBUS_OPERATOR_TOKEN, or LEADBUS_API_KEY for one's own tenant.", 401)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        answer = httpx.request(method, base + path, headers=headers, timeout=90, **request)
    except httpx.HTTPError as error:
        raise ServiceAway(
            f"{service} does not answer at {base} ({type(error).__name__}). Is it running?"
        ) from None
    if answer.is_error:
        raise Refused(_sentence(service, answer), answer.status_code)
    return answer.json() if answer.content else None


def _sentence(service: str, answer: httpx.Response) -> str:
    try:
        body = answer.json()
        faults = [f"  {e['field']}: {e['reason']}" for e in body.get("errors", [])]
        return "\n".join([str(body["detail"]), *faults])
    except (ValueError, KeyError, TypeError):
        return f"{service} answered {answer.status_code}."
