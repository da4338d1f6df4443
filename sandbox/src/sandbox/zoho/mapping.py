"""What a lead's fields become when it is converted, as a fresh organisation has it.

Source: Zoho's documentation (the fields that carry over by default); custom fields carry over nowhere.
"""

from collections.abc import Mapping

_NAMES = "First_Name Last_Name Salutation"
_CHANNELS = "Email Secondary_Email Email_Opt_Out Phone Mobile Fax Skype_ID Twitter"

CONVERT: Mapping[str, Mapping[str, str]] = {
    "Contacts": {
        **{name: name for name in f"{_NAMES} {_CHANNELS} Lead_Source Description".split()},
        "Designation": "Title",
        "Street": "Mailing_Street",
        "City": "Mailing_City",
        "State": "Mailing_State",
        "Zip_Code": "Mailing_Zip",
        "Country": "Mailing_Country",
    },
    "Accounts": {
        **{name: name for name in ("Phone", "Fax", "Website", "Industry", "Annual_Revenue")},
        "Company": "Account_Name",
        "No_of_Employees": "Employees",
        "Street": "Billing_Street",
        "City": "Billing_City",
        "State": "Billing_State",
        "Zip_Code": "Billing_Code",
        "Country": "Billing_Country",
    },
    "Deals": {"Lead_Source": "Lead_Source"},
}
"""By module that takes them: the lead's field, and the one it becomes."""


def targets(name: str) -> dict[str, str | None]:
    """What a field of leads becomes, by module."""
    return {module: fields.get(name) for module, fields in CONVERT.items()}
