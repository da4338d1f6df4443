"""Modern REST: /rest/v10 and /rest/v11_x with OAuth2."""

from .endpoint import RestEndpoint
from .scheduler import Scheduler

__all__ = ["RestEndpoint", "Scheduler"]
