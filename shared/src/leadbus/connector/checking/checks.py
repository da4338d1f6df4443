"""Save and test: whether a connection can do its work, in findings for the person who sets it up.

Composed from the adapter's verbs, alike for every CRM; what to do in a CRM about a finding is its
capabilities' `steps`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

from leadbus.connector.capabilities import Kind
from leadbus.connector.checking.custom_fields import custom_field_findings, unknown_field_findings
from leadbus.connector.checking.fields import field_findings, kinds_mapped
from leadbus.connector.checking.lists import list_findings
from leadbus.connector.checking.rights import right_findings
from leadbus.connector.checking.statuses import (
    answer_findings,
    recommended_way_findings,
    status_findings,
)
from leadbus.connector.checking.steps import near, step
from leadbus.connector.contract import Adapter, FieldInfo, Finding
from leadbus.connector.delivering.matching import LEADS_AND_CONTACTS
from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.settings.schema import needed_to_turn_on
from leadbus.errors import AddressRefused, AuthRefused, LeadbusError, Rejected, Unsupported

Part = Literal["access", "all"]

_WHY_TO_ANSWER = "Without an answer nothing can be written to the CRM or read from it."
_ADVICE: Mapping[type[LeadbusError], str] = {
    AuthRefused: "Correct the user and password, then test again; each further try could lock the user out.",
    Rejected: "Correct the address in the settings, then test again.",
    Unsupported: "Ask an administrator of the CRM to allow its user what is missing, then test again.",
    AddressRefused: "Ask whoever runs the CRM or its firewall to let Leadbus in, then test again.",
}


class Checking:
    """One test of one connection. outgoing_address: where our calls come from; empty = not known.

    own_fields: names of the tenant's own fields; none = any name will do.
    signed_in: whether the CRM has accepted the credentials. described: what it has told of its fields.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        adapter: Adapter,
        outgoing_address: str = "",
        own_fields: frozenset[str] = frozenset(),
    ) -> None:
        self._settings = settings
        self._adapter = adapter
        self._capabilities = adapter.capabilities
        self._address = outgoing_address
        self._own_fields = own_fields
        self.described: dict[Kind, list[FieldInfo]] = {}
        self.signed_in = False

    async def run(self, part: Part = "all") -> list[Finding]:
        """Every finding there is, refused credentials ending them; never raises.

        part: `access` = only whether we get in as the right user, with the right teams.
        """
        findings = list(await self._adapter.sign_in())
        self.signed_in = all(finding.ok for finding in findings)
        if self.signed_in:
            for check in self._checks(part):
                findings += await _answered(check)
                if any(finding.refused for finding in findings):
                    break
        return [self._with_address(finding) for finding in findings]

    def _checks(self, part: Part) -> Iterable[Callable[[], Awaitable[list[Finding]]]]:
        yield self._teams
        if part == "all":
            yield from (self._settings_given, self._rights, self._lead_source, self._score_field)
            yield from (self._statuses, self._lists)
            for kind in kinds_mapped(self._settings, self._capabilities):
                yield partial(self._fields, kind)

    async def _teams(self) -> list[Finding]:
        wanted = self._settings.team_names
        why = "Records are written with the team, and only its records are read."
        try:
            there = await self._adapter.teams() if wanted else []
        except Unsupported as error:
            return [Finding(False, str(error), why, "Leave the connection's teams empty, then test again.")]
        return [
            Finding(True, f"The team {team} exists.")
            if team in there
            else Finding(
                False,
                f"The CRM has no team {team}{near(team, there)}.",
                why,
                step(self._capabilities, "team", value=team),
            )
            for team in wanted
        ]

    async def _settings_given(self) -> list[Finding]:
        missing = [
            Finding(False, f"{row.path} is empty.", row.help, f"Give {row.path}, then test again.")
            for row in needed_to_turn_on(self._settings)
        ]
        homeless = [
            Finding(
                False,
                f"This CRM has no records of the kind {rule.of}, to which {rule.field} is mapped.",
                "The mapping would never do anything.",
                f"Leave it out, or map a field of another kind: {', '.join(self._capabilities.modules)}.",
            )
            for rule in self._settings.fields
            if rule.of not in self._capabilities.modules
        ]
        return (
            missing + homeless + unknown_field_findings(self._settings, self._own_fields) + self._campaigns()
        )

    def _campaigns(self) -> list[Finding]:
        if self._settings.campaigns == "none" or self._capabilities.campaigns:
            return []
        what = self._capabilities.cannot.get("campaigns", "This CRM has no campaigns.")
        why = "Campaigns that are set to sync are made in the CRM, and those who take part are put in them."
        return [Finding(False, what, why, "Set campaigns to none, then test again.")]

    async def _rights(self) -> list[Finding]:
        return right_findings(self._settings, self._capabilities, await self._adapter.rights())

    async def _lead_source(self) -> list[Finding]:
        name, settings = self._capabilities.lead_source_field, self._settings
        everywhere = "Every record that Leadbus creates carries this lead source."
        wanted = {rule.lead_source: "A rule gives this lead source to its leads." for rule in settings.rules}
        wanted |= {settings.lead_source: everywhere}
        if not name or not settings.lead_source:
            return []
        return [
            found for value, why in wanted.items() if value for found in await self._source(name, value, why)
        ]

    async def _source(self, name: str, wanted: str, why: str) -> list[Finding]:
        module, found = await self._field(name)
        if found is not None and (found.options is None or wanted in found.options):
            return [Finding(True, f"The lead source {wanted} exists in {module}.")]
        options = found.options or () if found else ()
        return [
            Finding(
                False,
                f"The field {name} of {module} does not have the value {wanted}{near(wanted, options)}.",
                why,
                step(
                    self._capabilities,
                    "lead_source",
                    module=module,
                    value=wanted,
                    name=name,
                ),
            )
        ]

    async def _score_field(self) -> list[Finding]:
        """Wrong where new people are recorded; a warning where some are found, or what they become."""
        name, new = self._settings.score_field, self._settings.record_as
        if name is None:
            return []
        kinds = [kind for kind in LEADS_AND_CONTACTS if kind in self._capabilities.modules]
        return [await self._score_field_of(kind, name, required=kind == new) for kind in kinds]

    async def _score_field_of(self, kind: Kind, name: str, *, required: bool) -> Finding:
        module, found = await self._field(name, kind)
        if found is not None and found.writable and found.type in {"number", "text", "other"}:
            return Finding(True, f"The score's field {name} exists in {module}.")
        what = f"{module} has no field {name}"
        if found is not None:
            what = f"The field {name} of {module} cannot hold the score: it is " + (
                f"of type {found.type}" if found.writable else "read-only"
            )
        advice = step(self._capabilities, "score_field", module=module, value=name, name=name)
        why = "The score is kept in it, for salespeople to see."
        if not required:
            why = f"{why} A {kind} that a person is found as, or becomes, may be refused for want of it."
        return Finding(not required, f"{what}.", why, advice)

    async def _statuses(self) -> list[Finding]:
        settings, field = self._settings, self._settings.answer_field
        found = recommended_way_findings(settings)
        if settings.statuses:
            found += status_findings(settings, self._capabilities, await self._describe("lead"))
        if field is not None:
            found += answer_findings(field, self._capabilities, await self._describe(field.of))
        return found

    async def _fields(self, kind: Kind) -> list[Finding]:
        described = await self._describe(kind)
        findings = field_findings(self._settings, self._capabilities, kind, described)
        return findings + custom_field_findings(self._settings, self._capabilities, kind, described)

    async def _lists(self) -> list[Finding]:
        return await list_findings(self._settings, self._adapter)

    async def _field(self, name: str, kind: Kind | None = None) -> tuple[str, FieldInfo | None]:
        """The module of a kind (else that in which new people are recorded), and one of its fields."""
        kind = kind or self._settings.record_as
        found = (info for info in await self._describe(kind) if info.name == name)
        return self._capabilities.module_of(kind), next(found, None)

    async def _describe(self, kind: Kind) -> list[FieldInfo]:
        if kind not in self.described:
            self.described[kind] = await self._adapter.describe(kind)
        return self.described[kind]

    def _with_address(self, finding: Finding) -> Finding:
        if not finding.blocked:
            return finding
        ours = (
            f"If only certain addresses are let in: Leadbus calls from {self._address}."
            if self._address
            else "If only certain addresses are let in: which one this installation calls from is named here"
            " once LEADBUS_OUTGOING_ADDRESS is set."
        )
        return replace(finding, advice=f"{finding.advice} {ours}".strip())


def finding_of(error: LeadbusError) -> Finding:
    """The finding that a check is which got no answer."""
    advice = (text for kind, text in _ADVICE.items() if isinstance(error, kind))
    return Finding(
        False,
        str(error),
        _WHY_TO_ANSWER,
        next(advice, "Test again in a few minutes."),
        blocked=isinstance(error, AddressRefused),
        refused=isinstance(error, AuthRefused),
    )


async def _answered(check: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    """Its findings; a check that gets no answer is a finding too."""
    try:
        return await check()
    except LeadbusError as error:
        return [finding_of(error)]
