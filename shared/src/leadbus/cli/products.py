"""`leadbus connections supported`: which products can be connected, for who is about to set one up."""

from collections.abc import Mapping
from typing import Any

import typer

from leadbus.cli.calls import ServiceAway, ask, console, services


def register(connections: typer.Typer) -> None:
    """Adds it to `leadbus connections`."""
    connections.command()(supported)


def supported() -> None:
    """Shows which CRMs can be connected, in which versions, and what is easily taken for one of them."""
    away: list[ServiceAway] = []
    connectors = services("connector-")
    for service in connectors:
        try:
            show(ask(service, "GET", "/v1/settings"))
        except ServiceAway as error:
            away.append(error)
    if away and len(away) == len(connectors):
        raise away[0]


def show(told: Mapping[str, Any]) -> None:
    """told: as a connector's `GET /v1/settings` answers."""
    console.print(f"crm: {told['crm']}")
    for product in told["supported"]:
        console.print(f"  {product}.", soft_wrap=True)
    for product in told["unsupported"]:
        console.print(f"  Not supported: {product}.", soft_wrap=True)
