"""`leadbus erase`, `leadbus erasure` and `leadbus export`: one person, in every service."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from leadbus.cli.calls import HOW, Refused, ServiceAway, ask, console, errors
from leadbus.errors import LeadbusError
from leadbus.ids import prospect_id

ERASE = f"""Erases a person from every service. There is no way back.

  leadbus erase anna@example.com --tenant acme
  leadbus erase --visitor v-1 --tenant acme      by the id of a visitor

What stands in the CRM is the tenant's own and stays: erase the person there
first, or what is read from there makes them anew. An opt-out is forgotten, too.
Topics forget with their retention of 30 days; see docs/privacy.md.

{HOW}
"""
ERASURE = "How far an erasure is: which services have erased the person, and which have not yet."
EXPORT = f"""Everything that every service holds of a person, as JSON.

  leadbus export anna@example.com --tenant acme
  leadbus export anna@example.com --tenant acme --to anna.json

On the screen, or into a file that you alone may read.

{HOW}
"""
PATIENCE = 30.0
"""Seconds; services are done within one or two, if they run."""

Email = Annotated[str | None, typer.Argument(help="The person's email.")]
Visitor = Annotated[str | None, typer.Option(help="The id of a visitor, instead of an email.")]
Tenant = Annotated[str, typer.Option(help="The tenant whose person it is.", envvar="LEADBUS_TENANT")]


def register(root: typer.Typer) -> None:
    """Adds the three commands."""
    root.command("erase", help=ERASE)(erase)
    root.command("erasure", help=ERASURE)(erasure)
    root.command("export", help=EXPORT)(export)


def erase(
    tenant: Tenant,
    email: Email = None,
    visitor: Visitor = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """See ERASE."""
    who = _who(email, visitor)
    if not yes:
        typer.confirm(f"Erase {email or visitor} of {tenant} from every service?", abort=True)
    asked = ask("scoring", "POST", "/v1/erasures", json=who, params={"tenant_id": tenant})
    console.print(f"Erasure {asked['erasure_id']}")  # whatever happens to this command
    until = time.monotonic() + PATIENCE
    while not asked["done"] and time.monotonic() < until:
        time.sleep(0.5)
        asked = _show_of(asked["erasure_id"], tenant)
    _print(asked, tenant)


def erasure(
    erasure_id: Annotated[str, typer.Argument(help="As leadbus erase said it.")], tenant: Tenant
) -> None:
    """See ERASURE."""
    _print(_show_of(erasure_id, tenant), tenant)


def export(
    tenant: Tenant,
    email: Email = None,
    visitor: Visitor = None,
    to: Annotated[Path | None, typer.Option(help="The file; it must not be there yet.")] = None,
) -> None:
    """See EXPORT."""
    named = _who(email, visitor)
    prospect = prospect_id(tenant, email=named.get("email"), visitor_id=named.get("visitor_id"))
    of = {"tenant_id": tenant}
    person = ask("scoring", "GET", f"/v1/prospects/{prospect}/same-person", params=of)
    held: list[dict[str, Any]] = []
    away: dict[str, str] = {}
    for service in person["services"]:
        try:
            held += [ask(service, "GET", f"/v1/prospects/{p}/export", params=of) for p in person["prospects"]]
        except ServiceAway as error:
            away[service] = str(error)
    text = json.dumps({**named, **of, "services": held, "missing": list(away)}, indent=2, ensure_ascii=False)
    if to is None:
        typer.echo(text)
    else:
        _write(to, text)
    if away:
        raise LeadbusError(f"The export is not complete. {' '.join(away.values())}")
    if not any(each["held"] for each in held):
        errors.print(f"No service holds anything of {email or visitor}.")


def _who(email: str | None, visitor: str | None) -> dict[str, str]:
    if (email is None) == (visitor is None):
        raise LeadbusError("Say who: an email, or --visitor with the id of a visitor.")
    return {"email": email} if email is not None else {"visitor_id": visitor or ""}


def _show_of(erasure_id: str, tenant: str) -> dict[str, Any]:
    shown: dict[str, Any] = ask("scoring", "GET", f"/v1/erasures/{erasure_id}", params={"tenant_id": tenant})
    return shown


def _print(shown: dict[str, Any], tenant: str) -> None:
    table = Table("service", "erased")
    for each in shown["services"]:
        table.add_row(each["service"], each["erased_at"] or "not yet")
    console.print(table)
    if not shown["done"]:
        raise Refused(
            "Not every service has erased the person yet; each does as soon as it runs. Ask again:"
            f" leadbus erasure {shown['erasure_id']} --tenant {tenant}",
            202,
        )


def _write(path: Path, text: str) -> None:
    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise LeadbusError(f"{path} cannot be written: {error.strerror}.") from None
    path.write_text(text + "\n", encoding="utf-8")
