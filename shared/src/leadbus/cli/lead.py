"""`leadbus lead`: the journey of one lead so far, hop by hop."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from leadbus.cli.calls import HOW, Refused, ServiceAway, ask, console, errors, services
from leadbus.cli.crm_side import lines
from leadbus.cli.points import table_of
from leadbus.errors import LeadbusError
from leadbus.ids import prospect_id, prospect_id_of

HELP = f"""The journey of one lead so far: every hop with its time, its trace, and the record in the CRM.

  leadbus lead anna@example.com --tenant acme
  leadbus lead anna@example.com --tenant acme --points      where each point of its score comes from
  leadbus lead --visitor v-1 --tenant acme                  by the id of a visitor

An old email, or a visitor who is known by now, shows the person. The email stays here: services are asked by
the prospect's id.

{HOW}
"""


def register(root: typer.Typer) -> None:
    """Adds `lead`."""
    root.command("lead", help=HELP)(lead)


def lead(
    tenant: Annotated[str, typer.Option(help="The tenant whose lead it is.", envvar="LEADBUS_TENANT")],
    email: Annotated[str | None, typer.Argument(help="The person's email, or an old one.")] = None,
    visitor: Annotated[str | None, typer.Option(help="The id of a visitor, instead of an email.")] = None,
    points: Annotated[bool, typer.Option("--points", help="Every part of the score, too.")] = False,
) -> None:
    """See HELP."""
    if (email is None) == (visitor is None):
        raise LeadbusError("Say who: an email, or --visitor with the id of a visitor.")
    ids = [prospect_id(tenant, email=email, visitor_id=visitor)]
    hops: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    score: str | None = None
    explained: dict[str, Any] = {}
    crm: list[str] = []
    # Scoring first: it says under which other ids the services may know the person.
    asked = sorted((name for name in services() if name != "ingest"), key=lambda name: name != "scoring")
    away: list[ServiceAway] = []
    for service in asked:
        try:
            found = _ask(service, ids, tenant)
        except ServiceAway as error:  # one CRM's connector need not run for another's leads to be followed
            errors.print(f"{error} What it knows is missing here.")
            away.append(error)
            continue
        if service == "scoring" and found:
            explained = found[0]
            score = f"{explained['score']} points"
            crm = list(lines(explained["crm"], explained["segments"]))
            others = [name for name in explained["aliases"] if name.startswith("email:")]
            ids = [explained["prospect_id"], *(prospect_id_of(tenant, name) for name in others)]
        for known in found:
            hops += [hop | {"service": service} for hop in known.get("journey", [])]
            for delivery in known.get("deliveries", []):
                records.append(delivery)
                where = {"service": f"{service} ({delivery['connection_id']})"}
                hops += [hop | where for hop in delivery["history"]]
    if away and len(away) == len(asked):
        raise away[0]
    if not hops and not crm:
        raise LeadbusError(f"Nothing is known of this email for the tenant {tenant}.")
    _show(ids[0], score, sorted(hops, key=lambda hop: datetime.fromisoformat(hop["at"])), records)
    for line in crm:
        console.print(line)
    if points and explained:
        console.print(table_of(explained))
        for other in explained["scores"]:
            console.print(f"{other['name']}: {other['score']} points")
            console.print(table_of(other))


def _ask(service: str, ids: Iterable[str], tenant: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for id in ids:
        try:
            found.append(ask(service, "GET", f"/v1/prospects/{id}", params={"tenant_id": tenant}))
        except Refused as error:
            if error.status != 404:
                raise
    return found


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
