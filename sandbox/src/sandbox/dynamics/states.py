"""Statuses and states: which go together, and what a record begins with."""

from collections.abc import Mapping

from .errors import CrmError
from .record import Record, Values
from .schema import Entity

# Where the first status in the option set is not the one that a record begins with or gets by its state.
_USUAL: Mapping[tuple[str, int], int] = {("opportunity", 2): 4, ("phonecall", 1): 2, ("appointment", 3): 5}


def usual_status(entity: Entity, state: int) -> int:
    """Of a state. Raises InvalidStateCodeStatusCode."""
    if (usual := _USUAL.get((entity.name, state))) is not None:
        return usual
    for option in entity.attributes["statuscode"].options:
        if option.state == state:
            return option.value
    raise CrmError("InvalidStateCodeStatusCode")


def begin(entity: Entity) -> Values:
    """Nothing for entities without states."""
    if "statecode" not in entity.attributes:
        return {}
    return {"statecode": 0, "statuscode": usual_status(entity, 0)}


def settle(entity: Entity, record: Record, given: Values) -> None:
    """Completes `given`: a status alone brings its state with it, a state alone its usual status.

    Raises InvalidStateCodeStatusCode.
    """
    state, status = given.get("statecode"), given.get("statuscode")
    if state is None and status is None:
        return
    if status is None or status == -1:
        keeps = record.values.get("statecode") == state
        status = record.values["statuscode"] if keeps or state is None else usual_status(entity, state)
    option = entity.attributes["statuscode"].option(status)
    if option is None or option.state not in {state, option.state if state is None else state}:
        raise CrmError("InvalidStateCodeStatusCode")
    given |= {"statecode": option.state, "statuscode": status}
