"""What one CRM organisation allows all its connections together: calls at once, and credits a day."""

import logging
import time
from copy import deepcopy
from datetime import UTC, datetime

from leadbus.connector.budget import Budget
from leadbus.connector.capabilities import Capabilities
from leadbus.connector.contract import Adapter
from leadbus.connector.credits import CreditLedger
from leadbus.connector.stores.credits import Credits
from leadbus.errors import LeadbusError

log = logging.getLogger(__name__)

ASK_EVERY_SECONDS = 3_600.0
ASK_AGAIN_SECONDS = 300.0
"""After it failed."""
SAVE_EVERY_SECONDS = 5.0


class Allowance:
    """Of one organisation, at the worker that holds its lease. ledger: None = its calls cost nothing."""

    def __init__(
        self, organisation_id: str, capabilities: Capabilities, store: Credits, ledger: CreditLedger | None
    ) -> None:
        self.budget = Budget(capabilities.concurrent_calls)
        self.ledger = ledger
        self._organisation_id = organisation_id
        self._slots = capabilities.concurrent_calls
        self._store = store
        self._saved = deepcopy(ledger)
        self._ask_at = self._save_at = time.monotonic()

    @classmethod
    async def of(cls, organisation_id: str, capabilities: Capabilities, store: Credits) -> "Allowance":
        """With what was spent before, by whichever pod."""
        ledger = await store.of(organisation_id) if capabilities.credits else None
        return cls(organisation_id, capabilities, store, ledger)

    async def ask(self, adapter: Adapter) -> None:
        """Asks the organisation what it bears, at first and every hour; all goes on without its answer."""
        if time.monotonic() < self._ask_at:
            return
        self._ask_at = time.monotonic() + ASK_AGAIN_SECONDS
        try:
            limits = await adapter.limits()
        except Exception as error:
            reason = error if isinstance(error, LeadbusError) else type(error).__name__
            log.warning("What organisation %s bears is not known: %s", self._organisation_id, reason)
            return
        self._ask_at = time.monotonic() + ASK_EVERY_SECONDS
        self.budget.resize(limits.calls or self._slots)
        if self.ledger is not None:
            self.ledger.learn(limits, datetime.now(UTC))

    async def save(self, *, at_once: bool = False) -> None:
        """Makes durable what was spent, every few seconds however often it is called."""
        if self.ledger == self._saved or self.ledger is None:
            return
        if at_once or time.monotonic() >= self._save_at:
            self._save_at = time.monotonic() + SAVE_EVERY_SECONDS
            saved = deepcopy(self.ledger)
            await self._store.save(self._organisation_id, saved)
            self._saved = saved

    def credits(self) -> tuple[int | None, int | None]:
        """What is left of a day's, and a day's; None = not known, or no limit."""
        if self.ledger is None:
            return None, None
        return self.ledger.left(datetime.now(UTC)), self.ledger.a_day
