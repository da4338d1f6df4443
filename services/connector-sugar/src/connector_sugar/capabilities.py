"""What the SugarCRM family can do.

Measured on SuiteCRM 7.12.5: about 80 ms for a written row, 0.7 ms for a read one; calls within one session
run one at a time.
"""

from connector_sugar.translation import ACTIVITIES, CAMPAIGNS, FIELDS, MODULES, NEW_STATUS, STATUS, fit
from leadbus.connector.capabilities import (
    CONVERTING,
    RESPONSES,
    STATUS_OF_CONTACT,
    TURNING_BACK,
    Capabilities,
)

CAPABILITIES = Capabilities(
    crm="sugar",
    modules=MODULES,
    fields=FIELDS,
    account_fields={"annual_revenue": "annual_revenue", "account_type": "account_type"},
    required={
        "lead": frozenset({"last_name", "company"}),
        "contact": frozenset({"last_name"}),
        "target": frozenset({"last_name"}),
    },
    new_lead_status=NEW_STATUS,
    rows_per_write=50,
    rows_per_read=200,
    concurrent_calls=8,
    # Half of them: with two verbs side by side the CRM is busy while one of them looks before it writes.
    calls_per_verb=4,
    fewest_rows_per_write=10,
    own_ids=True,
    pushes=True,
    lead_source_field="lead_source",
    status_field=STATUS,
    filled=frozenset(
        {
            "id",
            "name",
            "email",
            "email1",
            "email_opt_out",
            "status",
            "lead_source",
            "assigned_user_id",
            "account_id",
        }
    ),
    activities=ACTIVITIES,
    fit=fit,
    campaigns=CAMPAIGNS,
    steps={
        "rights": "In the CRM, under Admin > Role Management, open the role of Leadbus's user and allow it to"
        " {rights} {module}: read is List and View, write is Edit; Access must be Enabled.",
        "lead_source": "In the CRM, under Admin > Studio > {module} > Fields > {name}: choose Add on the"
        " drop-down list, enter {value} as item name and display label, then Add, then Save.",
        "option": "In the CRM, under Admin > Studio > {module} > Fields > {name}: choose Edit on the"
        " drop-down list, enter {value} as item name and display label, then Add, then Save. If the value is"
        " there under another display label, enter its item name here instead.",
        "field": "In the CRM, under Admin > Studio > {module} > Fields, choose Add Field, pick the type,"
        " enter the name, then Save. SugarCRM adds _c to the names of fields made there: enter it here with"
        " that ending. Missing now: {name}.",
        "list": "In SugarCRM, open Target Lists (under Campaigns, or in the menu of all modules), click"
        " Create Target List, enter {value} as Name, then Save. Or correct the name in the settings: capitals"
        " do not count.",
        "score_field": "In the CRM, under Admin > Studio > {module} > Fields, choose Add Field with the data"
        " type Integer, then Save. SugarCRM adds _c to its name: enter it here with that ending.",
        "team": "In the CRM, under Admin > Team Management, create the team {value} or copy its name from"
        " there (upper and lower case count), and make Leadbus's user a member of it.",
    },
    cannot={
        CONVERTING: "Leadbus does not convert leads in SugarCRM, where a salesperson decides on the lead's"
        " page which account, contact and opportunity come of it.",
        TURNING_BACK: "SugarCRM cannot turn a contact back into a lead.",
        STATUS_OF_CONTACT: "SugarCRM's contacts have no lead status; its leads do. Give contacts a field by"
        " which they are accepted or rejected.",
        RESPONSES: "SugarCRM knows of a campaign's members only that they are on its target list: how"
        " somebody responded stands in the activities that Leadbus writes.",
        "currency of a campaign's budget": "SugarCRM does not tell the code of its own currency: a budget in"
        " a currency that is not among its Currencies is written as an amount of its own.",
        "long names of campaigns": "SugarCRM keeps 50 characters of the name of a campaign, and of its target"
        " list.",
        "company of an existing contact": "SugarCRM keeps a contact's company as an account of its own:"
        " Leadbus chooses it when it creates the contact, and afterwards leaves it to the people in the CRM.",
        "website of a contact": "SugarCRM's contacts have no field for a website; its leads do.",
        "clearing an email address": "SugarCRM keeps the last email address of a record: it can be replaced,"
        " not cleared.",
        "several teams on a record": "Leadbus writes the first of the connection's teams to a record.",
    },
)
