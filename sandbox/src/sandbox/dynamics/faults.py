"""What can go wrong, and with which calls."""

from collections.abc import Mapping

from ..web.faults import ANY_CALL, SIGNED_IN, WRITES, Nature

KINDS: Mapping[str, frozenset[Nature]] = {
    "hang": ANY_CALL,
    "slow": ANY_CALL,
    "error": SIGNED_IN,
    "html": ANY_CALL,
    "lose_reply": WRITES,
    "rate_limit": SIGNED_IN,
    "expire_session": SIGNED_IN,
    "forbid": ANY_CALL,
    "unavailable": ANY_CALL,
}
