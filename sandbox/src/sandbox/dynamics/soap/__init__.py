"""The organisation service by SOAP 1.1: `Organization.svc/web`, and its WSDL."""

from collections.abc import Sequence

from ..family import Family
from .endpoint import Soap
from .wsdl import described

__all__ = ["FAMILIES", "SERVICE", "described"]

SERVICE = "/XRMServices/2011/Organization.svc"
FAMILIES: Sequence[tuple[str, Family]] = ((f"{SERVICE}/web", Soap()),)
