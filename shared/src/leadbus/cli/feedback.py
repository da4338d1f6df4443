"""`leadbus feedback`: what became of distributed leads, by asking the service feedback, which owns that."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer
from rich.table import Table

from leadbus.cli.calls import ask, console, errors

command = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""What became of the leads that suppliers handed over: list, show, answer.

Asks feedback at LEADBUS_FEEDBACK_URL (default http://127.0.0.1:8085), as LEADBUS_API_KEY, a supplier's or a
tenant's, or as LEADBUS_OPERATOR_TOKEN with --tenant.

  leadbus feedback list --tenant acme
  leadbus feedback show lead-4711 --tenant acme
  leadbus feedback answer lead-4711 accepted --tenant acme
""",
)

TENANT = Annotated[
    str | None, typer.Option(help="As operator: the tenant to act for.", envvar="LEADBUS_TENANT")
]
SUPPLIER = Annotated[str | None, typer.Option(help="Only this supplier's leads.")]
LEAD = Annotated[str, typer.Argument(help="The supplier's own id of the distribution.")]


def register(root: typer.Typer) -> None:
    """Adds `feedback`."""
    root.add_typer(command, name="feedback")


@command.command("list")
def list_distributions(
    tenant: TENANT = None,
    supplier: SUPPLIER = None,
    since: Annotated[str | None, typer.Option(help="Only what has changed since, as 2026-01-31.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Goes on where an earlier list ended.")] = None,
) -> None:
    """Shows what has changed, a hundred at a time, and the cursor to go on with."""
    asked = _about(tenant, supplier) | {"changed_since": since, "cursor": cursor}
    page = ask("feedback", "GET", "/v1/distributions", params=_given(asked))
    table = Table("distribution", "supplier", "answer", "contradicted", "status", "opportunities", "changed")
    for row in page["distributions"]:
        cells = (
            row["distribution_id"],
            row["supplier_id"],
            row["state"],
            "yes" if row["contradiction"] else "",
            ", ".join(status["status"] for status in row["statuses"]),
            str(len(row["opportunities"])),
            row["changed_at"],
        )
        table.add_row(*cells)
    console.print(table)
    errors.print(f"{'More' if page['more'] else 'What changes later'}: --cursor {page['cursor']}")


@command.command()
def show(lead: LEAD, tenant: TENANT = None, supplier: SUPPLIER = None) -> None:
    """Shows one distribution: its answer, and what came back of the lead."""
    asked = _given(_about(tenant, supplier))
    _show(ask("feedback", "GET", _path(lead), params=asked))


@command.command()
def answer(
    lead: LEAD,
    answer: Annotated[Literal["accepted", "rejected"], typer.Argument(help="What is said of it.")],
    tenant: TENANT = None,
    supplier: SUPPLIER = None,
) -> None:
    """Accepts or rejects a lead. The first answer counts; one against it is told as a contradiction."""
    asked = _given(_about(tenant, supplier))
    _show(ask("feedback", "POST", f"{_path(lead)}/answer", params=asked, json={"answer": answer}))


def _show(found: dict[str, Any]) -> None:
    title = f"{found['distribution_id']} of {found['supplier_id']}: {found['state']}"
    console.print(title)
    for label, said in (("", found["answer"]), ("contradicted: ", found["contradiction"])):
        if said:
            who = f" ({said['who']})" if said.get("who") else ""
            console.print(f"  {label}{said['answer']} {said['at']}, by {said['by']}{who}")
    table = Table("what", "where", "how it stands", "since")
    for row in _rows(found):
        table.add_row(*row)
    console.print(table)


def _rows(found: dict[str, Any]) -> Iterable[tuple[str, str, str, str]]:
    for each in found["deliveries"]:
        yield "delivery", each["connection_id"], each["outcome"], each["at"]
    for each in found["statuses"]:
        yield "status", each["connection_id"], each["status"], each["at"]
    for each in found["opportunities"]:
        worth = " ".join(filter(None, (each["stage"], each["amount"], each["currency"])))
        yield f"opportunity {each['name']}", each["connection_id"], worth, each["at"]
    for each in found["activities"]:
        yield f"{each['type']} {each['subject']}", each["connection_id"], each["status"] or "", each["at"]
    for each in found["fields"]:
        yield f"field {each['name']}", each["connection_id"], each["value"], each["at"]


def _path(lead: str) -> str:
    return f"/v1/distributions/{quote(lead, safe='')}"


def _about(tenant: str | None, supplier: str | None) -> dict[str, str | None]:
    return {"tenant_id": tenant, "supplier_id": supplier}


def _given(params: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in params.items() if value is not None}
