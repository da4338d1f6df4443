"""One Zoho CRM simulator, as a `CrmUnderTest`."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from leadbus.connector.capabilities import Kind, PersonKind
from leadbus.messages import Record
from leadbus.testing.crm import Facts, Fault, Promise
from sandbox.zoho import Zoho
from sandbox.zoho.channels import Channels
from zoho_harness import campaigns
from zoho_harness.words import ACTIVITIES, HANGS_ON, MODULES, WORDS, columns, facts

_HOOK = "http://127.0.0.1:9/hooks/the-connection/its-token"
"""Where nobody listens: the suite brings pushes itself."""


class ZohoUnderTest:
    """See the module. A password is the client's secret."""

    lacks: Mapping[Promise, str] = {
        "teams": "Zoho CRM has no teams: roles decide who sees what.",
        "targets": "Zoho CRM has no third kind of person.",
        "retry_after": "Zoho CRM does not say how long to wait.",
    }
    people: tuple[PersonKind, ...] = ("lead", "contact")
    sessions = 1
    words = WORDS

    def __init__(self, zoho: Zoho | None = None) -> None:
        self.zoho = zoho or Zoho()
        self.desk = self.zoho.desk
        for module in ("Leads", "Contacts"):
            self.desk.add_field(module, WORDS.spare_field, "text")
            self.desk.add_field(module, WORDS.spare_number, "integer")

    async def start(self) -> None:
        await self.zoho.start()

    async def stop(self) -> None:
        await self.zoho.stop()

    def settings(
        self, *, password: str | None = None, address: str | None = None, team: str | None = None
    ) -> dict[str, Any]:
        access = {
            "user": self.zoho.user,
            "organisation": self.zoho.site.settings.zgid,
            "data_centre": address or self.zoho.url,
            "client_id": self.zoho.client_id,
            "client_secret": password or "secret",
            "grant_token": self.zoho.grant(),
        }
        return {"access": access, "hook_url": _HOOK}

    # Records
    def put(self, kind: Kind, **given: Any) -> str:
        if kind == "user":
            return self._put_user(**given)
        module = self._module(kind, given)
        return self.desk.create(module, self._columns(module, given))

    def load(self, kind: Kind, rows: Iterable[Facts]) -> None:
        def loaded() -> Iterable[dict[str, Any]]:
            for row in rows:
                given = dict(row)
                at = given.pop("changed_at", None)
                stamps = dict.fromkeys(("Created_Time", "Modified_Time"), at) if at else {}
                yield columns(MODULES[kind], given) | stamps

        self.desk.load(MODULES[kind], loaded())

    def change(self, kind: Kind, record_id: str, **given: Any) -> None:
        if kind == "user":
            self._change_user(record_id, **given)
        else:
            module = self._module_with(record_id) if kind == "activity" else MODULES[kind]
            self.desk.change(module, record_id, self._columns(module, given))

    def delete(self, kind: Kind, record_id: str) -> None:
        self.desk.delete(MODULES[kind], record_id)

    def convert(self, lead_id: str) -> str:
        return self.desk.convert(lead_id)

    def join(self, list_id: str, kind: Kind, person_id: str) -> None:
        self.desk.join(list_id, MODULES[kind], person_id)

    def leave(self, list_id: str, kind: Kind, person_id: str) -> None:
        self.desk.leave(list_id, person_id)

    def on_list(self, list_id: str) -> set[str]:
        return campaigns.members(self.zoho, list_id)

    def rows(self, kind: Kind) -> list[Facts]:
        if kind == "user":
            return [
                {**user, "name": user["full_name"], "active": user["status"] == "active", "deleted": False}
                for user in self.desk.users()
            ]
        return self._rows(MODULES[kind])

    def activities_of(self, record_id: str) -> list[Facts]:
        found = [
            row | {"type": kind}
            for kind, module in ACTIVITIES.items()
            for row in self._rows(module)
            if record_id in [row[name] for name in HANGS_ON[module]] and not row["deleted"]
        ]
        return sorted(found, key=lambda row: str(row["created"]))

    def record(self, kind: Kind, record_id: str) -> Record:
        return Record(module=MODULES[kind], id=record_id)

    def notify(self, kind: Kind, record_id: str) -> tuple[bytes, str]:
        """Over the connection's channel; as in `callback-edit.json` of the contract notes."""
        module = MODULES[kind]
        channel = Channels(self.zoho.store).live("module = ?", (module,))[0]
        body = {
            "server_time": self.zoho.store.now_ms(),
            "query_params": {},
            "module": module,
            "resource_uri": f"{self.zoho.url}/crm/v8/{module}",
            "ids": [record_id],
            "affected_fields": [{record_id: ["Phone"]}],
            "operation": "update",
            "channel_id": channel.channel,
            "token": channel.token,
        }
        return json.dumps(body).encode(), "application/json;charset=UTF-8"

    def add_team(self, name: str) -> None:
        raise ValueError(self.lacks["teams"])

    # Campaigns
    def campaigns(self) -> list[Facts]:
        return campaigns.live(self.zoho)

    def delete_campaign(self, name: str) -> None:
        (key,) = [row["id"] for row in campaigns.live(self.zoho) if row["name"] == name]
        self.desk.delete("Campaigns", key)

    def refuse_campaign(self, field: Literal["name", "description"], value: str) -> None:
        self.desk.refuse("Campaigns", campaigns.COLUMNS[field], value)

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
        self.zoho.faults.add(fault, of=of, times=times, skip=skip)

    def behave(self) -> None:
        self.zoho.faults.clear()

    def refuse(self, kind: Kind, field: str, value: str) -> None:
        (column,) = columns(MODULES[kind], {field: value})
        self.desk.refuse(MODULES[kind], column, value)

    def accept(self) -> None:
        self.desk.accept()
        self.behave()

    def change_password(self, password: str) -> None:
        self.desk.set_client_secret(password)
        self.desk.expire_access()

    def forbid_user(self, kind: Kind) -> None:
        self.desk.forbid(MODULES[kind])

    def permit_user(self, kind: Kind) -> None:
        self.desk.permit(MODULES[kind])

    def drop_lead_source(self) -> None:
        self.desk.drop_option("Leads", "Lead_Source", "Leadbus")

    def add_lead_source(self) -> None:
        self.desk.add_option("Leads", "Lead_Source", "Leadbus")

    # Counting
    @property
    def calls(self) -> int:
        return self.zoho.calls.total()

    @property
    def logins(self) -> int:
        return self.zoho.logins

    @property
    def refused_logins(self) -> int:
        return self.zoho.refused_logins

    @property
    def refused_rows(self) -> int:
        return self.zoho.refused_rows

    @property
    def reads(self) -> int:
        return self.zoho.reads

    @property
    def writes(self) -> int:
        return self.zoho.writes

    def _put_user(self, name: str, email: str, *, active: bool = True) -> str:
        first, _, last = name.rpartition(" ")
        key = self.desk.add_user(email, first_name=first, last_name=last)
        if not active:
            self.desk.deactivate_user(key)
        return key

    def _change_user(self, key: str, *, active: bool) -> None:
        (self.desk.activate_user if active else self.desk.deactivate_user)(key)

    def _module(self, kind: Kind, given: Facts) -> str:
        return ACTIVITIES[given.pop("type", "task")] if kind == "activity" else MODULES[kind]

    def _module_with(self, record_id: str) -> str:
        for module in dict.fromkeys((*MODULES.values(), *ACTIVITIES.values())):
            if module != MODULES["user"] and self.zoho.store.get(module, record_id) is not None:
                return module
        raise KeyError(record_id)

    def _columns(self, module: str, given: Facts) -> dict[str, Any]:
        """An activity is with a contact, and about anything else."""
        about = given.pop("about", None)
        found = columns(module, given)
        if about:
            other = self._module_with(about)
            name = "Parent_Id" if module == "Notes" else "Who_Id" if other == "Contacts" else "What_Id"
            found |= {name: about, "$se_module": other}
        return found

    def _rows(self, module: str) -> list[Facts]:
        return [facts(module, row) for row in self.desk.records(module)]
