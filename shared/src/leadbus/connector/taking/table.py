"""Which taker is whose."""

from collections.abc import Callable, Mapping

from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import Row
from leadbus.connector.taking import accounts, activities, lists, opportunities, people, users
from leadbus.connector.taking.known import Known, Taken
from leadbus.connector.taking.telling import noted

Taker = Callable[[Row, Known], Taken]

TAKERS: Mapping[Kind, Taker] = {
    "user": users.take,
    "account": accounts.take,
    "contact": people.take,
    "lead": people.take,
    "target": people.take,
    "opportunity": opportunities.take,
    "activity": activities.take,
    "list": lists.take,
}
"""In the order in which a connection is read: what others refer to comes first."""


def take(kind: Kind, row: Row, known: Known) -> Taken:
    """What becomes of a row."""
    return noted(TAKERS[kind](row, known), known.before(row))
