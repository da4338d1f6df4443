"""Save and test: whether a connection can do its work, in findings for the person who sets it up.

Composed from the adapter's verbs, alike for every CRM; what to do in a CRM about a finding is its
capabilities' `steps`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from leadbus.connector.capabilities import Kind
from leadbus.connector.checking.custom_fields import custom_field_findings
from leadbus.connector.checking.fields import field_findings, kinds_mapped
from leadbus.connector.checking.rights import right_findings
from leadbus.connector.checking.steps import step
from leadbus.connector.contract import Adapter, FieldInfo, Finding
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

    signed_in: whether the CRM has accepted the credentials.
    """

    def __init__(self, settings: ConnectionSettings, adapter: Adapter, outgoing_address: str = "") -> None:
        self._settings = settings
        self._adapter = adapter
        self._capabilities = adapter.capabilities
        self._address = outgoing_address
        self._described: dict[Kind, list[FieldInfo]] = {}
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
                f"The CRM has no team {team}{_near(team, there)}.",
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
        return missing + homeless + self._campaigns()

    def _campaigns(self) -> list[Finding]:
        if self._settings.campaigns == "none" or self._capabilities.campaigns:
            return []
        what = self._capabilities.cannot.get("campaigns", "This CRM has no campaigns.")
        why = "Campaigns that are set to sync are made in the CRM, and those who take part are put in them."
        return [Finding(False, what, why, "Set campaigns to none, then test again.")]

    async def _rights(self) -> list[Finding]:
        return right_findings(self._settings, self._capabilities, await self._adapter.rights())

    async def _lead_source(self) -> list[Finding]:
        name, wanted = self._capabilities.lead_source_field, self._settings.lead_source
        if not name or not wanted:
            return []
        module, found = await self._field(name)
        if found is not None and (found.options is None or wanted in found.options):
            return [Finding(True, f"The lead source {wanted} exists in {module}.")]
        options = found.options or () if found else ()
        return [
            Finding(
                False,
                f"The field {name} of {module} does not have the value {wanted}{_near(wanted, options)}.",
                "Every record that Leadbus creates carries this lead source.",
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
        name = self._settings.score_field
        if name is None:
            return []
        module, found = await self._field(name)
        if found is not None and found.writable and found.type in {"number", "text", "other"}:
            return [Finding(True, f"The score's field {name} exists in {module}.")]
        what = f"{module} has no field {name}"
        if found is not None:
            what = f"The field {name} of {module} cannot hold the score: it is " + (
                f"of type {found.type}" if found.writable else "read-only"
            )
        advice = step(self._capabilities, "score_field", module=module, value=name, name=name)
        return [Finding(False, f"{what}.", "The score is kept in it, for salespeople to see.", advice)]

    async def _fields(self, kind: Kind) -> list[Finding]:
        described = await self._describe(kind)
        findings = field_findings(self._settings, self._capabilities, kind, described)
        return findings + custom_field_findings(self._settings, self._capabilities, kind, described)

    async def _field(self, name: str) -> tuple[str, FieldInfo | None]:
        """The module in which new people are recorded, and one of its fields."""
        kind = self._settings.record_as
        found = (info for info in await self._describe(kind) if info.name == name)
        return self._capabilities.module_of(kind), next(found, None)

    async def _describe(self, kind: Kind) -> list[FieldInfo]:
        if kind not in self._described:
            self._described[kind] = await self._adapter.describe(kind)
        return self._described[kind]

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


def _near(wanted: str, there: Sequence[str]) -> str:
    """What differs from it by capitals or blanks alone, as a part of a sentence."""
    same = [name for name in there if _plain(name) == _plain(wanted)]
    return f", but has {' and '.join(same)} (capitals and blanks count)" if same else ""


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()
