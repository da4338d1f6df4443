"""What a CRM is told of a campaign at each level, under which id, and what is kept of its answer."""

from dataclasses import replace
from datetime import date

import pytest
from paper import CRM, NOON, connection, minute

from leadbus.connector.campaigning.campaign import Campaign, CampaignLink, as_sent, campaign_id
from leadbus.connector.checking.rights import right_findings
from leadbus.connector.contract import CampaignAsSent, CampaignThere
from leadbus.connector.delivering.parts import Parked
from leadbus.messages import CampaignFacts, Record

FACTS = CampaignFacts(
    campaign_id="fair",
    name="Fair of May",
    status="paused",
    description="Engines",
    starts_on=date(2026, 5, 1),
    budget="1200.50",
    currency="EUR",
    sync=True,
)
CAMPAIGN = Campaign("acme", "fair", FACTS, NOON, "e1")
THERE = CampaignThere(Record(module="Campaigns", id="k1"))


def link(**how):
    return CampaignLink(**{"connection_id": "one", "organisation_id": "org", "tenant_id": "acme"} | how)


def fair(**how):
    return link(campaign_id="fair", **how)


def test_by_its_name_alone_nothing_else_is_said():
    sent = as_sent(CAMPAIGN, fair(there=THERE), "name", "")
    assert sent == CampaignAsSent(id=campaign_id(fair(), ""), name="Fair of May", there=THERE)


def test_in_full_all_that_is_known_is_said():
    sent = as_sent(CAMPAIGN, fair(), "full", "")
    assert (sent.status, sent.description, sent.budget, sent.currency) == (
        "paused",
        "Engines",
        "1200.50",
        "EUR",
    )
    assert (sent.starts_on, sent.ends_on) == (date(2026, 5, 1), None)


def test_the_id_is_that_of_the_tenant_and_team_whichever_connection_asks():
    ours = campaign_id(fair(), "")
    assert campaign_id(fair(connection_id="two"), "") == ours
    others = [
        campaign_id(fair(tenant_id="globex"), ""),
        campaign_id(fair(organisation_id="other"), ""),
        campaign_id(fair(), "West"),
        campaign_id(link(campaign_id="other"), ""),
    ]
    assert len({ours, *others}) == 5


def test_a_refusal_lasts_until_the_campaign_is_told():
    owed = fair(due=True, begun="Fair of May", attempts=3)
    owed.is_refused(CAMPAIGN, "full", Parked("no", minute(1)))
    assert (owed.due, owed.attempts, owed.begun, owed.event_id, owed.level) == (False, 0, None, "e1", "full")
    assert owed.refused is not None
    owed.is_refused(CAMPAIGN, "name", Parked("deleted", minute(1)), gone=True)
    assert (owed.gone, owed.level) == (True, "name")
    owed.is_told(CAMPAIGN, "full")
    assert (owed.refused, owed.gone) == (None, False)


LISTS = replace(CRM, campaigns="Campaigns", modules={**CRM.modules, "list": ("Lists",)})
BOTH = frozenset({"read", "write"})
ALL = dict.fromkeys(("Leads", "Contacts", "Accounts", "Campaigns", "Lists"), BOTH)


@pytest.mark.parametrize("module", ["Campaigns", "Lists"])
def test_campaigns_ask_for_rights_to_them_and_to_the_lists_of_their_members(module):
    has = ALL | {module: frozenset({"read"})}
    settings = connection().settings
    assert all(finding.ok for finding in right_findings(settings, LISTS, has))
    wanted = connection(campaigns="name").settings
    wrong = [finding for finding in right_findings(wanted, LISTS, has) if not finding.ok]
    assert [finding.what for finding in wrong] == [f"The CRM's user may not write {module}."]
    assert all(finding.ok for finding in right_findings(wanted, LISTS, ALL))


def test_where_a_campaign_is_a_list_no_right_to_other_lists_is_asked_for():
    crm = replace(CRM, campaigns="Campaigns", modules={**CRM.modules, "list": ("Campaigns", "Tags")})
    has = ALL | {"Tags": frozenset({"read"})}
    assert all(finding.ok for finding in right_findings(connection(campaigns="name").settings, crm, has))
