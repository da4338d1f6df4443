"""The fields of the modules, as text: `name | type(length) | label | flags` (read by `modules`).

Not every column of the real tables is here, but every one that a marketing connector touches. Flags:
`required`, `computed` (no column), `custom` (in the _cstm table), `modern` (only modern REST shows it),
`teams` (only on a site with teams), `cased` (upper and lower case differ), `default=`, `options=`.
"""

STAMPS = """
date_entered     | datetime    | Date Created      | options=date_range_search_dom
date_modified    | datetime    | Date Modified     | options=date_range_search_dom
modified_user_id | id(36)      | Modified By
modified_by_name | relate      | Modified By Name  | computed
created_by       | id(36)      | Created By
created_by_name  | relate      | Created By        | computed
description      | text        | Description:
deleted          | bool        | Deleted           | default=0
"""
ASSIGNED = """
assigned_user_id   | relate(36) | Assigned User:
assigned_user_name | relate     | Assigned to:      | computed
team_id            | id(36)     | Team Id           | teams
team_set_id        | id(36)     | Team Set ID       | teams
team_name          | relate(36) | Teams             | computed, teams
sync_key           | varchar(100) | Integration Sync ID | modern
my_favorite        | bool       | Favorite          | computed, modern
following          | bool       | Following         | computed, modern
"""
ID = "id | id(36) | ID | required\n"
NAMED = ID + "name | name(255) | Name: | required" + STAMPS + ASSIGNED

EMAILS = """
email         | email        | Email Address        | computed, modern
email1        | varchar(255) | Email Address:       | computed
email2        | varchar(255) | Other Email:         | computed
invalid_email | bool         | Invalid Email:       | computed
email_opt_out | bool         | Email Opt Out:       | computed
"""
PERSON = (
    ID
    + "name | name(255) | Name | computed"
    + STAMPS
    + ASSIGNED
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
    + EMAILS
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
TARGET = """
account_name | varchar(150) | Account Name:
birthdate    | date         | Birthdate:
lead_id      | id(36)       | Lead Id
"""
CAMPAIGN = """
campaign_id   | id(36)       | Campaign ID
campaign_name | relate       | Campaign:   | computed
"""
LEAD = """
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
CONTACT = """
account_id   | relate(36)   | Account ID:      | computed
account_name | relate(255)  | Account Name:    | computed
lead_source  | enum(255)    | Lead Source:     | options=lead_source_dom
reports_to_id | id(36)      | Reports to ID:
birthdate    | date         | Birthdate:
lead_score_c | int(11)      | Lead Score       | custom
"""
ACTIVITY = """
parent_type  | parent_type(255) | Parent Type:
parent_id    | id(36)           | Parent ID:
parent_name  | parent           | Related To:      | computed
contact_id   | id(36)           | Contact ID:
contact_name | relate           | Contact Name:    | computed
"""
TASK = """
status          | enum(100) | Status:     | options=task_status_dom
date_due_flag   | bool      | No Due Date | default=0
date_due        | datetime  | Due Date:   | options=date_range_search_dom
date_start_flag | bool      | No Start Date | default=0
date_start      | datetime  | Start Date: | options=date_range_search_dom
priority        | enum(100) | Priority:   | options=task_priority_dom
"""
APPOINTMENT = """
status           | enum(100) | Status:         | options=call_status_dom
duration_hours   | int(2)    | Duration Hours:
duration_minutes | int(2)    | Duration Minutes:
date_start       | datetime  | Start Date & Time: | options=date_range_search_dom
date_end         | datetime  | End Date:
parent_type      | parent_type(255) | Parent Type:
parent_id        | id(36)    | Parent ID:
parent_name      | parent    | Related To:     | computed
"""
CALL = "direction | enum(100) | Direction: | options=call_direction_dom" + APPOINTMENT
MEETING = "location | varchar(50) | Location:" + APPOINTMENT
NOTE = """
filename       | file(255)    | Attachment:
file_mime_type | varchar(100) | Mime Type
"""
OPPORTUNITY = """
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
ACCOUNT = """
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
# Source: vardefs of SuiteCRM 7.12 (both names are shorter than others there).
CAMPAIGN_FIELDS = """
name          | name(50)  | Name:         | required
start_date    | date      | Start Date:
end_date      | date      | End Date:     | required
status        | enum(100) | Status:       | required, options=campaign_status_dom
campaign_type | enum(100) | Type:         | required, options=campaign_type_dom
currency_id   | id(36)    | Currency:
budget        | currency  | Budget:
expected_cost | currency  | Expected Cost:
actual_cost   | currency  | Actual Cost:
objective     | text      | Objective:
content       | text      | Description:
"""
LIST = """
name        | name(50)     | Name:   | required
list_type   | enum(100)    | Type:   | options=prospect_list_type_dom
domain_name | varchar(255) | Domain:
"""
USER = (
    ID
    + "name | name(255) | Name | computed"
    + STAMPS
    + """
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
    + EMAILS
)
TEAM = (
    ID
    + """
name               | name(128)    | Primary Team Name | required, cased
name_2             | name(128)    | Name 2
private            | bool         | Private           | default=0
associated_user_id | id(36)       | Associated User
"""
    + STAMPS
)
WEB_LOGIC_HOOK = """
webhook_target_module | enum(255) | Target Module  | required
request_method        | enum(255) | Request Method | default=POST
url                   | url(255)  | URL            | required
trigger_event         | enum(255) | Trigger        | required
"""
ADDRESS = """
email_address      | varchar(255) | Email Address        | required
email_address_caps | varchar(255) | Email Address caps   | required
invalid_email      | bool         | Invalid Email        | default=0
opt_out            | bool         | Opted Out            | default=0
date_created       | datetime     | Date Created
date_modified      | datetime     | Date Modified
deleted            | bool         | Deleted              | default=0
"""
