"""Identities that more than one service must compute alike."""

from uuid import UUID, uuid5

NAMESPACE = UUID("5f2a8c0e-7f5e-5d0b-9a53-0d1ea0b05e11")
"""Leadbus's own UUIDv5 name space; changing it would orphan every prospect."""


def normalise_email(email: str) -> str:
    """The one spelling of an email by which people are told apart: trimmed, lower case."""
    return email.strip().lower()


def prospect_id(tenant_id: str, *, email: str | None = None, visitor_id: str | None = None) -> str:
    """The prospect's id for life: UUIDv5 of tenant and email, else of tenant and visitor.

    Raises:
        ValueError: neither an email nor a visitor id was given.
    """
    if email:
        return str(uuid5(NAMESPACE, f"{tenant_id}\nemail:{normalise_email(email)}"))
    if visitor_id:
        return str(uuid5(NAMESPACE, f"{tenant_id}\nvisitor:{visitor_id}"))
    raise ValueError("a prospect needs an email or a visitor id")


def derived_id(*parts: str) -> str:
    """A UUIDv5 of several parts: the same parts give the same id on every machine, for ever."""
    return str(uuid5(NAMESPACE, "\n".join(parts)))
