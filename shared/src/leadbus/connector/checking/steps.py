"""What to do in a CRM about a finding: its own steps, else a sentence that holds for any CRM."""

from collections.abc import Mapping

from leadbus.connector.capabilities import Capabilities, Step

_ANYWHERE: Mapping[Step, str] = {
    "rights": "Ask an administrator of the CRM to allow its user to {rights} {module}.",
    "lead_source": "Add the value {value} to the field {name} of {module} in the CRM.",
    "field": "Add the field {name} to {module} in the CRM, or map {value} to another one.",
    "team": "Create the team {value} in the CRM, or correct its name in the settings.",
    "score_field": "Add a field for whole numbers to {module} in the CRM and enter its name in the settings.",
}


def step(
    capabilities: Capabilities,
    which: Step,
    *,
    module: str = "",
    value: str = "",
    rights: str = "",
    name: str = "",
) -> str:
    """The advice, with what is known of the finding filled in."""
    text = capabilities.steps.get(which, _ANYWHERE[which])
    return text.format(module=module, value=value, rights=rights, name=name)
