"""Asks the connector that knows a connection, whichever of those installed it is."""

from typing import Any

from leadbus.cli.calls import Refused, ServiceAway, ask, services
from leadbus.errors import LeadbusError


def ask_connector(
    method: str, path: str, body: dict[str, Any] | None = None, params: dict[str, str] | None = None
) -> dict[str, Any]:
    """path: below /v1/connections/.

    Raises:
        ServiceAway, Refused: what the last connector that does not know it said.
    """
    last: LeadbusError | None = None
    for service in services("connector-"):
        try:
            answer: dict[str, Any] = ask(service, method, f"/v1/connections/{path}", json=body, params=params)
        except (ServiceAway, Refused) as error:
            if isinstance(error, Refused) and error.status != 404:
                raise
            last = error
        else:
            return answer
    raise last or LeadbusError("No connector is known.")
