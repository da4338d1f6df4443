"""`leadbus connections fields` and `dry-run`: what a CRM's records have, and what would be written to one."""

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from leadbus.cli.asking import ask_connector
from leadbus.cli.calls import console
from leadbus.errors import LeadbusError

NAME = Annotated[str, typer.Argument(help="The connection's name.")]
OUTCOMES = {
    "created": "A new {kind} would be created.",
    "matched": "The {kind} {record} was found by email and would be linked.",
    "updated": "The {kind} {record} is linked already.",
    "refused": "The CRM would not take it as it is.",
    "not_taken": "Nothing would happen.",
}


def register(connections: typer.Typer) -> None:
    """Adds both to `leadbus connections`."""
    connections.command()(fields)
    connections.command("dry-run")(dry_run)


def fields(
    connection: NAME,
    kind: Annotated[str, typer.Option(help="lead, contact, target, account, …")] = "lead",
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask the CRM now, not as of the last hour.")
    ] = False,
) -> None:
    """Shows the fields of the CRM's records, the values they offer, and which of ours is mapped to each."""
    params = {"refresh": str(refresh).lower()}
    answer = ask_connector("GET", f"{connection}/fields/{kind}", params=params)
    table = Table("field", "label", "type", "", "ours", "values")
    for row in answer["fields"]:
        marks = [
            "required" if row["required"] else "",
            "" if row["writable"] else "read-only",
            "custom" if row["custom"] else "",
        ]
        length = f" ({row['length']})" if row["length"] else ""
        table.add_row(
            row["name"],
            row["label"],
            row["type"] + length,
            ", ".join(filter(None, marks)),
            row["ours"] or "",
            ", ".join(row["options"] or ()),
        )
    console.print(table)
    console.print(f"As the CRM described them at {answer['fetched_at']}; --refresh asks it again.")


def dry_run(
    connection: NAME,
    prospect: Annotated[str, typer.Option(help="The id of a prospect that is known here.")] = "",
    email: Annotated[str, typer.Option(help="Or an email, of anybody.")] = "",
    field: Annotated[
        list[str] | None,
        typer.Option(help="What is said of the person, as phone=123 or custom.segment=gold; repeatable."),
    ] = None,
    marketing: Annotated[
        bool, typer.Option("--marketing", help="As a lead won by marketing, not one from a supplier.")
    ] = False,
    supplier: Annotated[str, typer.Option(help="The supplier who hands it over.")] = "",
) -> None:
    """Shows what would be written to the CRM for one person, and why. Nothing is written.

    \b
      leadbus connections dry-run acme-sugar --email ann@example.com --field last_name=Lee
      leadbus connections dry-run acme-sugar --prospect 5f0c…
    """
    said = {"fields": _fields(field or []), "by": "marketing" if marketing else "distribution"}
    given = {"prospect_id": prospect, "email": email, "supplier_id": supplier}
    _show(
        ask_connector(
            "POST", f"{connection}/dry-run", said | {name: value for name, value in given.items() if value}
        )
    )


def _fields(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise LeadbusError(f"Give fields as name=value, such as {wrong}=...")
    return {name: value for name, _, value in pairs}


def _show(answer: dict[str, Any]) -> None:
    record = answer["record"]
    where = answer["url"] or (f"{record['module']}/{record['id']}" if record else "")
    outcome = OUTCOMES.get(answer["outcome"], answer["outcome"])
    console.print(outcome.format(kind=answer["kind"], record=where))
    if answer["refused"]:
        console.print(answer["refused"]["reason"], style="red")
    table = Table("field", "in the CRM", "value", "there now", "written", "why")
    for row in answer["fields"]:
        table.add_row(
            row["field"],
            row["crm_field"] or "",
            row["value"],
            row["present"],
            Text("yes", "green") if row["written"] else "no",
            row["reason"],
        )
    if answer["fields"]:
        console.print(table)
    owner = answer["owner"]
    told = {
        "owner": (owner["email"] or owner["name"] or owner["id"]) if owner else "",
        "lead source": answer["lead_source"],
        "account": f"{answer['account']} (new)" if answer["account"] else "",
        "becomes": "a contact" if answer["becomes_contact"] else "",
        **(answer["besides"] or {}),
        **{name: answer[name] for name in ("notes", "tasks", "calls") if answer[name]},
        "campaigns and lists": answer["members"] or "",
    }
    for name, value in told.items():
        if value not in (None, ""):
            console.print(f"{name}: {value}")
    for each in answer["activities"]:
        due = f", due {each['due_at']}" if each["due_at"] else ""
        console.print(f"{each['type']}: {each['subject']}{due}")
    for reason in answer["reasons"]:
        console.print(f"· {reason}")
