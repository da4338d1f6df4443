"""What every worker of a connector shares."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.delivering.settling import Settling
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.credits import Credits
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Workshop:
    """See the module."""

    connections: Connections
    deliveries: Deliveries
    links: Links
    pulling: PullShop
    credits: Credits
    settling: Settling
    telemetry: Telemetry
    adapter_for: Callable[[Connection], Awaitable[Adapter]]
