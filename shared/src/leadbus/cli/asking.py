"""Asks the connector that knows a connection, whichever of those installed it is."""

from typing import Any

from leadbus.cli.calls import Refused, ServiceAway, ask, services
from leadbus.errors import LeadbusError


def ask_connector(
    method: str, path: str, body: dict[str, Any] | None = None, params: dict[str, str] | None = None
) -> dict[str, Any]:
    """path: below /v1/connections/.

    Raises:
        Refused: none that answers knows it; says which do not answer. ServiceAway: none answers.
    """
    unknown: Refused | None = None
    away: list[ServiceAway] = []
    for service in services("connector-"):
        try:
            answer: dict[str, Any] = ask(service, method, f"/v1/connections/{path}", json=body, params=params)
        except Refused as error:
            if error.status != 404:
                raise
            unknown = error
        except ServiceAway as error:
            away.append(error)
        else:
            return answer
    if unknown is not None:
        raise Refused(" ".join(map(str, (unknown, *away))), unknown.status)
    raise away[0] if away else LeadbusError("No connector is known.")
