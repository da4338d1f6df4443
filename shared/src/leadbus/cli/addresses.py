"""`leadbus addresses`: from where a tenant may be called for, by asking ingest, which owns it."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from leadbus.cli.calls import HOW, ask, console
from leadbus.security.networks import network_of, written

HELP = f"""From where a tenant's API keys and hooks may be used.

  leadbus addresses list acme
  leadbus addresses authorise acme 203.0.113.9       one address
  leadbus addresses authorise acme 198.51.100.0/24   a network
  leadbus addresses authorise acme 2001:db8::/32     IPv6 alike
  leadbus addresses withdraw acme 203.0.113.9

A tenant that has none is not limited. The first address limits it: a call
from anywhere else is refused with 403, and the refusal names the caller's
address and the command that authorises it; the same call then succeeds.
Withdrawing the last one ends the limit. The operator is never limited.

A tenant's own key with the scope administer may do the same, but not shut
out the address that it comes from: it begins with its own. Hooks are limited,
too: authorise the addresses that the CRM calls from.

A refusal names a proxy's address? Then tell the services which proxies to
believe: LEADBUS_TRUSTED_PROXIES.

{HOW}
"""

commands = typer.Typer(no_args_is_help=True, help=HELP, rich_markup_mode=None)

TENANT = Annotated[str, typer.Argument(help="The tenant: lower-case letters, digits, hyphens.")]
ADDRESS = Annotated[
    str, typer.Argument(help="An address, or a network as ADDRESS/LENGTH.", show_default=False)
]


def register(root: typer.Typer) -> None:
    """Adds `addresses`."""
    root.add_typer(commands, name="addresses")


@commands.command("list")
def list_addresses(tenant: TENANT) -> None:
    """Lists a tenant's authorised addresses, one a line."""
    _show(_ask("GET", "", tenant))


@commands.command()
def authorise(tenant: TENANT, address: ADDRESS) -> None:
    """Authorises an address or a network; a caller there is helped at once."""
    _show(_ask("PUT", f"/{_in_path(address)}", tenant))


@commands.command()
def withdraw(tenant: TENANT, address: ADDRESS) -> None:
    """Withdraws an address or a network; within 30 seconds no service takes calls from it any more."""
    _show(_ask("DELETE", f"/{_in_path(address)}", tenant))


def _in_path(address: str) -> str:
    return quote(written(network_of(address)), safe=":/")


def _ask(method: str, path: str, tenant: str) -> dict[str, Any]:
    answer: dict[str, Any] = ask(
        "ingest", method, f"/v1/authorised-addresses{path}", params={"tenant_id": tenant}
    )
    return answer


def _show(answer: dict[str, Any]) -> None:
    tenant, addresses = answer["tenant_id"], answer["addresses"]
    if addresses:
        console.print(f"Calls for tenant {tenant} are taken from these addresses only:")
        console.print("\n".join(addresses))
    else:
        console.print(f"Tenant {tenant} has no authorised addresses: calls for it are taken from everywhere.")
