"""Whether the statuses and the field that a connection maps are offered by the CRM. Pure."""

from collections.abc import Iterator, Sequence

from leadbus.connector.capabilities import STATUS_OF_CONTACT, Capabilities
from leadbus.connector.checking.steps import near, step
from leadbus.connector.contract import FieldInfo, Finding
from leadbus.connector.settings import AnswerField, ConnectionSettings
from leadbus.connector.statuses import is_answered_in_the_crm

_WHY_STATUS = "A status that does not exist is refused by the CRM when it is written, and never read."
_WHY_ANSWER = "Salespeople accept and reject distributed leads by it."
_NO_STATUS = "Contacts have no lead status in this CRM."


def status_findings(
    settings: ConnectionSettings, capabilities: Capabilities, described: Sequence[FieldInfo]
) -> list[Finding]:
    """Of the statuses. described: the fields of leads."""
    if not settings.statuses:
        return []
    module, name = capabilities.module_of("lead"), capabilities.status_field
    info = next((info for info in described if info.name == name), None)
    options = info.options if info is not None else ()
    found = [
        _lacks(capabilities, module, name, rule.theirs, options or (), _WHY_STATUS)
        for rule in settings.statuses
        if options is not None and rule.theirs not in options
    ]
    if not found:
        found = [Finding(True, f"All {len(settings.statuses)} mapped statuses exist in {module}.")]
    if settings.record_as == "contact":
        what = capabilities.cannot.get(STATUS_OF_CONTACT, _NO_STATUS)
        why = "New people become contacts, so that their statuses are neither written nor read."
        found.append(Finding(True, what, why, "Set answer_field for contacts, or record_as to lead."))
    return found


def answer_findings(
    field: AnswerField, capabilities: Capabilities, described: Sequence[FieldInfo]
) -> list[Finding]:
    """Of the field that accepts and rejects. described: the fields of its kind."""
    module = capabilities.module_of(field.of)
    info = next((info for info in described if info.name == field.crm_field), None)
    if info is None:
        advice = step(capabilities, "field", module=module, name=field.crm_field, value="the answer")
        return [Finding(False, f"{module} has no field {field.crm_field}.", _WHY_ANSWER, advice)]
    found = list(_values(field, capabilities, module, info))
    return found or [Finding(True, f"The field {field.crm_field} of {module} offers both answers.")]


def recommended_way_findings(settings: ConnectionSettings) -> list[Finding]:
    """A warning where the CRM is recommended for answers, and nothing there says one."""
    is_mailed = settings.lead_distribution.on and bool(settings.default_owners)
    if settings.answer_by != "crm" or not is_mailed or is_answered_in_the_crm(settings):
        return []
    what = "answer_by is crm, but no status and no field of the CRM accepts or rejects a distributed lead."
    why = "Emails about distributed leads recommend their own links until then."
    return [Finding(True, what, why, "Give statuses an answer, or set answer_field, or answer_by to email.")]


def _values(
    field: AnswerField, capabilities: Capabilities, module: str, info: FieldInfo
) -> Iterator[Finding]:
    options = ("true", "false") if info.type == "boolean" else info.options
    for value in field.values:
        if options is not None and value not in options:
            yield _lacks(capabilities, module, field.crm_field, value, options, _WHY_ANSWER)


def _lacks(
    capabilities: Capabilities, module: str, name: str, value: str, options: Sequence[str], why: str
) -> Finding:
    return Finding(
        False,
        f"The field {name} of {module} does not have the value {value}{near(value, options)}.",
        why,
        step(capabilities, "option", module=module, name=name, value=value),
    )
