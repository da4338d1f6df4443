"""What Dynamics can do, as data the kit reads.

Menus are those of CRM 2011 to 2016 and of the classic pages of Dynamics 365, as the integration guide has
them. How many calls an organisation bears at once is told by `Adapter.limits`: on premises fewer than online.
"""

from collections.abc import Mapping

from connector_dynamics.limiter import ON_PREMISES_CALLS
from connector_dynamics.spreading import FEWEST_ROWS, MOST_ROWS
from connector_dynamics.stating import STATUS
from connector_dynamics.translation import (
    ACTIVITIES,
    CAMPAIGN,
    FIELDS,
    IS_DYNAMIC,
    MODULES,
    NEW_STATUS,
    NO_BULK_EMAIL,
)
from connector_dynamics.values import COMPANY_OF_CONTACT, EMAIL, LEAD_SOURCE, OWNER, TOPIC, fit
from leadbus.connector.capabilities import RESPONSES, STATUS_OF_CONTACT, TURNING_BACK, Capabilities, Step

_ENTITY = (
    "In Dynamics, go to Settings > Customizations > Customize the System, and there to Entities > {module} >"
    " Fields"
)
_PUBLISH = "click Save and Close, then Publish All Customizations"
_STEPS: Mapping[Step, str] = {
    "rights": "In Dynamics, under Settings > Security > Security Roles, open a role of Leadbus's user and"
    " allow it to {rights} {module}: read is Read; write is Create, Write, Append and Append To, all for the"
    " whole organisation. Activities are one row of the tab Core Records, notes another.",
    "lead_source": f"{_ENTITY}; open the field Lead Source ({{name}}), click the green plus sign under"
    f" Options, change the label from Item to {{value}}, {_PUBLISH}.",
    "option": f"{_ENTITY}; open the field {{name}} (a lead's status is the field Status Reason, whose options"
    " are those of one state), click the green plus sign under Options, change the label from Item to"
    f" {{value}}, {_PUBLISH}.",
    "field": f"{_ENTITY}, click New and make a field of the right type; enter it here by its Name, which"
    f" begins with the prefix of the publisher, such as new_. Then {_PUBLISH}. Missing now: {{name}}.",
    "list": "In Dynamics, under Marketing > Marketing Lists, click New; enter {value} as Name, choose the"
    " Member Type Lead or Contact (as in the settings of the connection new people are recorded) and the Type"
    " Static, then Save. Or correct the name in the settings: capitals do not count.",
    "score_field": f"{_ENTITY}, click New and make a field of the type Whole Number; enter it here by its"
    f" Name, which begins with the prefix of the publisher, such as new_score. Then {_PUBLISH}.",
}

CAPABILITIES = Capabilities(
    crm="dynamics",
    modules=MODULES,
    fields=FIELDS,
    account_fields={"annual_revenue": "revenue", "account_type": "customertypecode"},
    # The service takes a lead without them; but the forms of CRM 2011 require both, and a lead without a
    # company cannot be given an account when it is qualified.
    required={"lead": frozenset({"last_name", "company"}), "contact": frozenset({"last_name"})},
    new_lead_status=NEW_STATUS,
    rows_per_write=MOST_ROWS,
    rows_per_read=100,
    concurrent_calls=ON_PREMISES_CALLS,
    calls_per_verb=ON_PREMISES_CALLS,
    fewest_rows_per_write=FEWEST_ROWS,
    own_ids=True,
    converts=True,
    by_custom_field={"lead": {"birthday": "date"}},
    lead_source_field=LEAD_SOURCE,
    status_field=STATUS,
    filled=frozenset({EMAIL, NO_BULK_EMAIL, OWNER, LEAD_SOURCE, TOPIC, COMPANY_OF_CONTACT}),
    activities=ACTIVITIES,
    campaigns=CAMPAIGN,
    fit=fit,
    steps=_STEPS,
    cannot={
        TURNING_BACK: "Dynamics cannot turn a contact back into a lead: a qualified lead can be reactivated"
        " by hand, but the contact stays, with all that hangs on it.",
        STATUS_OF_CONTACT: "Contacts of Dynamics are active or not, and have no lead status; leads do. Give"
        " contacts a field by which they are accepted or rejected.",
        "setting a lead to qualified": "Dynamics qualifies a lead by making a contact of it: say that the"
        " person is a client, in place of writing a status of qualified leads.",
        RESPONSES: "Who is in a campaign of Dynamics is on one of its marketing lists, which keep no"
        " response; a campaign response there is an activity that people book. Leadbus leaves responses out.",
        "writing to a qualified lead": "Dynamics lets nobody change a lead that was qualified: what is still"
        " to be said goes to the contact that it became.",
        "company of an existing contact": "Dynamics keeps a contact's company as an account of its own:"
        " Leadbus chooses it when it creates or qualifies the contact, and afterwards leaves it to the people"
        " in the CRM.",
        "birthday of a lead": "Dynamics's leads have no birthday, its contacts do: map it to a custom field"
        " of the type Date Only.",
        "opt-out of all email": "An opt-out is written as Do not allow Bulk Emails; who is not to be emailed"
        " at all (Do not allow Emails) counts as opted out too, and is left so.",
        "accounts without an owner": "In Dynamics every account has an owner, and nobody can take it away"
        " without naming another.",
        "teams": "Teams of Dynamics own records as users do; they do not set records apart that several"
        " people may see. Leave the teams of the connection empty.",
        "lists of accounts": "A marketing list of accounts has no people on it: choose the member type Lead"
        " or Contact.",
        "putting people on dynamic lists": IS_DYNAMIC,
        "deletions at once": "Without change tracking of its table (CRM 2011 to 2015, or where it is switched"
        " off) Dynamics does not tell what was deleted: the nightly comparison finds it.",
        "push": "Leadbus installs nothing in Dynamics, so that it is not called from there: changes are read"
        " on schedule.",
    },
)
