"""The modules of a fresh Sugar, as text: one link a line (read by `modules`).

Link: name | module | table(own id, other id) | flags.
"""

from . import catalogue_fields as fields


def _person_links(module: str) -> str:
    return f"""
email_addresses | EmailAddresses | email_addr_bean_rel(bean_id, email_address_id) | bean_module={module}
prospect_lists | ProspectLists | prospect_lists_prospects(related_id,prospect_list_id) | related_type={module}
notes           | Notes          | notes(parent_id, id) | parent_type={module}
tasks           | Tasks          | tasks(parent_id, id) | parent_type={module}
calls           | Calls          | calls(parent_id, id) | parent_type={module}
meetings        | Meetings       | meetings(parent_id, id) | parent_type={module}
campaigns       | Campaigns      | {module.lower()}(id, campaign_id)
"""


# name, label, table, fields, links
MODULES: tuple[tuple[str, str, str, str, str], ...] = (
    ("Leads", "Leads", "leads", fields.PERSON + fields.LEAD + fields.CAMPAIGN, _person_links("Leads")),
    (
        "Contacts",
        "Contacts",
        "contacts",
        fields.PERSON + fields.CONTACT + fields.CAMPAIGN,
        _person_links("Contacts")
        + """
accounts      | Accounts      | accounts_contacts(contact_id, account_id)
opportunities | Opportunities | opportunities_contacts(contact_id, opportunity_id) | +contact_role
leads         | Leads         | leads(contact_id, id)
""",
    ),
    (
        "Prospects",
        "Targets",
        "prospects",
        fields.PERSON + fields.TARGET + fields.CAMPAIGN,
        _person_links("Prospects"),
    ),
    (
        "Accounts",
        "Accounts",
        "accounts",
        fields.NAMED + fields.ACCOUNT + fields.EMAILS,
        """
email_addresses | EmailAddresses | email_addr_bean_rel(bean_id, email_address_id) | bean_module=Accounts
contacts        | Contacts       | accounts_contacts(account_id, contact_id)
opportunities   | Opportunities  | accounts_opportunities(account_id, opportunity_id)
leads           | Leads          | leads(account_id, id)
notes           | Notes          | notes(parent_id, id) | parent_type=Accounts
tasks           | Tasks          | tasks(parent_id, id) | parent_type=Accounts
calls           | Calls          | calls(parent_id, id) | parent_type=Accounts
meetings        | Meetings       | meetings(parent_id, id) | parent_type=Accounts
prospect_lists | ProspectLists | prospect_lists_prospects(related_id,prospect_list_id) | related_type=Accounts
""",
    ),
    (
        "Opportunities",
        "Opportunities",
        "opportunities",
        fields.NAMED + fields.OPPORTUNITY + fields.CAMPAIGN,
        """
accounts | Accounts | accounts_opportunities(opportunity_id, account_id)
contacts | Contacts | opportunities_contacts(opportunity_id, contact_id) | +contact_role
leads    | Leads    | leads(opportunity_id, id)
notes    | Notes    | notes(parent_id, id) | parent_type=Opportunities
tasks    | Tasks    | tasks(parent_id, id) | parent_type=Opportunities
calls    | Calls    | calls(parent_id, id) | parent_type=Opportunities
meetings | Meetings | meetings(parent_id, id) | parent_type=Opportunities
""",
    ),
    (
        "Notes",
        "Notes",
        "notes",
        fields.NAMED + fields.NOTE + fields.ACTIVITY,
        "contact | Contacts | notes(id, contact_id)",
    ),
    (
        "Tasks",
        "Tasks",
        "tasks",
        fields.NAMED + fields.TASK + fields.ACTIVITY,
        "contacts | Contacts | tasks(id, contact_id)",
    ),
    (
        "Calls",
        "Calls",
        "calls",
        fields.NAMED + fields.CALL,
        """
leads    | Leads    | calls_leads(call_id, lead_id)
contacts | Contacts | calls_contacts(call_id, contact_id)
""",
    ),
    (
        "Meetings",
        "Meetings",
        "meetings",
        fields.NAMED + fields.MEETING,
        """
leads    | Leads    | meetings_leads(meeting_id, lead_id)
contacts | Contacts | meetings_contacts(meeting_id, contact_id)
""",
    ),
    (
        "Campaigns",
        "Campaigns",
        "campaigns",
        fields.NAMED + fields.CAMPAIGN_FIELDS,
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
        fields.NAMED + fields.LIST,
        """
leads     | Leads     | prospect_lists_prospects(prospect_list_id, related_id) | related_type=Leads
contacts  | Contacts  | prospect_lists_prospects(prospect_list_id, related_id) | related_type=Contacts
prospects | Prospects | prospect_lists_prospects(prospect_list_id, related_id) | related_type=Prospects
accounts  | Accounts  | prospect_lists_prospects(prospect_list_id, related_id) | related_type=Accounts
users     | Users     | prospect_lists_prospects(prospect_list_id, related_id) | related_type=Users
campaigns | Campaigns | prospect_list_campaigns(prospect_list_id, campaign_id)
""",
    ),
    (
        "Users",
        "Users",
        "users",
        fields.USER,
        """
email_addresses | EmailAddresses | email_addr_bean_rel(bean_id, email_address_id) | bean_module=Users
teams           | Teams          | team_memberships(user_id, team_id)
""",
    ),
    (
        "Teams",
        "Teams",
        "teams",
        fields.TEAM,
        "users | Users | team_memberships(team_id, user_id)",
    ),
    ("WebLogicHooks", "Web Logic Hooks", "weblogichooks", fields.NAMED + fields.WEB_LOGIC_HOOK, ""),
    ("EmailAddresses", "EmailAddresses", "email_addresses", fields.ID + fields.ADDRESS, ""),
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
    "meetings_leads": ("meeting_id", "lead_id"),
    "meetings_contacts": ("meeting_id", "contact_id"),
    "team_memberships": ("team_id", "user_id"),
    "team_sets_teams": ("team_set_id", "team_id"),
}
