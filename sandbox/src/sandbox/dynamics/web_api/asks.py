"""One request of the Web API, alone or in a batch, and its answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from ..errors import CrmError
from ..records import Records
from ..site import Site

_PREFERENCE = re.compile(r'\s*([\w.-]+)\s*(?:=\s*(?:"([^"]*)"|([^,;]*)))?\s*(?:[,;]|$)')
JSON = "application/json; odata.metadata=minimal"


@dataclass
class Ask:
    """path: below the service root, without its version. query: as in the address. headers: names in lower
    case.

    base: the service root's URL, with version, without a slash at its end. names: addresses of records that
    were created before in the change set, by what stands for them, such as `$1`.
    """

    site: Site
    records: Records
    base: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def options(self) -> dict[str, str]:
        """Of the query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def preferences(self) -> dict[str, str]:
        """Of the header Prefer."""
        found = _PREFERENCE.finditer(self.headers.get("prefer", ""))
        return {match[1].lower(): match[2] or match[3] or "" for match in found}

    @property
    def page_size(self) -> int:
        """Raises BadRequest."""
        most = self.site.settings.page_size
        wanted = self.preferences.get("odata.maxpagesize", str(most)).strip()
        if not wanted.isdigit() or int(wanted) < 1:
            raise CrmError("BadRequest", f"The value '{wanted}' of odata.maxpagesize is no positive number.")
        return min(int(wanted), most)

    @property
    def represents(self) -> bool:
        """Whether a written record is to be answered."""
        return self.preferences.get("return") == "representation"

    def json(self) -> dict[str, Any]:
        """The body. Raises BadPayload, BadRequest for one that does not say that it is JSON."""
        kind = self.headers.get("content-type", "")
        if self.body and not kind.lower().startswith("application/json"):
            raise CrmError("BadRequest", f"A body of the type '{kind}' cannot be read.")
        try:
            given = json.loads(self.body or b"{}")
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise CrmError("BadPayload", "Stream was not readable.")
        return given

    def annotated(self, name: str) -> bool:
        """Whether annotations of that name were asked for."""
        wanted = self.preferences.get("odata.include-annotations", "")
        for pattern in (part.strip() for part in wanted.split(",")):
            if pattern in {"*", name} or (pattern.endswith("*") and name.startswith(pattern[:-1])):
                return True
        return False


@dataclass
class Answer:
    """body: JSON, a text or nothing. operation: what it was, as counted. rows: how many were written."""

    operation: str
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    rows: int = 0

    @property
    def raw(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def typed(self) -> dict[str, str]:
        """Its headers, complete."""
        kind = {} if self.body is None else {"Content-Type": JSON}
        return kind | {"OData-Version": "4.0"} | self.headers


def failure(error: CrmError) -> dict[str, Any]:
    """The JSON of a refusal."""
    return {"error": {"code": error.hex, "message": error.message}}
