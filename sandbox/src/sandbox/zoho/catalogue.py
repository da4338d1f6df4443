"""What a fresh organisation has: the standard modules with their usual fields, types and lengths.

Source: Zoho's documentation (names, types, what is required), samples of the contract notes (lengths of
Leads' fields); lengths elsewhere are assumed to be like those.
"""

from collections.abc import Mapping, Sequence

from .schema import Field, Module, make

LEADBUS = "Leadbus"
"""A lead source that the organisation's administrator has added."""

_SOURCES = (
    "Advertisement|Cold Call|Employee Referral|External Referral|Online Store|Partner|Public Relations|"
    f"Seminar Partner|Trade Show|Web Download|Web Research|Chat|{LEADBUS}"
)
_STATUSES = (
    "Attempted to Contact|Contact in Future|Contacted|Junk Lead|Lost Lead|Not Contacted|Pre-Qualified|"
    "Not Qualified"
)
_INDUSTRIES = "ASP|Data/Telecom OEM|ERP|Government/Military|Large Enterprise|Service Provider|Small Business"
_STAGES = (
    "Qualification|Needs Analysis|Value Proposition|Identify Decision Makers|Proposal/Price Quote|"
    "Negotiation/Review|Closed Won|Closed Lost|Closed Lost to Competition"
)
_CURRENCIES = "EUR|GBP|PLN|USD"

_SYSTEM = (
    make("Created_By", "ownerlookup", read_only=True),
    make("Modified_By", "ownerlookup", read_only=True),
    make("Created_Time", "datetime", read_only=True),
    make("Modified_Time", "datetime", read_only=True),
)
_TAG = make("Tag", "text_tags", 2000)


def _owner() -> Field:
    return make("Owner", "ownerlookup")


def _texts(names: str, length: int) -> list[Field]:
    return [make(name, "text", length) for name in names.split()]


def _phones(names: str) -> list[Field]:
    return [make(name, "phone") for name in names.split()]


def _person() -> list[Field]:
    return [
        make("First_Name", "text", 40),
        make("Last_Name", "text", 80, required=True),
        make("Full_Name", "text", 120, read_only=True),
        make("Salutation", "picklist", options="Mr.|Mrs.|Ms.|Dr.|Prof."),
        make("Email", "email"),
        make("Secondary_Email", "email"),
        *_phones("Phone Mobile Fax"),
        make("Lead_Source", "picklist", options=_SOURCES),
        make("Email_Opt_Out", "boolean"),
        make("Unsubscribed_Mode", "picklist", options="Consent form|Manual|Unsubscribe link", read_only=True),
        make("Unsubscribed_Time", "datetime", read_only=True),
        make("Skype_ID", "text", 50),
        make("Twitter", "text", 50),
        make("Description", "textarea"),
    ]


def _address(prefix: str = "", zip_: str = "Zip") -> list[Field]:
    return [
        make(f"{prefix}Street", "text", 250),
        *_texts(f"{prefix}City {prefix}State", 100),
        make(f"{prefix}{zip_}", "text", 30),
        make(f"{prefix}Country", "text", 100),
    ]


def _about() -> list[Field]:
    """Who an activity is with: a contact in Who_Id, any other record in What_Id with its module."""
    return [
        make("Who_Id", "lookup", to="Contacts"),
        make("What_Id", "lookup", to="*"),
        make("$se_module", "text", 50),
        make("Description", "textarea"),
    ]


_FIELDS: Mapping[str, Sequence[Field]] = {
    "Leads": (
        make("Company", "text", 200),
        make("Designation", "text", 100),
        make("Website", "website"),
        make("Lead_Status", "picklist", options=_STATUSES),
        make("Industry", "picklist", options=_INDUSTRIES),
        make("Rating", "picklist", options="Acquired|Active|Market Failed|Project Cancelled|Shut Down"),
        make("Annual_Revenue", "currency"),
        make("No_of_Employees", "integer"),
        *_person(),
        *_address(zip_="Zip_Code"),
        make("Converted__s", "boolean", read_only=True),
        make("Converted_Date_Time", "datetime", read_only=True),
        make("Converted_Contact", "lookup", to="Contacts", read_only=True),
        make("Converted_Account", "lookup", to="Accounts", read_only=True),
        make("Converted_Deal", "lookup", to="Deals", read_only=True),
    ),
    "Contacts": (
        make("Account_Name", "lookup", to="Accounts"),
        make("Title", "text", 100),
        make("Department", "text", 50),
        make("Date_of_Birth", "date"),
        *_phones("Home_Phone Other_Phone Asst_Phone"),
        make("Assistant", "text", 50),
        make("Reporting_To", "lookup", to="Contacts"),
        *_person(),
        *_address("Mailing_"),
        *_address("Other_"),
    ),
    "Accounts": (
        make("Account_Name", "text", 200, required=True),
        make("Parent_Account", "lookup", to="Accounts"),
        make("Account_Number", "bigint"),
        make("Account_Site", "text", 80),
        make("Account_Type", "picklist", options="Analyst|Competitor|Customer|Distributor|Partner|Prospect"),
        make("Industry", "picklist", options=_INDUSTRIES),
        make("Annual_Revenue", "currency"),
        make("Employees", "integer"),
        *_phones("Phone Fax"),
        make("Website", "website"),
        *_address("Billing_", "Code"),
        *_address("Shipping_", "Code"),
        make("Description", "textarea"),
    ),
    "Deals": (
        make("Deal_Name", "text", 120, required=True),
        make("Account_Name", "lookup", to="Accounts"),
        make("Contact_Name", "lookup", to="Contacts"),
        make("Campaign_Source", "lookup", to="Campaigns"),
        make("Stage", "picklist", options=_STAGES, required=True),
        make("Pipeline", "picklist", options="Standard (Standard)"),
        make("Amount", "currency"),
        make("Currency", "picklist", options=_CURRENCIES),
        make("Closing_Date", "date"),
        make("Probability", "integer", 3),
        make("Expected_Revenue", "currency", read_only=True),
        make("Lead_Source", "picklist", options=_SOURCES),
        make("Type", "picklist", options="Existing Business|New Business"),
        make("Next_Step", "text", 100),
        make("Description", "textarea"),
    ),
    "Campaigns": (
        make("Campaign_Name", "text", 200, required=True),
        make("Type", "picklist", options="Conference|Webinar|Trade Show|Email|Telemarketing|Partners|Other"),
        make("Status", "picklist", options="Planning|Active|Inactive|Complete"),
        make("Start_Date", "date"),
        make("End_Date", "date"),
        make("Expected_Revenue", "currency"),
        make("Budgeted_Cost", "currency"),
        make("Actual_Cost", "currency"),
        make("Currency", "picklist", options=_CURRENCIES),
        make("Num_sent", "text", 50),
        make("Description", "textarea"),
    ),
    "Notes": (
        make("Note_Title", "text", 120),
        make("Note_Content", "textarea", 65_535),
        make("Parent_Id", "lookup", to="*", required=True),
        make("$se_module", "text", 50),
    ),
    "Tasks": (
        make("Subject", "text", 300, required=True),
        make("Status", "picklist", options="Not Started|Deferred|In Progress|Completed|Waiting for input"),
        make("Priority", "picklist", options="High|Highest|Low|Lowest|Normal"),
        make("Due_Date", "date"),
        make("Closed_Time", "datetime", read_only=True),
        *_about(),
    ),
    "Calls": (
        make("Subject", "text", 300, required=True),
        make("Call_Type", "picklist", options="Outbound|Inbound|Missed", required=True),
        make("Call_Start_Time", "datetime", required=True),
        make("Call_Duration", "text", 15, required=True),
        make("Call_Duration_in_seconds", "integer", read_only=True),
        make("Call_Purpose", "picklist", options="Prospecting|Administrative|Negotiation|Demo|Project"),
        make("Call_Result", "textarea"),
        make("Outgoing_Call_Status", "picklist", options="Scheduled|Completed|Overdue|Cancelled"),
        make("Outbound_Call_Status", "picklist", options="Scheduled|Completed|Overdue|Cancelled"),
        *_about(),
    ),
    "Events": (
        make("Event_Title", "text", 255, required=True),
        make("Start_DateTime", "datetime", required=True),
        make("End_DateTime", "datetime", required=True),
        make("All_day", "boolean"),
        make("Venue", "text", 255),
        *_about(),
    ),
}

# Name, singular, title, the system's duplicate check field. Source: Zoho's documentation of upsert.
_MODULES = (
    ("Leads", "Lead", "Full_Name", "Email"),
    ("Contacts", "Contact", "Full_Name", "Email"),
    ("Accounts", "Account", "Account_Name", "Account_Name"),
    ("Deals", "Deal", "Deal_Name", "Deal_Name"),
    ("Campaigns", "Campaign", "Campaign_Name", "Campaign_Name"),
    ("Notes", "Note", "Note_Title", ""),
    ("Tasks", "Task", "Subject", ""),
    ("Calls", "Call", "Subject", ""),
    ("Events", "Event", "Event_Title", ""),
)


def modules() -> dict[str, Module]:
    """New ones, without ids."""
    made = {}
    for name, singular, title, unique_by in _MODULES:
        tags = () if name == "Notes" else (_TAG,)
        fields = (_owner(), *_FIELDS[name], *_SYSTEM, *tags)
        made[name] = Module(name, singular, title, unique_by, {field.name: field for field in fields})
    return made
