"""`leadbus lead`: the journey of one lead so far, hop by hop."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from leadbus.cli.calls import HOW, Refused, ServiceAway, ask, console, errors, services
from leadbus.cli.crm_side import lines
from leadbus.errors import LeadbusError
from leadbus.ids import prospect_id

HELP = f"""The journey of one lead so far: every hop with its time, its trace, and the record in the CRM.

  leadbus lead anna@example.com --tenant acme

The email stays here: services are asked by the prospect's id.

{HOW}
"""


def register(root: typer.Typer) -> None:
    """Adds `lead`."""
    root.command("lead", help=HELP)(lead)


def lead(
    email: Annotated[str, typer.Argument(help="The person's email.")],
    tenant: Annotated[str, typer.Option(help="The tenant whose lead it is.", envvar="LEADBUS_TENANT")],
) -> None:
    """See HELP."""
    prospect = prospect_id(tenant, email=email)
    hops: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    score: str | None = None
    crm: list[str] = []
    asked = [name for name in services() if name != "ingest"]
    away: list[ServiceAway] = []
    for service in asked:
        try:
            known = _ask(service, prospect, tenant)
        except ServiceAway as error:  # one CRM's connector need not run for another's leads to be followed
            errors.print(f"{error} What it knows is missing here.")
            away.append(error)
            continue
        if known is None:
            continue
        if service == "scoring":
            score = f"{known['score']} points"
            crm = list(lines(known["crm"], known["segments"]))
        hops += [hop | {"service": service} for hop in known.get("journey", [])]
        for delivery in known.get("deliveries", []):
            records.append(delivery)
            where = {"service": f"{service} ({delivery['connection_id']})"}
            hops += [hop | where for hop in delivery["history"]]
    if away and len(away) == len(asked):
        raise away[0]
    if not hops and not crm:
        raise LeadbusError(f"Nothing is known of this email for the tenant {tenant}.")
    _show(prospect, score, sorted(hops, key=lambda hop: datetime.fromisoformat(hop["at"])), records)
    for line in crm:
        console.print(line)


def _ask(service: str, prospect: str, tenant: str) -> dict[str, Any] | None:
    try:
        answer: dict[str, Any] = ask(
            service, "GET", f"/v1/prospects/{prospect}", params={"tenant_id": tenant}
        )
    except Refused as error:
        if error.status == 404:
            return None
        raise
    return answer


def _show(
    prospect: str, score: str | None, hops: list[dict[str, Any]], records: list[dict[str, Any]]
) -> None:
    console.print(f"prospect {prospect}" + (f", {score}" if score else ""))
    table = Table("time", "where", "what", "trace")
    for hop in hops:
        at = datetime.fromisoformat(hop["at"]).astimezone()
        table.add_row(at.strftime("%H:%M:%S.%f")[:-3], hop["service"], hop["what"], hop["trace_id"] or "")
    console.print(table)
    for record in records:
        row, parked = record["record"], record["parked"]
        where = f"{row['module']}/{row['id']}" if row else "no record yet"
        console.print(f"{record['connection_id']}: {where} ({record['state'] or 'waiting'})")
        if parked:
            console.print(f"  refused: {parked['reason']}")
