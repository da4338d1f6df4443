"""Identities that more than one service must compute alike."""

import hashlib
from uuid import UUID

NAMESPACE = UUID("5f2a8c0e-7f5e-5d0b-9a53-0d1ea0b05e11")
"""Leadbus's own UUIDv5 name space; changing it would orphan every prospect."""
_NAMESPACE = NAMESPACE.bytes


def normalise_email(email: str) -> str:
    """The one spelling of an email by which people are told apart: trimmed, lower case."""
    return email.strip().lower()


def prospect_id(tenant_id: str, *, email: str | None = None, visitor_id: str | None = None) -> str:
    """The prospect's id for life: UUIDv5 of tenant and email, else of tenant and visitor.

    Raises:
        ValueError: neither an email nor a visitor id was given.
    """
    if email:
        return _uuid5(f"{tenant_id}\nemail:{normalise_email(email)}")
    if visitor_id:
        return _uuid5(f"{tenant_id}\nvisitor:{visitor_id}")
    raise ValueError("a prospect needs an email or a visitor id")


def prospect_id_of(tenant_id: str, alias: str) -> str:
    """The prospect's id for an alias as scoring writes it: `email:…` (normalised) or `visitor:…`."""
    return _uuid5(f"{tenant_id}\n{alias}")


def derived_id(*parts: str) -> str:
    """A UUIDv5 of several parts: the same parts give the same id on every machine, for ever."""
    return _uuid5("\n".join(parts))


def _uuid5(name: str) -> str:
    """`str(uuid.uuid5(NAMESPACE, name))` in a third of the time: every event asks for one."""
    digest = hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()
    digits = digest[:16].hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
