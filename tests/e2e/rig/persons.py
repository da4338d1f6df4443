"""Who goes into a watched run, in words that stand for nothing else, so that they can be looked for."""

from typing import Any

FIELDS = {
    "first_name": "Zebulon",
    "last_name": "Quartermaine",
    "title": "Grand Vizier",
    "company": "Unheardof Holdings",
    "phone": "+44 7700 900777",
    "mobile": "(07700) 900-888",
    "street": "17 Wistful Lane",
    "city": "Nethershire",
    "postal_code": "QX7 9ZZ",
    "country": "Ruritania",
    "birthday": "1971-03-09",
    "comments": "Rings after midnight",
}
CUSTOM = {"Shoes": "size fortyseven"}
REFUSED_NAME = "Ullathorne"
"""Of whom no CRM takes."""
DOMAIN = "persons.example"
WRONG_PASSWORD = "an outright wrong passphrase"
WRONG_KEY = "lb_this-is-nobodys-key"
PERSONAL = frozenset(
    {*FIELDS.values(), *CUSTOM.values(), REFUSED_NAME, DOMAIN, "447700900777", "7700900888", "07700900888"}
)
"""Of emails the domain, in which all of them are; of phones also as CRMs and guards write them."""


def person(name: str, tenant: str) -> str:
    """An email."""
    return f"{name}.{tenant}@{DOMAIN}"


def distribution(name: str, tenant: str, supplier: dict[str, str], **fields: str) -> dict[str, Any]:
    """A lead with all that is known of it."""
    return {
        "event_id": f"{name}-{tenant}",
        "distribution_id": f"d-{name}-{tenant}",
        **supplier,
        "email": person(name, tenant),
        "fields": {**FIELDS, **fields, "custom": CUSTOM},
    }


def form(name: str, tenant: str) -> list[dict[str, Any]]:
    """What brings somebody over every threshold: a form, and before it what needs no trace."""
    of = {"email": person(name, tenant), "subject": "Prices"}
    page = f"https://shop.example/prices?email={person(name, tenant)}"
    return [
        {**of, "event_id": f"{name}-{tenant}-called", "type": "telequalification"},
        {**of, "event_id": f"{name}-{tenant}-viewed", "type": "web_view", "url": page},
        {
            **of,
            "event_id": f"{name}-{tenant}",
            "type": "form_submission",
            "fields": {**FIELDS, "custom": CUSTOM},
        },
    ]


def wrong_items(tenant: str) -> dict[str, Any]:
    """By input: what ingest refuses, each with somebody in it."""
    email = person("wrong", tenant)
    return {
        "events": {"type": FIELDS["last_name"], "email": email},
        "distributions": {
            "email": f"{FIELDS['last_name']} at home",
            "supplier_id": "s",
            "phone": FIELDS["phone"],
        },
        "prospects": {"email": email, "fields": {"birthday": FIELDS["comments"], email: FIELDS["street"]}},
        "campaigns": {"campaign_id": "c", "name": FIELDS["last_name"], "budget": FIELDS["phone"]},
        "lists": {"list_id": email, "name": ["no", FIELDS["city"]]},
    }
