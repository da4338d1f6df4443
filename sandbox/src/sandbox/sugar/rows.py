"""One row that a caller wants written: what may stop it before, and end the call after it."""

import re
from collections.abc import Callable, Mapping

from .faults import Faults, Happening, RowRefused
from .store import Store


def refuse(store: Store, module: str, field: str, matches: str, message: str) -> None:
    """A validation of this site: values of the field that match (whole value) are refused, until `accept`."""
    re.compile(matches)
    refusal = {"module": module, "field": field, "matches": matches, "message": message}
    store.insert("refusals", refusal)


def accept(store: Store, module: str, field: str) -> None:
    """Ends the field's validations."""
    store.execute("DELETE FROM refusals WHERE module = ? AND field = ?", (module, field))


def write(
    store: Store, faults: Faults, happening: Happening, values: Mapping[str, str], save: Callable[[], str]
) -> str:
    """Runs `save`; raises RowRefused before it, or DiedWriting after it."""
    for refusal in store.rows("SELECT * FROM refusals WHERE module = ?", (happening.module,)):
        value = values.get(refusal["field"])
        if value is not None and re.fullmatch(refusal["matches"], value):
            raise RowRefused(refusal["message"])
    faults.before_row(happening, values)
    saved = save()
    faults.after_row(happening, values)
    return saved
