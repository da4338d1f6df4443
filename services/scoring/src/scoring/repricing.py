"""Other rules for what was counted already. Pure.

Rows hold the type of an event and the rule under which it was counted, not what it was about: so new points
for types and for known rules reach back, and a new rule that asks for more holds for events to come.
"""

from scoring.prospect import Named, Prospect
from scoring.rules import Rules
from scoring.tables import Scale, Tables


def reprice(prospect: Prospect, rules: Rules) -> bool:
    """Values the prospect's rows by `rules`, and brings its stored scores up to them; whether any changed.

    What fell off keeps what it was worth.
    """
    tables = rules.tables
    before = prospect.score, {name: named.score for name, named in prospect.named.items()}
    changed = False
    for name in prospect.named.keys() - tables.others.keys():
        del prospect.named[name]
        changed = True
    rows = []
    for row in prospect.history:
        rule, millipoints = tables.reprice(row)
        rows.append(row._replace(rule=rule, millipoints=millipoints))
    changed |= prospect.history.replace(rows)
    for name, scale in tables.others.items():
        changed |= _reprice_named(prospect, name, tables, scale)
    prospect.settle(rules, prospect.standing_by(rules, tables.main))
    after = prospect.score, {name: named.score for name, named in prospect.named.items()}
    return changed or before != after


def _reprice_named(prospect: Prospect, name: str, tables: Tables, scale: Scale) -> bool:
    known = prospect.named.get(name, Named())
    counted = {row.id: row._replace(rule=row.type) for row in prospect.history}
    counted |= {row.id: row for row in known.history}
    zero = {row.id for row in prospect.history if not tables.counts(row)}
    rows = []
    for row in counted.values():
        price = scale.reprice(row)
        if scale.keeps(price) and row.id not in zero:
            rows.append(row._replace(rule=price[0], millipoints=price[1]))
    changed = known.history.replace(rows)
    if rows:
        prospect.named[name] = known
    return changed
