"""What the plug-ins write: the same as Leadbus does for `bench.facts.Lead`."""

import hashlib

from bench.simulator import LEAD_SOURCE
from bench.sugar import PASSWORD

PASSWORD_MD5 = hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest()
LEAD = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "account_name": "Engines Ltd",
    "primary_address_city": "London",
    "lead_source": LEAD_SOURCE,
    "status": "New",
}
SUBJECT = "Viewed a web page: The page of prices"
NOTE = {"name": SUBJECT, "parent_type": "Leads"}
PERSON = {
    "subject": LEAD_SOURCE,
    "firstname": "Ada",
    "lastname": "Lovelace",
    "companyname": "Engines Ltd",
    "address1_city": "London",
}
"""A lead in Dynamics; the others are in SugarCRM."""


def by_email(email: str) -> str:
    """The WHERE that finds leads by address in the older services (contract notes, Reading)."""
    return (
        "leads.id IN (SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea"
        " ON ea.id = eabr.email_address_id WHERE eabr.bean_module = 'Leads' AND eabr.deleted = 0"
        f" AND ea.deleted = 0 AND ea.email_address_caps = '{email.upper()}')"
    )
