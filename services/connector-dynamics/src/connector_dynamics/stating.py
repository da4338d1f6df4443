"""A lead's status as Dynamics keeps it: a status reason, and the state that it goes with. Pure.

Each status reason belongs to one state; a status reason alone is refused where the record is in another
state (error code 0x80048408), so that both are written.
"""

from connector_dynamics.translation import OPEN, QUALIFIED
from connector_dynamics.values import Shapes, Values, option_of
from connector_dynamics.wire import Option
from leadbus.errors import Rejected

STATE, STATUS = "statecode", "statuscode"

_NO_OPTION = (
    "Leads of the CRM have no status reason {}: add it in Dynamics, or correct the mapping of statuses."
)
_BY_QUALIFYING = (
    "The status reason {} is one of qualified leads, which Dynamics gives when a lead is qualified: say that"
    " the person is a client, and map the status with direction from_crm."
)


def lead_status(word: str, shapes: Shapes) -> Values:
    """What gives a lead this status, which is named as people see it. Raises Rejected."""
    shape = shapes.get(STATUS)
    found = option_of(shape, word) if shape is not None else None
    if shape is None or found is None:
        raise Rejected(_NO_OPTION.format(word), STATUS)
    state = shape.states.get(found, OPEN)
    if state == QUALIFIED:
        raise Rejected(_BY_QUALIFYING.format(word), STATUS)
    return {STATE: Option(state), STATUS: found}
