"""What Zoho CRM can do, as data the kit reads.

Limits are those of Zoho's documentation of API v8: 100 rows per write; 10 calls at once of those that write
more than 10 rows, search or sort, in every edition; credits by the table of its page on API limits.
"""

from collections.abc import Mapping

from connector_zoho.translation import ACTIVITIES, CAMPAIGNS, FIELDS, MODULES, NEW_STATUS
from connector_zoho.values import ACCOUNT_NAME, EMAIL, LEAD_SOURCE, LEAD_STATUS, OPT_OUT, OWNER, fit
from leadbus.connector.capabilities import STATUS_OF_CONTACT, TURNING_BACK, Capabilities, Cost, Step, Verb

ROWS_PER_CREDIT = 10
EMAILS_PER_QUERY = 50
"""Values that COQL takes in one `in (…)`."""
_CONVERSION = 5


def _per(rows_per_call: int, credits: int = 1) -> Cost:
    return lambda rows: -(-rows // rows_per_call) * credits


# At the most, where nothing goes wrong. What is asked now and then besides is little: a module's fields every
# ten minutes, the organisation's facts every hour.
CREDITS: Mapping[Verb, Cost] = {
    "check": lambda rows: 2,  # the organisation and its user
    "find_by_email": _per(EMAILS_PER_QUERY, 4),  # leads and contacts: which ones, and what they are
    "find_accounts": _per(EMAILS_PER_QUERY, 2),
    "read": _per(100, 2),  # of deals their contacts, too
    "changed": lambda rows: 4,  # 200 deals, whose contacts are looked up, after they were counted
    # Of tags, whose members are searched: reported by users as 3, not documented.
    "members": lambda rows: 3,
    "activities_of": _per(1, 3),  # notes, tasks and calls
    **dict.fromkeys(("create", "update", "create_accounts", "add_activities"), _per(ROWS_PER_CREDIT)),
    # Looked for by name, then changed or created.
    "write_campaigns": lambda rows: _per(EMAILS_PER_QUERY)(rows) + _per(ROWS_PER_CREDIT)(rows) + 1,
    # Of one campaign, as most often; each further one is a call more. What rows cost is not documented.
    "put_members": _per(ROWS_PER_CREDIT),
    "convert": lambda rows: _CONVERSION * rows + 1,
    "watch": lambda rows: 3,  # rights, and a channel that is not there to be replaced
}

_LAYOUT = "In Zoho CRM, under Setup > Customization > Modules and Fields > {module}, open the layout"
_API_NAME = (
    "Enter it here by its API name, which stands under Setup > Developer Hub > APIs and SDKs > API Names >"
    " {module}."
)
_STEPS: Mapping[Step, str] = {
    "rights": "In Zoho CRM, under Setup > Security Control > Profiles, open the profile of Leadbus's user and"
    " allow it to {rights} {module} under Basic Permissions: read is View, write is Create and Edit. If the"
    " module is not there, show it under Setup > Customization > Modules and Fields > Organize Modules. Whose"
    " records the user sees, its role decides: Setup > Security Control > Roles and Sharing.",
    "lead_source": f"{_LAYOUT}, choose Edit Properties in the menu of the field Lead Source ({{name}}), add"
    " the option {value}, then Done and Save Layout. Do so in every layout that is in use.",
    "option": f"{_LAYOUT}, choose Edit Properties in the menu of the field that the API calls {{name}}, add"
    " the option {value}, then Done and Save Layout. Do so in every layout that is in use.",
    "field": f"{_LAYOUT}, drag a new field of the right type into it, then Save Layout. {_API_NAME}"
    " Missing now: {name}.",
    "list": "In Zoho CRM, make a campaign of the name {value} (Campaigns > Create Campaign), or a tag (open a"
    " lead or contact, Add Tags, or Manage Tags in the list of the module, for each of Leads and Contacts"
    " that it is to hold). Or correct the name in the settings: capitals do not count.",
    "score_field": f"{_LAYOUT}, drag a new field of the type Number into it, then Save Layout. {_API_NAME}",
}

CAPABILITIES = Capabilities(
    crm="zoho",
    modules=MODULES,
    fields=FIELDS,
    account_fields={"annual_revenue": "Annual_Revenue", "account_type": "Account_Type"},
    # The API takes a lead without a company; but the default layout requires one, so that nobody could save
    # such a lead by hand (documentation).
    required={"lead": frozenset({"last_name", "company"}), "contact": frozenset({"last_name"})},
    new_lead_status=NEW_STATUS,
    rows_per_write=100,
    rows_per_read=100,
    concurrent_calls=10,
    # Half of them, so that one verb reads while another writes. Rows cost a credit for each ten begun: split
    # by tens they cost no more, and are done sooner.
    calls_per_verb=5,
    fewest_rows_per_write=20,
    own_ids=False,
    converts=True,
    pushes=True,
    watches=True,
    credits=CREDITS,
    by_custom_field={"lead": {"birthday": "date"}},
    lead_source_field=LEAD_SOURCE,
    status_field=LEAD_STATUS,
    filled=frozenset({"id", EMAIL, OPT_OUT, OWNER, LEAD_SOURCE, LEAD_STATUS, ACCOUNT_NAME}),
    activities=ACTIVITIES,
    campaigns=CAMPAIGNS,
    fit=fit,
    steps=_STEPS,
    cannot={
        TURNING_BACK: "Zoho CRM cannot turn a contact back into a lead: the person stays a contact there,"
        " with all that hangs on it. Who wants a lead again enters one in the CRM by hand.",
        STATUS_OF_CONTACT: "Zoho CRM's contacts have no lead status; its leads do. Give contacts a field by"
        " which they are accepted or rejected.",
        "company of an existing contact": "Zoho CRM keeps a contact's company as an account of its own:"
        " Leadbus chooses it when it creates or converts the contact, and afterwards leaves it to the people"
        " in the CRM.",
        "birthday of a lead": "Zoho CRM's leads have no birthday, its contacts do: map it to a custom field"
        " of the type Date.",
        "website of a contact": "Zoho CRM's contacts have no field for a website; its leads do.",
        "time of a task": "Zoho CRM's tasks are due on a day, without a time of day.",
        "currency of a campaign's budget": "Zoho CRM keeps a campaign's budget in a currency of the"
        " organisation: in any other it is left out.",
        "responses of one's own": "Zoho CRM keeps how somebody responded as the status of a campaign's"
        " member: Planned, Invited, Sent, Received, Opened, Responded, Bounced or Opted Out. A response"
        " that is none of them is left out.",
        "accounts without an owner": "In Zoho CRM every record has an owner, and a user who owns records"
        " cannot be removed without naming another: no account lacks one.",
        "teams": "Zoho CRM has no teams: who sees a record is decided by the role of its owner.",
    },
)
