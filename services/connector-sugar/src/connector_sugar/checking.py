"""Whether a connection can do its work: findings for the person who sets it up."""

from collections.abc import Mapping, Sequence
from typing import Any

from connector_sugar import faults, wire
from connector_sugar.client import SugarClient
from connector_sugar.settings import SugarConnection
from connector_sugar.translation import CONTACTS, LEADS, MODULES, NOTES, OPPORTUNITIES
from leadbus.connector.contract import Finding
from leadbus.errors import LeadbusError

_PEOPLE = ("list", "view", "edit")
_NEEDED_RIGHTS: Mapping[str, tuple[Sequence[str], str]] = {
    LEADS: (_PEOPLE, "Leads are matched by email, created and updated there."),
    CONTACTS: (_PEOPLE, "People may be contacts already, and can be recorded as such."),
    NOTES: (("list", "view", "edit"), "Marketing activities are written as notes."),
    OPPORTUNITIES: (("list", "view"), "Opportunities of marketing's leads are read back."),
}


class Checking:
    """Asks the CRM what it lets the connection do."""

    def __init__(self, client: SugarClient, connection: SugarConnection) -> None:
        self._client = client
        self._connection = connection

    async def run(self) -> list[Finding]:
        """Every finding there is; a check that gets no answer ends them. Never raises."""
        findings: list[Finding] = []
        for check in (
            self._check_address,
            self._check_modules,
            self._check_lead_source,
            self._check_score_field,
        ):
            try:
                findings += await check()
            except Exception as error:  # a check never raises
                what = str(error) if isinstance(error, LeadbusError) else faults.UNREADABLE.sentence
                findings.append(Finding(False, what, faults.WHY_TO_ANSWER, faults.advice(error)))
                break
        return findings

    async def _check_address(self) -> list[Finding]:
        info = await self._client.server_info()
        return [Finding(True, f"The address answers as SugarCRM {info['flavor']} {info['version']}.")]

    async def _check_modules(self) -> list[Finding]:
        rights = wire.rights(await self._client.call("get_available_modules", "all"))
        findings = [Finding(True, f"The CRM accepts the user name and password. {self._client.choice}")]
        for module, (needed, why) in _NEEDED_RIGHTS.items():
            has = rights.get(module, frozenset())
            lacking = [right for right in needed if right not in has]
            if not lacking:
                findings.append(Finding(True, f"The CRM's user has the rights that are needed on {module}."))
                continue
            findings.append(
                Finding(
                    False,
                    f"The CRM's user lacks rights on {module}: {', '.join(lacking)}.",
                    why,
                    f"In the CRM, under Admin > Role Management, allow the user's role to {_listed(needed)}"
                    f" {module}.",
                )
            )
        return findings

    async def _check_lead_source(self) -> list[Finding]:
        module, wanted = MODULES[self._connection.record_as], self._connection.lead_source
        fields = await self._fields(module, "lead_source")
        options = {option["name"] or "" for field in fields for option in field["options"] or ()}
        if wanted in options:
            return [Finding(True, f"The lead source {wanted} exists in {module}.")]
        return [
            Finding(
                False,
                f"The field lead_source of {module} does not have the value {wanted}.",
                "Every record that Leadbus creates carries this lead source.",
                f"In the CRM, under Admin > Studio > {module} > Fields > lead_source: choose Add on the"
                f" drop-down list, enter {wanted} as item name and display label, then Add, then Save.",
            )
        ]

    async def _check_score_field(self) -> list[Finding]:
        module, wanted = MODULES[self._connection.record_as], self._connection.score_field
        if wanted is None:
            return []
        if any(field["name"] == wanted for field in await self._fields(module, wanted)):
            return [Finding(True, f"The score's field {wanted} exists in {module}.")]
        return [
            Finding(
                False,
                f"{module} has no field {wanted}.",
                "The score is kept in it; SugarCRM drops values of unknown fields without a word.",
                f"In the CRM, under Admin > Studio > {module} > Fields, add a field of type Integer. SugarCRM"
                " adds _c to its name: enter it here with that ending.",
            )
        ]

    async def _fields(self, module: str, name: str) -> list[Any]:
        result = await self._client.call("get_module_fields", module, wire.strings([name]))
        return list(result["module_fields"] or ())


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
