"""What CRMs hold of a lead, as scoring knows it: in lines for people."""

from collections.abc import Iterator
from typing import Any

_OPPORTUNITY = (
    ("stage", "stage {}"),
    ("close_date", "closes {}"),
    ("probability", "{} %"),
    ("lead_source", "lead source {}"),
)
_RECORD = (
    ("status", "status {}"),
    ("owner_email", "owner {}"),
    ("account_type", "account type {}"),
    ("account_annual_revenue", "annual revenue {}"),
)


def lines(crm: dict[str, Any], segments: list[dict[str, Any]]) -> Iterator[str]:
    """Of `ProspectView`, as scoring answers it. What somebody typed breaks no line and steers no terminal."""
    yield from ("".join(c if c.isprintable() else " " for c in line) for line in _lines(crm, segments))


def _lines(crm: dict[str, Any], segments: list[dict[str, Any]]) -> Iterator[str]:
    kinds = [kind for kind in ("lead", "contact") if crm[f"in_crm_as_{kind}"]]
    if kinds:
        yield f"In the CRM as {' and '.join(kinds)}."
    for row in crm["records"]:
        yield _line(row["kind"], row, _RECORD)
    for row in crm["opportunities"]:
        amount = " ".join(filter(None, (row["amount"], row["currency"])))
        yield _line(f"opportunity {row['name'] or ''}".strip(), row, _OPPORTUNITY, amount)
    if crm["lists"]:
        yield f"On the lists {'; '.join(crm['lists'])}."
    for met in segments:
        yield f"{met['points']:+g} points for {met['rule']}."


def _line(what: str, row: dict[str, Any], words: tuple[tuple[str, str], ...], first: str = "") -> str:
    told = [first, *(text.format(row[name]) for name, text in words if row[name] not in (None, ""))]
    facts = ", ".join(filter(None, told))
    return f"  {row['connection_id']}: {what}{': ' if facts else ''}{facts}"
