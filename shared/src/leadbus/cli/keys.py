"""`leadbus keys`: API keys, by asking ingest, which owns them."""

from typing import Annotated

import typer
from rich.table import Table

from leadbus.cli.calls import ask, console, errors
from leadbus.security.scopes import Scope

command = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""API keys of tenants: create, list, revoke.

Asks ingest at LEADBUS_INGEST_URL (default http://127.0.0.1:8080), as LEADBUS_OPERATOR_TOKEN or, for one's
own tenant, LEADBUS_API_KEY with the scope administer.

  leadbus keys create acme --scope ingest --name "web shop"
  leadbus keys list acme
  leadbus keys revoke KEY_ID

A key is good from everywhere, unless its tenant has authorised addresses;
see leadbus addresses --help.

A hook is a URL that a CRM calls when something changes there. Its key stands
in the URL and is good for nothing else; this prints the URL, to be entered in
the CRM (before /hooks: ingest's INGEST_PUBLIC_URL, or where it listens).

  leadbus keys create acme --scope hook --connection acme-sugar

A supplier's key asks what became of the leads that this supplier handed to
the tenant, and nothing else; as operator, with the tenant '*', to any tenant.

  leadbus keys create acme --supplier chipworks
""",
)


def register(root: typer.Typer) -> None:
    """Adds `keys`."""
    root.add_typer(command, name="keys")


TENANT = Annotated[str, typer.Argument(help="The tenant: lower-case letters, digits, hyphens.")]


@command.command()
def create(
    tenant: TENANT,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do; may be repeated. [default: ingest]")
    ] = None,
    name: Annotated[str, typer.Option(help="What it is for, so that it is known again in a year.")] = "",
    connection: Annotated[
        str | None, typer.Option(help="With --scope hook: the connection whose CRM calls it.")
    ] = None,
    supplier: Annotated[str | None, typer.Option(help="Makes a key for this supplier.")] = None,
) -> None:
    """Creates a key and prints it (a hook's: its URL): the only time that it can be seen."""
    scopes = scope or [Scope.SUPPLIER if supplier else Scope.INGEST]
    body = {"tenant_id": tenant, "scopes": [s.value for s in scopes], "name": name}
    if connection is not None:
        body["connection_id"] = connection
    if supplier is not None:
        body["supplier_id"] = supplier
    created = ask("ingest", "POST", "/v1/api-keys", json=body)
    errors.print(f"Key {created['id']} for {created['tenant_id']}. Keep it: it is shown only now.")
    typer.echo(created["url"] or created["key"])


@command.command("list")
def list_keys(tenant: TENANT) -> None:
    """Lists a tenant's keys, without their secrets."""
    table = Table("id", "name", "scopes", "for", "created", "revoked")
    for key in ask("ingest", "GET", "/v1/api-keys", params={"tenant_id": tenant})["keys"]:
        table.add_row(
            key["id"],
            key["name"],
            " ".join(key["scopes"]),
            key["connection_id"] or key["supplier_id"] or "",
            key["created_at"],
            key["revoked_at"] or "",
        )
    console.print(table)


@command.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, as listed.")]) -> None:
    """Ends a key; within 30 seconds nothing accepts it any more."""
    ask("ingest", "DELETE", f"/v1/api-keys/{key_id}")
    errors.print(f"Key {key_id} is revoked.")
