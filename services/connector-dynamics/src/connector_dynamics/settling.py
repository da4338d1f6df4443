"""When what became of rows is the failure of a whole verb."""

from collections.abc import Sequence
from typing import TypeVar

from leadbus.errors import Conflict, Gone, LeadbusError, Rejected

Result = TypeVar("Result")

OF_ROWS = (Rejected, Conflict, Gone)
"""What concerns rows themselves; all other errors are trouble with the CRM."""


def answered(results: Sequence[Result]) -> list[Result]:
    """As they are: what went wrong with one call hides nothing of the others.

    Raises:
        LeadbusError: there is nothing else, and it is the same trouble with the CRM for every row.
    """
    troubles = [r for r in results if isinstance(r, LeadbusError) and not isinstance(r, OF_ROWS)]
    if troubles and len(troubles) == len(results) and len({type(trouble) for trouble in troubles}) == 1:
        raise troubles[0]
    return list(results)
