"""Records that are not to be there twice: alternate keys, and the organisation's duplicate rules.

Rules are applied only where the caller asks for it. Source: Microsoft's documentation.
"""

from .errors import CrmError
from .record import Record, Values
from .schema import Entity
from .site import Site


def look_for_duplicates(site: Site, entity: Entity, record: Record, given: Values, *, rules: bool) -> None:
    """Raises DuplicateRecordEntityKey, DuplicateRecordsFound."""
    for key in entity.keys:
        if given.get(key) is not None and _others(site, entity, record, {key: given[key]}):
            raise CrmError("DuplicateRecordEntityKey", key, key)
    for rule in site.duplicate_rules if rules else ():
        if rule.entity != entity.name or not given.keys() & set(rule.attributes):
            continue
        values = record.values | given
        wanted = {name: values.get(name) for name in rule.attributes}
        if all(wanted.values()) and _others(site, entity, record, wanted):
            raise CrmError("DuplicateRecordsFound")


def by_key(site: Site, entity: Entity, name: str, value: object) -> Record | None:
    """By an alternate key."""
    found = _others(site, entity, Record("", entity.name, {}), {name: value})
    return found[0] if found else None


def _others(site: Site, entity: Entity, record: Record, wanted: Values) -> list[Record]:
    conditions = ["entity = ?", "deleted = 0", "id != ?"]
    for name in wanted:
        column = "email" if name == "emailaddress1" else f"json_extract(body, '$.{name}')"
        conditions.append(f"{column} = ? COLLATE NOCASE")
    parameters = (entity.name, record.id, *wanted.values())
    return site.store.find(" AND ".join(conditions), parameters, limit=1)
