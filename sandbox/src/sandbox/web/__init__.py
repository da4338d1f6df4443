"""What simulated servers share: a uvicorn that ends at once, and misbehaviour that no framework offers."""

from .listening import ACCEPTING_TURNS, Server, bound
from .transport import TrackedProtocol, connection_of, drop_connection, released, wait_for_disconnect

__all__ = [
    "ACCEPTING_TURNS",
    "Server",
    "TrackedProtocol",
    "bound",
    "connection_of",
    "drop_connection",
    "released",
    "wait_for_disconnect",
]
