"""The accounts of contacts to be created: found by name, else created once."""

from collections.abc import Sequence

from leadbus.connector.contract import Account, NewAccount
from leadbus.connector.delivering import plan
from leadbus.connector.delivering.context import Context
from leadbus.connector.delivering.work import Work
from leadbus.connector.link import account_id
from leadbus.errors import Conflict, LeadbusError, Rejected
from leadbus.messages import Record

_MOST_GENERATIONS = 5


class Accounts:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, works: Sequence[Work]) -> None:
        """Gives each its account; where the CRM refuses one, its contacts wait for that account.

        Of several accounts with one name the one we would have created is taken, else the first by id.
        """
        named = {id(w): plan.all_values(w.delivery, self._context.connection).get("company") for w in works}
        names = {_key(name): name for name in named.values() if name}
        if not names:
            return
        ids = {key: self._id(name) for key, name in names.items()}
        found = await self._found(names)
        known: dict[str, str | LeadbusError] = {
            key: _choose(accounts, ids[key]) for key, accounts in found.items() if accounts
        }
        missing = {key: name for key, name in names.items() if key not in known}
        if missing:
            known |= await self._create(missing, works)
        for work in works:
            name = named[id(work)]
            account = known.get(_key(name)) if name else None
            if isinstance(account, str):
                work.account_id = account
            elif account is not None and name:
                work.error, work.object, work.root = account, "account", ids[_key(name)]

    async def _found(self, names: dict[str, str]) -> dict[str, list[Account]]:
        found = await self._context.adapter.find_accounts(sorted(names.values()))
        return {_key(name): accounts for name, accounts in found.items()}

    async def _create(self, names: dict[str, str], works: Sequence[Work]) -> dict[str, str | LeadbusError]:
        """An id that exists is that of an account made at this very moment, or of one that was deleted."""
        created: dict[str, str | LeadbusError] = {}
        left = dict(names)
        for generation in range(_MOST_GENERATIONS):
            rows = [NewAccount(self._id(name, generation), name) for name in left.values()]
            records = {row.id: Record(module=self._module, id=row.id) for row in rows}
            if self._context.adapter.capabilities.own_ids:
                await self._context.mirror.intend(
                    self._context.connection.id, {record: {} for record in records.values()}
                )
            self._context.before_writing()
            outcomes = await self._context.adapter.create_accounts(rows)
            exist = [
                row for row, outcome in zip(rows, outcomes, strict=True) if isinstance(outcome, Conflict)
            ]
            read = await self._context.adapter.read([records[row.id] for row in exist]) if exist else {}
            taken: dict[str, str] = {}
            for (key, name), row, outcome in zip(left.items(), rows, outcomes, strict=True):
                if not isinstance(outcome, Conflict):
                    created[key] = outcome
                elif (there := read.get(row.id)) is not None and not there.deleted:
                    created[key] = row.id
                else:
                    taken[key] = name
            left = taken
            if not left:
                break
        refused = Rejected("The account was deleted in the CRM again and again; create it there by hand.")
        return created | dict.fromkeys(left, refused)

    @property
    def _module(self) -> str:
        return self._context.adapter.capabilities.module_of("account")

    def _id(self, name: str, generation: int = 0) -> str:
        connection = self._context.connection
        return account_id(connection.organisation_id, connection.settings.team_scope, name, generation)


def _choose(accounts: Sequence[Account], ours: str) -> str:
    ids = sorted(account.record.id for account in accounts)
    return ours if ours in ids else ids[0]


def _key(name: str | None) -> str:
    return " ".join((name or "").casefold().split())
