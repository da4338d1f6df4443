"""What to do in a CRM about a finding: its own steps, else a sentence that holds for any CRM."""

from collections.abc import Mapping, Sequence

from leadbus.connector.capabilities import Capabilities, Step

_ANYWHERE: Mapping[Step, str] = {
    "rights": "Ask an administrator of the CRM to allow its user to {rights} {module}.",
    "lead_source": "Add the value {value} to the field {name} of {module} in the CRM.",
    "option": "Add the value {value} to the field {name} of {module} in the CRM.",
    "field": "Add the field {name} to {module} in the CRM, or map {value} to another one.",
    "team": "Create the team {value} in the CRM, or correct its name in the settings.",
    "list": "Create the list {value} in the CRM as one that people are put on by hand, or correct its name in"
    " the settings.",
    "score_field": "Add a field for whole numbers to {module} in the CRM and enter its name in the settings.",
}


def near(wanted: str, there: Sequence[str]) -> str:
    """What differs from it by capitals or blanks alone, as a part of a sentence."""
    same = [name for name in there if _plain(name) == _plain(wanted)]
    return f", but has {' and '.join(same)} (capitals and blanks count)" if same else ""


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


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
