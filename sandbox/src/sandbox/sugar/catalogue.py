"""The modules of a fresh SuiteCRM, as text: one field or link a line (read by `modules`).

Field: name | type(length) | label | flags.  Link: name | module | table(own id, other id) | flags.
Not every column of the real tables is here, but every one that a marketing connector touches.
"""

_STAMPS = """
date_entered     | datetime    | Date Created      | options=date_range_search_dom
date_modified    | datetime    | Date Modified     | options=date_range_search_dom
modified_user_id | id(36)      | Modified By
modified_by_name | relate      | Modified By Name  | computed
created_by       | id(36)      | Created By
created_by_name  | relate      | Created By        | computed
description      | text        | Description:
deleted          | bool        | Deleted           | default=0
"""
_ASSIGNED = """
assigned_user_id   | relate(36) | Assigned User:
assigned_user_name | relate     | Assigned to:      | computed
"""
_ID = "id | id(36) | ID | required\n"
_NAMED = _ID + "name | name(255) | Name: | required" + _STAMPS + _ASSIGNED

_EMAILS = """
email1        | varchar(255) | Email Address:       | computed
email2        | varchar(255) | Other Email:         | computed
invalid_email | bool         | Invalid Email:       | computed
email_opt_out | bool         | Email Opt Out:       | computed
"""
_PERSON = (
    _ID
    + "name | name(255) | Name | computed"
    + _STAMPS
    + _ASSIGNED
    + """
salutation   | enum(255)     | Salutation:     | options=salutation_dom
first_name   | varchar(100)  | First Name:
last_name    | varchar(100)  | Last Name:      | required
full_name    | fullname(510) | Name            | computed
title        | varchar(100)  | Job Title:
department   | varchar(255)  | Department:
do_not_call  | bool          | Do Not Call:    | default=0
phone_home   | phone(100)    | Home Phone:
phone_mobile | phone(100)    | Mobile:
phone_work   | phone(100)    | Office Phone:
phone_other  | phone(100)    | Other Phone:
phone_fax    | phone(100)    | Fax:
"""
    + _EMAILS
    + """
primary_address_street     | varchar(150) | Primary Address Street
primary_address_city       | varchar(100) | Primary Address City:
primary_address_state      | varchar(100) | Primary Address State:
primary_address_postalcode | varchar(20)  | Primary Address Postal Code:
primary_address_country    | varchar(255) | Primary Address Country:
alt_address_street         | varchar(150) | Alternate Address Street
alt_address_city           | varchar(100) | Alternate Address City:
alt_address_state          | varchar(100) | Alternate Address State:
alt_address_postalcode     | varchar(20)  | Alternate Address Postal Code:
alt_address_country        | varchar(255) | Alternate Address Country:
assistant                  | varchar(75)  | Assistant:
assistant_phone            | phone(100)   | Assistant Phone:
"""
)
_CAMPAIGN = """
campaign_id   | id(36)       | Campaign ID
campaign_name | relate       | Campaign:   | computed
"""
_LEAD = """
converted               | bool          | Converted:           | default=0
refered_by              | varchar(100)  | Referred By:
lead_source             | enum(100)     | Lead Source:         | options=lead_source_dom
lead_source_description | text          | Lead Source Description:
status                  | enum(100)     | Status:              | options=lead_status_dom
status_description      | text          | Status Description:
account_name            | varchar(255)  | Account Name:
account_description     | text          | Account Description
contact_id              | id(36)        | Contact ID
account_id              | id(36)        | Account ID
opportunity_id          | id(36)        | Opportunity ID
opportunity_name        | varchar(255)  | Opportunity Name:
opportunity_amount      | varchar(50)   | Opportunity Amount:
birthdate               | date          | Birthdate:
portal_name             | varchar(255)  | Portal Name:
website                 | url(255)      | Website:
lead_score_c            | int(11)       | Lead Score           | custom
"""
_CONTACT = """
account_id   | relate(36)   | Account ID:      | computed
account_name | relate(255)  | Account Name:    | computed
lead_source  | enum(255)    | Lead Source:     | options=lead_source_dom
reports_to_id | id(36)      | Reports to ID:
birthdate    | date         | Birthdate:
lead_score_c | int(11)      | Lead Score       | custom
"""
_ACTIVITY = """
parent_type  | parent_type(255) | Parent Type:
parent_id    | id(36)           | Parent ID:
parent_name  | parent           | Related To:      | computed
contact_id   | id(36)           | Contact ID:
contact_name | relate           | Contact Name:    | computed
"""
_TASK = """
status          | enum(100) | Status:     | options=task_status_dom
date_due_flag   | bool      | No Due Date | default=0
date_due        | datetime  | Due Date:   | options=date_range_search_dom
date_start_flag | bool      | No Start Date | default=0
date_start      | datetime  | Start Date: | options=date_range_search_dom
priority        | enum(100) | Priority:   | options=task_priority_dom
"""
_CALL = """
status           | enum(100) | Status:         | options=call_status_dom
direction        | enum(100) | Direction:      | options=call_direction_dom
duration_hours   | int(2)    | Duration Hours:
duration_minutes | int(2)    | Duration Minutes:
date_start       | datetime  | Start Date & Time: | options=date_range_search_dom
date_end         | datetime  | End Date:
parent_type      | parent_type(255) | Parent Type:
parent_id        | id(36)    | Parent ID:
parent_name      | parent    | Related To:     | computed
"""
_NOTE = """
filename       | file(255)    | Attachment:
file_mime_type | varchar(100) | Mime Type
"""
_OPPORTUNITY = """
opportunity_type | enum(255)     | Type:           | options=opportunity_type_dom
account_id       | relate(36)    | Account ID:     | computed
account_name     | relate(255)   | Account Name:   | computed
lead_source      | enum(50)      | Lead Source:    | options=lead_source_dom
amount           | currency      | Opportunity Amount: | required
amount_usdollar  | currency      | Amount
currency_id      | id(36)        | Currency:
date_closed      | date          | Expected Close Date: | required
next_step        | varchar(100)  | Next Step:
sales_stage      | enum(255)     | Sales Stage:    | required, options=sales_stage_dom
probability      | int(11)       | Probability (%):
"""
_ACCOUNT = """
account_type            | enum(50)     | Type:
industry                | enum(50)     | Industry:
annual_revenue          | varchar(100) | Annual Revenue:
phone_fax               | phone(100)   | Fax:
phone_office            | phone(100)   | Office Phone:
billing_address_street  | varchar(150) | Billing Street:
billing_address_city    | varchar(100) | Billing City:
billing_address_state   | varchar(100) | Billing State:
billing_address_postalcode | varchar(20) | Billing Postal Code:
billing_address_country | varchar(255) | Billing Country:
website                 | url(255)     | Website:
employees               | varchar(10)  | Employees:
parent_id               | id(36)       | Parent Account ID
"""
_CAMPAIGN_FIELDS = """
start_date    | date      | Start Date:
end_date      | date      | End Date:     | required
status        | enum(100) | Status:       | required, options=campaign_status_dom
campaign_type | enum(100) | Type:         | required, options=campaign_type_dom
budget        | currency  | Budget:
expected_cost | currency  | Expected Cost:
actual_cost   | currency  | Actual Cost:
objective     | text      | Objective:
content       | text      | Description:
"""
_LIST = """
list_type   | enum(100)    | Type:   | options=prospect_list_type_dom
domain_name | varchar(255) | Domain:
"""
_USER = """
user_name       | user_name(60)     | Username:   | required
user_hash       | varchar(255)      | Password
first_name      | name(255)         | First Name:
last_name       | name(255)         | Last Name:  | required
full_name       | fullname(510)     | Full Name   | computed
is_admin        | bool              | Is Administrator | default=0
title           | varchar(50)       | Title:
department      | varchar(50)       | Department:
phone_work      | phone(50)         | Work Phone:
phone_mobile    | phone(50)         | Mobile:
status          | enum(100)         | Status:     | options=user_status_dom
employee_status | varchar(100)      | Employee Status:
is_group        | bool              | Group User  | default=0
"""
_ADDRESS = """
email_address      | varchar(255) | Email Address        | required
email_address_caps | varchar(255) | Email Address caps   | required
invalid_email      | bool         | Invalid Email        | default=0
opt_out            | bool         | Opted Out            | default=0
date_created       | datetime     | Date Created
date_modified      | datetime     | Date Modified
deleted            | bool         | Deleted              | default=0
"""


def _person_links(module: str) -> str:
    return f"""
email_addresses | EmailAddresses | email_addr_bean_rel(bean_id, email_address_id) | bean_module={module}
prospect_lists | ProspectLists | prospect_lists_prospects(related_id,prospect_list_id) | related_type={module}
notes           | Notes          | notes(parent_id, id) | parent_type={module}
tasks           | Tasks          | tasks(parent_id, id) | parent_type={module}
calls           | Calls          | calls(parent_id, id) | parent_type={module}
campaigns       | Campaigns      | {module.lower()}(id, campaign_id)
"""


# name, label, table, fields, links
MODULES: tuple[tuple[str, str, str, str, str], ...] = (
    ("Leads", "Leads", "leads", _PERSON + _LEAD + _CAMPAIGN, _person_links("Leads")),
    (
        "Contacts",
        "Contacts",
        "contacts",
        _PERSON + _CONTACT + _CAMPAIGN,
        _person_links("Contacts")
        + """
accounts      | Accounts      | accounts_contacts(contact_id, account_id)
opportunities | Opportunities | opportunities_contacts(contact_id, opportunity_id) | +contact_role
leads         | Leads         | leads(contact_id, id)
""",
    ),
    ("Prospects", "Targets", "prospects", _PERSON + _CAMPAIGN, _person_links("Prospects")),
    (
        "Accounts",
        "Accounts",
        "accounts",
        _NAMED + _ACCOUNT + _EMAILS,
        """
email_addresses | EmailAddresses | email_addr_bean_rel(bean_id, email_address_id) | bean_module=Accounts
contacts        | Contacts       | accounts_contacts(account_id, contact_id)
opportunities   | Opportunities  | accounts_opportunities(account_id, opportunity_id)
leads           | Leads          | leads(account_id, id)
notes           | Notes          | notes(parent_id, id) | parent_type=Accounts
tasks           | Tasks          | tasks(parent_id, id) | parent_type=Accounts
""",
    ),
    (
        "Opportunities",
        "Opportunities",
        "opportunities",
        _NAMED + _OPPORTUNITY + _CAMPAIGN,
        """
accounts | Accounts | accounts_opportunities(opportunity_id, account_id)
contacts | Contacts | opportunities_contacts(opportunity_id, contact_id) | +contact_role
leads    | Leads    | leads(opportunity_id, id)
notes    | Notes    | notes(parent_id, id) | parent_type=Opportunities
tasks    | Tasks    | tasks(parent_id, id) | parent_type=Opportunities
""",
    ),
    (
        "Notes",
        "Notes",
        "notes",
        _NAMED + _NOTE + _ACTIVITY,
        "contact | Contacts | notes(id, contact_id)",
    ),
    (
        "Tasks",
        "Tasks",
        "tasks",
        _NAMED + _TASK + _ACTIVITY,
        "contacts | Contacts | tasks(id, contact_id)",
    ),
    (
        "Calls",
        "Calls",
        "calls",
        _NAMED + _CALL,
        """
leads    | Leads    | calls_leads(call_id, lead_id)
contacts | Contacts | calls_contacts(call_id, contact_id)
""",
    ),
    (
        "Campaigns",
        "Campaigns",
        "campaigns",
        _NAMED + _CAMPAIGN_FIELDS,
        """
leads         | Leads         | leads(campaign_id, id)
contacts      | Contacts      | contacts(campaign_id, id)
opportunities | Opportunities | opportunities(campaign_id, id)
prospectlists | ProspectLists | prospect_list_campaigns(campaign_id, prospect_list_id)
""",
    ),
    (
        "ProspectLists",
        "Targets - Lists",
        "prospect_lists",
        _NAMED + _LIST,
        """
leads     | Leads     | prospect_lists_prospects(prospect_list_id, related_id) | related_type=Leads
contacts  | Contacts  | prospect_lists_prospects(prospect_list_id, related_id) | related_type=Contacts
prospects | Prospects | prospect_lists_prospects(prospect_list_id, related_id) | related_type=Prospects
users     | Users     | prospect_lists_prospects(prospect_list_id, related_id) | related_type=Users
campaigns | Campaigns | prospect_list_campaigns(prospect_list_id, campaign_id)
""",
    ),
    (
        "Users",
        "Users",
        "users",
        _ID + "name | name(255) | Name | computed" + _STAMPS + _USER + _EMAILS,
        """
email_addresses | EmailAddresses | email_addr_bean_rel(bean_id, email_address_id) | bean_module=Users
""",
    ),
    ("EmailAddresses", "EmailAddresses", "email_addresses", _ID + _ADDRESS, ""),
)

# table -> columns besides id, date_modified and deleted; the first two are the pair
JOIN_TABLES: dict[str, tuple[str, ...]] = {
    "email_addr_bean_rel": ("bean_id", "email_address_id", "bean_module", "primary_address INTEGER"),
    "accounts_contacts": ("contact_id", "account_id"),
    "accounts_opportunities": ("opportunity_id", "account_id"),
    "opportunities_contacts": ("opportunity_id", "contact_id", "contact_role"),
    "prospect_lists_prospects": ("prospect_list_id", "related_id", "related_type"),
    "prospect_list_campaigns": ("prospect_list_id", "campaign_id"),
    "calls_leads": ("call_id", "lead_id"),
    "calls_contacts": ("call_id", "contact_id"),
}
