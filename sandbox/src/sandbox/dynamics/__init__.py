"""A Dynamics CRM or Dynamics 365 that runs anywhere, over a real socket: Web API and SOAP, NTLM and OAuth."""

from .desk import Desk
from .faults import KINDS
from .server import Dynamics
from .site import VERSIONS, Settings

__all__ = ["KINDS", "VERSIONS", "Desk", "Dynamics", "Settings"]
