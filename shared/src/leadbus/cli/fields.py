"""`leadbus fields`: a tenant's own standard fields, by asking ingest, which owns them."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer
from rich.table import Table

from leadbus.cli.asking import ask_connector
from leadbus.cli.calls import HOW, Refused, ask, console
from leadbus.errors import LeadbusError

HELP = f"""A tenant's own standard fields, beside those that everybody has (first_name, phone, ...).

  leadbus fields list acme
  leadbus fields set acme segment budget:number "birthday_club:boolean=Member of the birthday club"
  leadbus fields set acme --remove segment
  leadbus fields fill acme --connection acme-sugar     those of the CRM's leads and contacts

As long as a tenant has none, values are taken under any name (custom.<name>).
From the first one on, a value under any other name is refused when it is
posted, with the nearest name in the answer, so that a misspelt field is
noticed; and leadbus connections test warns of mappings to such names.

{HOW}
"""
TYPES = ("text", "number", "boolean", "date", "datetime", "option", "options")
FILLED_FROM = ("lead", "contact")
LONGEST_NAME = 64

commands = typer.Typer(no_args_is_help=True, help=HELP, rich_markup_mode=None)

TENANT = Annotated[str, typer.Argument(help="The tenant: lower-case letters, digits, hyphens.")]


def register(root: typer.Typer) -> None:
    """Adds `fields`."""
    root.add_typer(commands, name="fields")


@commands.command("list")
def list_fields(tenant: TENANT) -> None:
    """Lists a tenant's own fields, and those that everybody has."""
    _show(_ask("GET", tenant))


@commands.command("set")
def set_fields(
    tenant: TENANT,
    fields: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME[:TYPE][=LABEL]...", help=f"To add, or to change. TYPE is one of {', '.join(TYPES)}."
        ),
    ] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A name to take away; may be repeated.")] = None,
) -> None:
    """Adds fields, changes them, or takes some away; the others stay."""
    there = _ask("GET", tenant)
    known = {field["name"]: field for field in there["fields"]}
    if missing := [name for name in remove or () if name not in known]:
        raise LeadbusError(f"There is no field {missing[0]}; leadbus fields list {tenant} shows them.")
    given = {field["name"]: field for field in map(_field, fields or ())}
    kept = {name: field for name, field in (known | given).items() if name not in (remove or ())}
    _show(_replace(tenant, there, kept.values()))


@commands.command()
def fill(
    tenant: TENANT,
    connection: Annotated[str, typer.Option(help="The connection whose CRM is asked for its fields.")],
) -> None:
    """Adds the standard and custom fields of the CRM's leads and contacts; those that are there stay.

    Fields that a standard field is mapped to are left out: everybody has those.
    """
    known = _ask("GET", tenant)
    names = {field["name"]: field for field in known["fields"]}
    taken = {*names, *known["standard"]}
    added: dict[str, Any] = {}
    for kind in FILLED_FROM:
        for field in _of_kind(connection, kind):
            if field["name"] not in taken:
                added.setdefault(field["name"], field)
    _show(_replace(tenant, known, [*names.values(), *added.values()]))
    console.print(f"{len(added)} fields were added from {connection}.")


def _of_kind(connection: str, kind: str) -> Iterator[dict[str, Any]]:
    """Of a CRM's records, as fields of ours: under the name by which they are mapped, if they are."""
    try:
        described = ask_connector("GET", f"{connection}/fields/{kind}", params={"refresh": "true"})
    except Refused as error:
        if error.status == 404 and kind != FILLED_FROM[0]:  # not every CRM has both
            return
        raise
    for row in described["fields"]:
        ours = row["ours"] or ""
        if row["type"] not in TYPES or (ours and not ours.startswith("custom.")):
            continue
        name = ours.removeprefix("custom.") or _name(row["name"])
        if name:
            label = row["label"][:255]
            yield {"name": name, "label": label, "type": row["type"], "crm_field": row["name"]}


def _name(theirs: str) -> str:
    """As ours may be: letters, digits and underscores, a letter first."""
    return re.sub(r"^[^A-Za-z]+", "", re.sub(r"[^A-Za-z0-9]+", "_", theirs))[:LONGEST_NAME].rstrip("_")


def _field(word: str) -> dict[str, str]:
    named, _, label = word.partition("=")
    name, _, kind = named.partition(":")
    if kind and kind not in TYPES:
        raise LeadbusError(f"There is no type {kind}; there are {', '.join(TYPES)}.")
    return {"name": name, "label": label, "type": kind or "text"}


def _replace(tenant: str, there: dict[str, Any], fields: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """there: as they were asked for; what others have changed since is not undone."""
    return _ask("PUT", tenant, json={"fields": list(fields), "revision": there["revision"]})


def _ask(method: str, tenant: str, **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ask("ingest", method, "/v1/fields", params={"tenant_id": tenant}, **body)
    return answer


def _show(answer: dict[str, Any]) -> None:
    table = Table("field", "label", "type", "filled from")
    for field in answer["fields"]:
        table.add_row(f"custom.{field['name']}", field["label"], field["type"], field.get("crm_field") or "")
    console.print(table)
    console.print(f"Everybody has {', '.join(answer['standard'])}.")
    if not answer["fields"]:
        console.print("The tenant has none of its own: values are taken under any name.")
