"""Custom fields that a tenant does not have: refused, once it has said which ones it has.

The names are remembered for 30 seconds, as API keys are: looking them up costs a request nothing else.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from pymongo.errors import PyMongoError

from ingest.items import Fault
from leadbus.messages import Body, Fields
from leadbus.tenant_fields import nearest

log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 30.0
MOST_TENANTS = 10_000
MOST_HINTS = 20
"""Of one tenant, until its names are looked up again: comparing them is the only part that takes time."""
_SHOWS = "leadbus fields list shows yours"

Names = frozenset[str]


class Judging:
    """For the items of one tenant. names: none = every name will do."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._hints: dict[str, str | None] = {}

    def faults(self, body: Body) -> list[Fault]:
        """One for each custom field that the tenant does not have."""
        fields = getattr(body, "fields", None)
        if not self._names or not isinstance(fields, Fields) or fields.custom.keys() <= self._names:
            return []
        unknown = [name for name in fields.custom if name not in self._names]
        return [Fault(f"fields.custom.{name}", self._reason(name), "unknown_field") for name in unknown]

    def _reason(self, name: str) -> str:
        if name not in self._hints and len(self._hints) < MOST_HINTS:
            self._hints[name] = nearest(name, self._names)
        near = self._hints.get(name)
        return f"there is no such field; {f'did you mean {near}?' if near else _SHOWS}"


class OwnFields:
    """Which custom fields tenants have. names_of: asks the store."""

    def __init__(
        self, names_of: Callable[[str], Awaitable[Names]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._names_of = names_of
        self._clock = clock
        self._remembered: OrderedDict[str, tuple[float, Judging]] = OrderedDict()

    async def of(self, tenant_id: str) -> Judging:
        """By what is remembered, if that is recent. A store that is away keeps no lead out."""
        until, judging = self._remembered.get(tenant_id, (0.0, Judging(Names())))
        now = self._clock()
        if until <= now:
            try:
                judging = Judging(await self._names_of(tenant_id))
            except PyMongoError as error:
                log.warning("Names of own fields cannot be looked up (%s).", type(error).__name__)
            self._remembered[tenant_id] = (now + REMEMBERED_SECONDS, judging)
            self._remembered.move_to_end(tenant_id)
            if len(self._remembered) > MOST_TENANTS:
                self._remembered.popitem(last=False)
        return judging

    def forget(self, tenant_id: str) -> None:
        """Its names were changed here."""
        self._remembered.pop(tenant_id, None)
