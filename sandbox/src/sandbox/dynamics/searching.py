"""Answers a query from the database.

Texts compare as SQL Server's usual collation does: case does not count.
"""

from dataclasses import dataclass, field
from typing import Any

from .errors import CrmError
from .query import Condition, Found, Link, Match, Order, Part, Query
from .record import ABOUT, COLUMNS, Reference, from_row
from .schema import TEXTS, Attribute, Entity
from .store import Store
from .values import show

_WIDTH = COLUMNS.count(",") + 1
_COLUMNS = {"modifiedon": "modified", "emailaddress1": "email", "versionnumber": "version"}
_COMPARED = {"eq": "=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}


@dataclass(slots=True)
class _Search:
    """Builds the SQL. tables: alias in the query -> table's name and entity."""

    store: Store
    tables: dict[str, tuple[str, Entity]] = field(default_factory=dict)
    parameters: list[Any] = field(default_factory=list)

    def add(self, alias: str, entity: str) -> str:
        """The table's name. Raises QueryBuilderNoEntity."""
        described = self.store.entities.get(entity)
        if described is None:
            raise CrmError("QueryBuilderNoEntity", entity)
        self.tables[alias] = (f"t{len(self.tables)}", described)
        return self.tables[alias][0]

    def attribute(self, alias: str, name: str) -> tuple[str, Attribute]:
        """Its SQL. Raises QueryBuilderNoAttribute."""
        if alias not in self.tables:
            raise CrmError("QueryBuilderNoEntity", alias)
        table, entity = self.tables[alias]
        attribute = entity.attributes.get(name)
        if attribute is None:
            raise CrmError("QueryBuilderNoAttribute", entity.schema_name, name)
        return _sql(table, entity, attribute), attribute

    def compared(self, alias: str, name: str) -> tuple[str, Attribute]:
        """The same, where case does not count."""
        column, attribute = self.attribute(alias, name)
        # A column has the collation of its own, and its index is found only without another word.
        folded = attribute.type in TEXTS and "(" in column
        return f"{column} COLLATE NOCASE" if folded else column, attribute

    def members(self, alias: str) -> str:
        table, entity = self.tables[alias]
        names = ", ".join(f"'{name}'" for name in entity.members)
        return f"{table}.entity IN ({names}) AND {table}.deleted = 0"

    def part(self, part: Part, own: str) -> str:
        """own: the alias that a condition without link is about."""
        if isinstance(part, Condition):
            return self._condition(part, part.link or own)
        inner = f" {part.kind} ".join(f"({self.part(one, own)})" for one in part.parts) or "1"
        return f"NOT coalesce({inner}, 0)" if part.negated else inner

    def _condition(self, condition: Condition, alias: str) -> str:
        column, _ = self.compared(alias, condition.attribute)
        operator, values = condition.operator, condition.values
        if operator == "null":
            return f"{column} IS NULL"
        if operator == "not-null":
            return f"{column} IS NOT NULL"
        if condition.other is not None:
            other, _ = self.compared(alias, condition.other)
            return f"{column} {'IS NOT' if operator == 'ne' else _COMPARED[operator]} {other}"
        self.parameters.extend(values)
        if operator in _COMPARED:
            return f"{column} {_COMPARED[operator]} ?"
        if operator == "ne":
            # As OData and FetchXML have it in Dynamics: what is empty is not equal either.
            return f"({column} IS NULL OR {column} != ?)"
        marks = ", ".join("?" * len(values))
        return {
            "in": f"{column} IN ({marks})",
            "not-in": f"({column} IS NULL OR {column} NOT IN ({marks}))",
            "like": f"{column} LIKE ?",
            "not-like": f"({column} IS NULL OR {column} NOT LIKE ?)",
        }[operator]

    def order(self, order: Order) -> str:
        column, _ = self.compared(order.link, order.attribute)
        return f"{column}{' DESC' if order.descending else ''}"

    def after(self, orders: tuple[Order, ...], values: tuple[Any, ...]) -> str:
        """Behind the record that has these values of the orders, and this id."""
        *given, key = values
        built, parameters = f"{self.tables[''][0]}.id > ?", [key]
        for order, value in reversed(list(zip(orders, given, strict=False))):
            column, _ = self.compared(order.link, order.attribute)
            if value is None:
                # NULLs come first; behind them is what has a value, unless the order is descending.
                later = "0" if order.descending else f"{column} IS NOT NULL"
                built = f"({later} OR ({column} IS NULL AND {built}))"
            elif order.descending:
                later = f"({column} < ? OR {column} IS NULL)"
                built, parameters = f"({later} OR ({column} = ? AND {built}))", [value, value, *parameters]
            else:
                # Said twice, or the index would be read from its beginning.
                built = f"({column} >= ? AND ({column} > ? OR {built}))"
                parameters = [value, value, *parameters]
        self.parameters.extend(parameters)
        return built


def search(store: Store, query: Query) -> Found:
    """Raises CrmError for what is not there or cannot be compared."""
    made = _Search(store)
    base = made.add("", query.entity)
    joins = " ".join(_join(made, link) for link in query.links)
    where = f"{made.members('')} AND ({made.part(query.filter, '')})"
    source = f"FROM records {base} {joins}"
    total = None
    if query.counted:
        total = store.value(f"SELECT count(*) {source} WHERE {where}", made.parameters)
    orders = ", ".join([*(made.order(order) for order in query.orders), f"{base}.id"])
    size = query.size if query.top is None else min(query.size, query.top)
    offset = 0
    if query.after is not None:
        where += f" AND {made.after(query.orders, query.after)}"
    else:
        offset = (query.page - 1) * query.size
    columns = ", ".join(_columns(table) for table, _ in made.tables.values())
    group = f"GROUP BY {base}.id" if query.distinct else ""
    sql = f"SELECT {columns} {source} WHERE {where} {group} ORDER BY {orders} LIMIT ? OFFSET ?"
    rows = store.rows(sql, [*made.parameters, size + 1, offset])
    matches = [_match(made, row) for row in rows[:size]]
    more = len(rows) > size and query.top is None
    first, last = (_edge(made, query, matches[at]) for at in (0, -1)) if matches else (None, None)
    return Found(matches, more, first, last, total)


def _columns(table: str) -> str:
    return ", ".join(f"{table}.{column.strip()}" for column in COLUMNS.split(","))


def _join(made: _Search, link: Link) -> str:
    outside, _ = made.attribute(link.parent, link.to)
    table = made.add(link.alias, link.entity)
    inside, _ = made.attribute(link.alias, link.from_)
    on = f"{inside} = {outside} AND {made.members(link.alias)} AND ({made.part(link.filter, link.alias)})"
    return f"{'LEFT ' if link.outer else ''}JOIN records {table} ON {on}"


def _match(made: _Search, row: tuple[Any, ...]) -> Match:
    linked = {
        alias: from_row(row, place * _WIDTH) if row[place * _WIDTH] is not None else None
        for place, alias in enumerate(made.tables)
        if alias
    }
    return Match(from_row(row), linked)


def _edge(made: _Search, query: Query, match: Match) -> tuple[Any, ...]:
    values = []
    for order in query.orders:
        record = match.linked[order.link] if order.link else match.record
        _, entity = made.tables[order.link]
        value = show(entity, record, order.attribute) if record else None
        values.append(value.id if isinstance(value, Reference) else value)
    return (*values, match.record.id)


def _sql(table: str, entity: Entity, attribute: Attribute) -> str:
    name = attribute.name
    if name == entity.id:
        return f"{table}.id"
    if name in _COLUMNS:
        return f"{table}.{_COLUMNS[name]}"
    if name in ABOUT and attribute.is_lookup:
        return f"{table}.about"
    if name == "activitytypecode":
        return f"{table}.entity"
    return f"json_extract({table}.body, '$.{name}{'[1]' if attribute.is_lookup else ''}')"
