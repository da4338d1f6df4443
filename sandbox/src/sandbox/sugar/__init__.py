"""A SugarCRM that runs anywhere: the SOAP API of the SugarCRM 6.5 family over real sockets."""

from . import desk
from .faults import KINDS, Faults, Kind, Rule
from .server import SugarCRM

__all__ = ["KINDS", "Faults", "Kind", "Rule", "SugarCRM", "desk"]
