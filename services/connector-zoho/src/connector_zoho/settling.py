"""What became of rows: the errors behind their outcomes, and when they are the failure of a whole verb."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from connector_zoho import faults
from leadbus.errors import Conflict, Gone, LeadbusError, Rejected

Result = TypeVar("Result")

_OF_ROWS = (Rejected, Conflict, Gone)
"""What concerns rows themselves; all other errors are trouble with the CRM."""
_FIELD = re.compile(r"\]\.(\w+)(\.\w+)*$")
_OWN_ID = "id"
_HANGS_ON = frozenset({"Parent_Id", "Who_Id", "What_Id"})


def path_of(row: Mapping[str, Any]) -> str:
    """Where in the request the trouble is, as a JSON path; empty where it is not told."""
    details = row.get("details")
    return str(details.get("json_path") or "") if isinstance(details, Mapping) else ""


def error_of(row: Mapping[str, Any]) -> LeadbusError:
    """The error behind a row. Gone: of the row's own record, or of the one that an activity is to hang on.

    An id that is refused inside a field may be told by the word `id` alone; then its path names the field.
    """
    error = faults.of_row(row)
    found = _FIELD.search(path_of(row))
    field = found[1] if found else _OWN_ID
    if field in _HANGS_ON and isinstance(error, Rejected | Gone):
        return Gone(faults.DELETED)
    if field != _OWN_ID and isinstance(error, Gone):
        return Rejected(f"The CRM refuses the value of {field}: there is nothing of that id.", field)
    return error


def answered(results: Sequence[Result]) -> list[Result]:
    """As they are: what went wrong with one call hides nothing of the others.

    Raises:
        LeadbusError: there is nothing else, and it is the same trouble with the CRM for every row.
    """
    troubles = [r for r in results if isinstance(r, LeadbusError) and not isinstance(r, _OF_ROWS)]
    if troubles and len(troubles) == len(results) and len({type(trouble) for trouble in troubles}) == 1:
        raise troubles[0]
    return list(results)
