"""Legacy REST: service/<version>/rest.php, the operations of SOAP with JSON around them."""

from .endpoint import LegacyEndpoint

__all__ = ["LegacyEndpoint"]
