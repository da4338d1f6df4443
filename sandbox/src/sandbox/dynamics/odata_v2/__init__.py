"""Records by OData v2, as CRM 2011 to 2016 and later ones on premises have it: `OrganizationData.svc`."""

from collections.abc import Sequence

from ..family import Family
from .endpoint import ODataV2

__all__ = ["FAMILIES"]

_SERVICE = "/XRMServices/2011/OrganizationData.svc"
FAMILIES: Sequence[tuple[str, Family]] = ((_SERVICE, ODataV2()), (f"{_SERVICE}/{{rest:path}}", ODataV2()))
