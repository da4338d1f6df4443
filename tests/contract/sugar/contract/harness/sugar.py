"""One SugarCRM simulator that speaks one protocol, as a `CrmUnderTest`."""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from harness import campaigns
from harness.words import ACTIVITIES, MODULES, WORDS, columns, facts, stamp
from leadbus.connector.capabilities import PEOPLE, Kind
from leadbus.messages import Record
from leadbus.testing.crm import Facts, Fault, Promise
from sandbox.sugar import Protocols, Settings, SugarCRM, desk, links, reading
from sandbox.sugar.door import failures
from sandbox.sugar.faults import Happening, Rule
from sandbox.sugar.faults import Kind as Kinds
from sandbox.sugar.rest.hooks import Hooks
from sandbox.sugar.store import Change, new_id

PLATFORM = "leadbus"
_FAULTS: Mapping[Fault, Kinds] = {
    "hang": "hang",
    "error": "http_500",
    "html": "html_instead_of_xml",
    "lose_reply": "lost_reply_after_write",
    "rate_limit": "too_many_requests",
    "expire_session": "token_expired",
    "forbid": "forbidden",
}
_LACKS: dict[Promise, str] = {
    "converting": "Leadbus does not convert leads in SugarCRM.",
    "responses": "SugarCRM's target lists do not say how somebody responded.",
}
_OLDER_LACK: dict[Promise, str] = {
    "named_fields": "SugarCRM's older services break off without naming the field."
}
_NATURES = {"writes": {"write"}, "reads": {"read"}, "all": {"login", "logout", "open", "read", "write"}}


@dataclasses.dataclass(slots=True)
class _Tally(Rule):
    """Never strikes; counts calls by their nature."""

    seen: Counter[str] = dataclasses.field(default_factory=Counter)

    def strikes(self, happening: Happening) -> bool:
        self.seen[happening.nature] += 1
        return False


@dataclasses.dataclass(slots=True)
class _OfNature(Rule):
    """Strikes calls of some natures alone."""

    natures: frozenset[str] = frozenset()

    def strikes(self, happening: Happening) -> bool:
        return happening.nature in self.natures and Rule.strikes(self, happening)


class SugarUnderTest:
    """See the module. address: what a person enters, with the simulator's own filled in as {site}."""

    words = WORDS
    people = PEOPLE

    def __init__(
        self,
        protocols: Protocols,
        *,
        address: str = "{site}",
        teams: bool = False,
        sessions: int = 8,
        lacks: Mapping[Promise, str] | None = None,
        **settings: Any,
    ) -> None:
        older = {} if protocols.rest else _OLDER_LACK
        self.lacks, self.sessions = {**_LACKS, **older, **(lacks or {})}, sessions
        self._crm = SugarCRM(protocols=protocols, teams=teams, settings=Settings(**settings))
        self._store = self._crm.store
        self._address, self._teams = address, teams
        self._tally = _Tally("slow")
        self._lasting: list[Rule] = [self._tally]
        self._crm.faults.rules += self._lasting

    async def start(self) -> None:
        desk.register_platform(self._store, PLATFORM)
        self.add_lead_source()
        await self._crm.start()

    async def stop(self) -> None:
        await self._crm.stop()

    def settings(
        self, *, password: str | None = None, address: str | None = None, team: str | None = None
    ) -> dict[str, Any]:
        url = address or self._address.format(site=self._crm.url)
        access = {"url": url, "user": "admin", "password": password or "admin"}
        return {"access": access} | ({"teams": [team]} if team else {})

    # Records
    def put(self, kind: Kind, **given: Any) -> str:
        module = self._module(kind, given)
        contact, given = given.pop("contact", None), dict(given)
        if team := given.pop("team", None):
            given["team_id"] = self._store.value("SELECT id FROM teams WHERE name = ?", (team,))
        if kind == "user":
            given = {"user_name": new_id(), "status": "Active"} | given
        if kind == "activity" and given.get("about"):
            given["parent_type"] = self._module_with(given["about"])
        key = desk.create(self._store, module, columns(module, given))
        if contact:
            links.add(self._store, self._store.modules[module].links["contacts"], key, [contact], {})
        return key

    def load(self, kind: Kind, rows: Iterable[Facts]) -> None:
        module = MODULES[kind]

        def loaded() -> Iterable[dict[str, str]]:
            for row in rows:
                at = row.get("changed_at")
                stamps = dict.fromkeys(("date_entered", "date_modified"), stamp(at)) if at else {}
                yield columns(module, {k: v for k, v in row.items() if k != "changed_at"}) | stamps

        desk.load(self._store, module, loaded())

    def change(self, kind: Kind, record_id: str, **given: Any) -> None:
        module = self._module_with(record_id) if kind == "activity" else MODULES[kind]
        desk.change(self._store, module, record_id, columns(module, given))

    def delete(self, kind: Kind, record_id: str) -> None:
        self.change(kind, record_id, deleted=True)

    def convert(self, lead_id: str) -> str:
        (lead,) = [row for row in self.rows("lead") if row["id"] == lead_id]
        names = {name: lead[name] for name in ("first_name", "last_name", "email")}
        contact = self.put("contact", **names)
        self.change("lead", lead_id, converted=True, contact_id=contact, status="Converted")
        return contact

    def join(self, list_id: str, kind: Kind, person_id: str) -> None:
        desk.put_on_list(self._store, list_id, MODULES[kind], person_id)

    def leave(self, list_id: str, kind: Kind, person_id: str) -> None:
        desk.put_on_list(self._store, list_id, MODULES[kind], person_id, off=True)

    def on_list(self, list_id: str) -> set[str]:
        return campaigns.members(self._store, list_id)

    def rows(self, kind: Kind) -> list[Facts]:
        return self._rows(MODULES[kind])

    def activities_of(self, record_id: str) -> list[Facts]:
        found = [
            row | {"type": kind}
            for kind, module in ACTIVITIES.items()
            for row in self._rows(module)
            if row["parent_id"] == record_id and not row["deleted"]
        ]
        return sorted(found, key=lambda row: row["created"])

    def record(self, kind: Kind, record_id: str) -> Record:
        return Record(module=MODULES[kind], id=record_id)

    def notify(self, kind: Kind, record_id: str) -> tuple[bytes, str]:
        """A Web Logic Hook's body, as the scheduler would post it."""
        hook = {
            "webhook_target_module": MODULES[kind],
            "trigger_event": "after_save",
            "request_method": "POST",
        }
        known = {"id": new_id(), "name": "Leadbus", "url": "http://127.0.0.1:1/", "deleted": 0}
        self._store.insert("weblogichooks", hook | known)
        Hooks(self._store).changed(Change("after_save", MODULES[kind], record_id))
        body = self._store.value("SELECT body FROM hook_jobs ORDER BY id DESC LIMIT 1")
        return str(body).encode(), "application/json"

    def add_team(self, name: str) -> None:
        desk.join_team(self._store, desk.add_team(self._store, name), desk.ADMIN)

    # Campaigns
    def campaigns(self) -> list[Facts]:
        return campaigns.live(self._store)

    def delete_campaign(self, name: str) -> None:
        campaigns.delete(self._store, name)

    def refuse_campaign(self, field: Literal["name", "description"], value: str) -> None:
        column = campaigns.COLUMNS[field]
        self._refuse("Campaigns", column, value, f"Invalid parameter: {column}")

    # Trouble
    def misbehave(
        self,
        fault: Fault,
        *,
        of: Literal["all", "writes", "reads"] = "all",
        times: int | None = None,
        skip: int = 0,
        retry_after: float = 0.0,
    ) -> None:
        natures = {"read", "write"} if fault == "expire_session" else _NATURES[of]
        rule = _OfNature(
            _FAULTS[fault], times=times, skip=skip, seconds=retry_after, natures=frozenset(natures)
        )
        self._crm.faults.rules.append(rule)

    def behave(self) -> None:
        self._crm.faults.clear()
        self._crm.faults.rules += self._lasting

    def refuse(self, kind: Kind, field: str, value: str) -> None:
        (column,) = columns(MODULES[kind], {field: value})
        self._refuse(MODULES[kind], column, value, "Value is not allowed")

    def accept(self) -> None:
        self._lasting = [rule for rule in self._lasting if rule.kind != "refuse_row"]
        self.behave()

    def change_password(self, password: str) -> None:
        desk.set_password(self._store, desk.ADMIN, password)
        desk.end_sessions(self._store, desk.ADMIN)
        self._crm.sessions.forget_user(desk.ADMIN)

    def forbid_user(self, kind: Kind) -> None:
        desk.deny(self._store, desk.ADMIN, MODULES[kind], "edit")

    def permit_user(self, kind: Kind) -> None:
        desk.allow(self._store, desk.ADMIN, MODULES[kind])

    def drop_lead_source(self) -> None:
        self._store.execute("DELETE FROM options WHERE dom = 'lead_source_dom' AND name = 'Leadbus'")

    def add_lead_source(self) -> None:
        desk.add_option(self._store, "Leads", "lead_source", "Leadbus")

    # Counting
    @property
    def calls(self) -> int:
        return self._crm.calls.total()

    @property
    def logins(self) -> int:
        return self._tally.seen["login"]

    @property
    def refused_logins(self) -> int:
        return failures(self._store, desk.ADMIN)

    @property
    def reads(self) -> int:
        return self._tally.seen["read"]

    @property
    def writes(self) -> int:
        return self._tally.seen["write"]

    @property
    def refused_rows(self) -> int:
        return sum(rule.struck for rule in self._lasting)

    def _refuse(self, module: str, column: str, value: str, message: str) -> None:
        rule = Rule("refuse_row", module=module, field=column, matches=re.escape(value))
        rule.message = message
        self._lasting.append(rule)
        self._crm.faults.rules.append(rule)

    def _module(self, kind: Kind, given: Facts) -> str:
        return ACTIVITIES[given.pop("type", "task")] if kind == "activity" else MODULES[kind]

    def _module_with(self, record_id: str) -> str:
        for module in (*MODULES.values(), *ACTIVITIES.values()):
            table = self._store.modules[module].table
            if self._store.value(f"SELECT 1 FROM {table} WHERE id = ?", (record_id,)):
                return module
        raise KeyError(record_id)

    def _rows(self, module: str) -> list[Facts]:
        return [facts(module, self._computed(module, row)) for row in desk.records(self._store, module)]

    def _computed(self, module: str, row: dict[str, Any]) -> dict[str, Any]:
        """With what stands in other tables."""
        described = self._store.modules[module]
        known = dict(row)
        if "email_opt_out" in described.fields:
            opted_out = reading.computed(self._store, described, row, "email_opt_out")
            known |= {"email_opt_out": bool(opted_out), "email1": row["email"]}
        if module == "Contacts":
            for name in ("account_id", "account_name"):
                known[name] = reading.computed(self._store, described, row, name)
        if self._teams and row.get("team_id"):
            known["team"] = self._store.value("SELECT name FROM teams WHERE id = ?", (row["team_id"],))
        return known
