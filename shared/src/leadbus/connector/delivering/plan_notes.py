"""The note that holds all fields of a distributed lead, one for each distribution. Pure.

It is known by its subject: what is said of the person between two tries makes it no other note.
"""

from leadbus.connector.connection import Connection
from leadbus.connector.contract import NewActivity
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import Creator, Done
from leadbus.ids import derived_id
from leadbus.messages import Fields, Record

FIELDS_NOTE = ": all fields"
"""What its subject ends with."""
MOST_LETTERS = 16_000
"""SugarCRM's texts hold 65,535 bytes; a note that is too long for a CRM would be refused for ever."""
_TOO_LONG = "\n... (there is more than a note holds)"
_ORDER = {name: number for number, name in enumerate(Fields.model_fields)}


def unwanted_notes(delivery: Delivery, connection: Connection) -> set[str]:
    """Distributions whose fields are not to be noted."""
    return set() if connection.settings.lead_distribution.notes else set(owed_notes(delivery))


def owed_notes(delivery: Delivery) -> dict[str, Creator]:
    """Distributions whose fields are not noted yet."""
    return {name: creator for name, creator in delivery.creators.items() if creator.owes_note}


def field_notes(delivery: Delivery, connection: Connection, record: Record) -> list[tuple[Done, NewActivity]]:
    """With what each deals with."""
    if not connection.settings.lead_distribution.notes:
        return []
    text = "\n".join(_lines(delivery))
    text = text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - len(_TOO_LONG)] + _TOO_LONG
    return [
        (
            Done(noted={name}),
            NewActivity(
                id=derived_id(delivery.tenant_id, record.id, "fields", name),
                record=record,
                type="note",
                subject=subject_of(creator),
                text=text,
            ),
        )
        for name, creator in sorted(owed_notes(delivery).items())
    ]


def subject_of(creator: Creator) -> str:
    """Names the distribution, so that no two are alike."""
    origin = creator.origin
    return f"Lead {origin.distribution_id} of {origin.supplier_id}{FIELDS_NOTE}" if origin else ""


def _lines(delivery: Delivery) -> list[str]:
    """Standard fields first, then customer fields by name."""
    known = {name: fact.value for name, fact in delivery.fields.items() if fact.value.strip()}
    ordered = sorted(known, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
    email = [f"Email: {delivery.email}"] if delivery.email else []
    return email + [f"{_label(name)}: {known[name]}" for name in ordered]


def _label(name: str) -> str:
    """Customer fields as their owner calls them."""
    if name.startswith("custom."):
        return name.removeprefix("custom.")
    return name.replace("_", " ").capitalize()
