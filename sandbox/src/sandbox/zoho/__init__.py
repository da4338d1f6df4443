"""A Zoho CRM that runs anywhere, over a real socket: accounts server, API of version 8, one organisation."""

from .desk import Desk
from .faults import KINDS
from .server import Zoho
from .site import Settings

__all__ = ["KINDS", "Desk", "Settings", "Zoho"]
