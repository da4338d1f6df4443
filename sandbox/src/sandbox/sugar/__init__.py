"""A SugarCRM that runs anywhere, over real sockets: SOAP, legacy REST and modern REST on one store."""

from . import desk, site
from .faults import KINDS, Faults, Kind, Rule
from .server import SugarCRM
from .site import Protocols, Settings

__all__ = ["KINDS", "Faults", "Kind", "Protocols", "Rule", "Settings", "SugarCRM", "desk", "site"]
