"""One Dynamics simulator, as a `CrmUnderTest`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from dynamics_harness.campaigns import campaigns, on_list
from dynamics_harness.words import ACTIVITIES, FIELDS, HANGS_ON, LISTS, MODULES, WORDS, columns, facts
from leadbus.connector.capabilities import Kind, PersonKind
from leadbus.messages import Record
from leadbus.testing.crm import Facts, Fault, Promise
from sandbox.dynamics import Dynamics

LACKS: Mapping[Promise, str] = {
    "teams": "Teams of Dynamics own records, and do not set them apart.",
    "targets": "Dynamics has no third kind of person.",
    "push": "Leadbus installs nothing in Dynamics, which is not called from there.",
    "named_fields": "A plug-in of Dynamics refuses a record as a whole, and names no column.",
    "mixed_lists": "A marketing list of Dynamics holds leads, contacts or accounts: one kind of them.",
    "responses": "A marketing list of Dynamics does not keep how somebody responded.",
}
ON_PREMISES: dict[Promise, str] = {
    **LACKS,
    "retry_after": "Dynamics on premises limits nobody.",
}
UNTRACKED: dict[Promise, str] = {
    "deletions": "Before change tracking Dynamics does not tell deletions; the comparison of all finds them.",
}
CONNECTIONS = 8
"""Each of them signs in by itself where it is by NTLM."""
_LEAD_SOURCE = "Leadbus"


class DynamicsUnderTest:
    """See the module. version: of `sandbox.dynamics.site.VERSIONS`. Online the password is the app's secret.

    path: what a person enters behind the organisation's address. sessions: one token, or NTLM connections.
    """

    people: tuple[PersonKind, ...] = ("lead", "contact")
    words = WORDS

    def __init__(
        self,
        version: str = "9.2",
        *,
        path: str = "",
        lacks: Mapping[Promise, str] = LACKS,
        sessions: int = 1,
    ) -> None:
        self.lacks, self.sessions, self._path = lacks, sessions, path
        self._crm = Dynamics(version=version)
        self._desk = self._crm.desk
        self._desk.add_option("contact", "leadsourcecode", _LEAD_SOURCE)
        for entity in ("lead", "contact"):
            self._desk.add_attribute(entity, "new_Segment")
            self._desk.add_attribute(entity, "new_Score", "integer")

    async def start(self) -> None:
        await self._crm.start()

    async def stop(self) -> None:
        await self._crm.stop()

    def settings(
        self, *, password: str | None = None, address: str | None = None, team: str | None = None
    ) -> dict[str, Any]:
        chosen = self._crm.site.settings
        url = f"{address or self._crm.organisation_url}{self._path}"
        if not chosen.online:
            access = {"user": chosen.user, "password": password or "secret", "domain": chosen.domain}
            return {"access": {"url": url, **access}}
        secret = {"client_secret": password or "secret", "login_url": address or self._crm.url}
        return {
            "access": {"url": url, "tenant": chosen.tenant, "client_id": chosen.client_id, **secret},
        }

    # Records
    def put(self, kind: Kind, **given: Any) -> str:
        if kind == "user":
            return self._put_user(**given)
        entity = ACTIVITIES[given.pop("type", "task")] if kind == "activity" else MODULES[kind]
        if kind == "list":
            given = {"createdfromcode": LISTS[given.pop("holds", "lead")], "type": False, **given}
        if kind == "opportunity" and given.get("account"):
            given = {"customerid": ("account", given["account"]), **given}
        found = self._columns(entity, given)
        ends = {name: found.pop(name) for name in ("statecode", "statuscode") if found.get("statecode")}
        key = self._desk.create(entity, found)
        if ends:  # a record begins open, whatever is said of it
            self._desk.change(entity, key, ends)
        return key

    def load(self, kind: Kind, rows: Iterable[Facts]) -> None:
        entity = MODULES[kind]

        def loaded() -> Iterable[dict[str, Any]]:
            for row in rows:
                given = dict(row)
                at = given.pop("changed_at", None)
                stamps = dict.fromkeys(("createdon", "modifiedon"), at) if at else {}
                yield self._columns(entity, given | stamps)

        self._desk.load(entity, loaded())

    def change(self, kind: Kind, record_id: str, **given: Any) -> None:
        if kind == "user":
            self._desk.disable_user(record_id, disabled=not given["active"])
        else:
            entity = self._entity_of(record_id) if kind == "activity" else MODULES[kind]
            self._desk.change(entity, record_id, self._columns(entity, given))

    def delete(self, kind: Kind, record_id: str) -> None:
        self._desk.delete(MODULES[kind], record_id)

    def convert(self, lead_id: str) -> str:
        return self._desk.qualify(lead_id)

    def join(self, list_id: str, kind: Kind, person_id: str) -> None:
        self._desk.add_members(list_id, [person_id])

    def leave(self, list_id: str, kind: Kind, person_id: str) -> None:
        self._desk.remove_member(list_id, person_id)

    def on_list(self, list_id: str) -> set[str]:
        return on_list(self._desk, list_id)

    def rows(self, kind: Kind) -> list[Facts]:
        if kind == "user":
            return [
                {**row, "email": row["internalemailaddress"] or "", "active": not row["isdisabled"]}
                for row in self._desk.records("systemuser")
            ]
        return self._rows(MODULES[kind])

    def activities_of(self, record_id: str) -> list[Facts]:
        found = [
            row | {"type": kind}
            for kind, entity in ACTIVITIES.items()
            for row in self._rows(entity)
            if row[HANGS_ON[entity]] == record_id and not row["deleted"]
        ]
        return sorted(found, key=lambda row: str(row["created"]))

    def record(self, kind: Kind, record_id: str) -> Record:
        return Record(module=MODULES[kind], id=record_id)

    def notify(self, kind: Kind, record_id: str) -> tuple[bytes, str]:
        raise ValueError(self.lacks["push"])

    def add_team(self, name: str) -> None:
        raise ValueError(self.lacks["teams"])

    # Campaigns
    def campaigns(self) -> list[Facts]:
        return campaigns(self._desk)

    def delete_campaign(self, name: str) -> None:
        (found,) = (row for row in self._desk.records("campaign") if row["name"] == name)
        self._desk.delete("campaign", found["id"])

    def refuse_campaign(self, field: Literal["name", "description"], value: str) -> None:
        self._desk.refuse("campaign", field, value)

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
        self._crm.faults.add(fault, of=of, times=times, skip=skip, retry_after=int(retry_after))

    def behave(self) -> None:
        self._crm.faults.clear()

    def refuse(self, kind: Kind, field: str, value: str) -> None:
        entity = MODULES[kind]
        self._desk.refuse(entity, FIELDS[entity][field], value)

    def accept(self) -> None:
        self._desk.accept()
        self.behave()

    def change_password(self, password: str) -> None:
        chosen = self._crm.site.settings
        if chosen.online:
            self._desk.set_client_secret(password)
            self._desk.expire_access()
        else:
            self._crm.ntlm.passwords = {rf"{chosen.domain}\{chosen.user}": password}
            self._crm.ntlm.forget()

    def forbid_user(self, kind: Kind) -> None:
        self._desk.forbid(MODULES[kind], ("create", "write"))

    def permit_user(self, kind: Kind) -> None:
        self._desk.permit(MODULES[kind])

    def shorten_pages(self) -> None:
        """To two rows."""
        self._crm.site.settings = replace(self._crm.site.settings, page_size=2)

    def expire_changes(self) -> None:
        """What changed before now is told by no mark any more."""
        self._desk.expire_changes()

    def drop_lead_source(self) -> None:
        self._desk.drop_option("lead", "leadsourcecode", _LEAD_SOURCE)

    def add_lead_source(self) -> None:
        self._desk.add_option("lead", "leadsourcecode", _LEAD_SOURCE)

    # Counting
    @property
    def calls(self) -> int:
        return self._crm.calls.total()

    @property
    def logins(self) -> int:
        return self._crm.logins

    @property
    def refused_logins(self) -> int:
        return self._crm.refused_logins

    @property
    def refused_rows(self) -> int:
        return self._crm.refused_rows

    @property
    def reads(self) -> int:
        return self._crm.reads

    @property
    def writes(self) -> int:
        return self._crm.writes

    def _put_user(self, name: str, email: str, *, active: bool = True) -> str:
        first, _, last = name.rpartition(" ")
        return self._desk.add_user(email, first_name=first, last_name=last, email=email, disabled=not active)

    def _entity_of(self, record_id: str) -> str:
        for entity in dict.fromkeys((*ACTIVITIES.values(), *MODULES.values())):
            if self._crm.store.get(entity, record_id) is not None:
                return entity
        raise KeyError(record_id)

    def _columns(self, entity: str, given: Facts) -> dict[str, Any]:
        about = given.pop("about", None)
        found = columns(entity, given)
        if about:
            found[HANGS_ON[entity]] = (self._entity_of(about), about)
        found = {name: self._option(entity, name, value) for name, value in found.items()}
        status = self._crm.store.entities[entity].attributes.get("statuscode")
        option = status.option(found.get("statuscode")) if status else None
        return found | ({"statecode": option.state} if option else {})

    def _option(self, entity: str, name: str, value: Any) -> Any:
        """The number of an option that people choose by its label; one that is new they add before."""
        attribute = self._crm.store.entities[entity].attributes.get(name)
        if attribute is None or not attribute.options or not isinstance(value, str):
            return value
        state = 0 if attribute.type == "status" else None
        return self._desk.add_option(entity, name, value, state=state)

    def _rows(self, entity: str) -> list[Facts]:
        options = {
            name: {option.value: option.label for option in attribute.options}
            for name, attribute in self._crm.store.entities[entity].attributes.items()
            if attribute.options
        }
        found = []
        for row in self._desk.records(entity):
            labels = {name: known[row[name]] for name, known in options.items() if row.get(name) in known}
            found.append(facts(entity, row, labels))
        return found
