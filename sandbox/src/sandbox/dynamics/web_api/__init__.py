"""The Web API: OData 4.0 over JSON, from version 8.0 on."""

from ..family import Family
from .protocol import WebApi

FAMILIES: list[tuple[str, Family]] = [("/api/data/{address:path}", WebApi())]
"""Below the organisation's root."""
