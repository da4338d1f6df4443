"""Schema names, which OData v2 has in place of logical ones: `EMailAddress1` for `emailaddress1`.

Only the case of letters differs. Words with a look of their own, and how names are made of them, are those of
Microsoft's entity reference; a name in which a word is unknown has one capital less.
"""

import re
from collections.abc import Mapping
from functools import cache

_WORDS = """
Access Account Active Activity Actual Address Administrator Additional Amount Annotation Annual Application
Assistant Attributes Back Balance Base Behalf Billed Birth Blob Body Budget Bulk Business By Calculated
Calculation Callback Campaign Capture Card Category Channel Children Classification Close Closed Code
Comments Communication Company Complete Competitors Confirm Contact Cost Country County Created Credit
Currency Current Customer Date Day Days Deals Debrief Decision Default Department Description Develop
Direction Directory Disabled Discount Document Domain Duration EMail Employees Employment End Engagement
Entity Error Estimated Evaluate Event Expected Expire Family Fax Feedback File Filters Final First Fit
Follow For Freight From Full Gender Group Hold Has Id Identify In Inactive Income Industry Initial Interest
Internal Is ISO Item Job Language Last Latitude Lead Less Level License Limit Line List Locale Location Lock
Longitude Made Manager Marketing Master Member Members Membership Merged Message Middle Mime Minutes Mobile
Modified Name Need New Nick Note Number Object Objective Of Office On Only Open Opportunity Organization
Originating Other Out Owner Ownership Owning Pain Parent Participates Payment Percent Percentage Personal
Phone Points Postal Post Box Precision Present Price Pricing Primary Priority Private Probability Process
Processed Profile Proposal Proposed Prospect Purchase Purpose Pursuit Quality Qualification Qualify
Qualifying Query Rate Rating Received Record Regarding Related Response Resolve Revenue Review Role Sales
Salutation Schedule Scheduled SIC Send Sent Set Shipping Situation Size Skip Solution Source Spouses Stage
Start State Status Stock Sub Subject Suffix Symbol System Task Tax Team Telephone Template Terms Territory
Text Thank Time Timeframe Timeline Title To Total Transaction All Budgeted Childrens Contacts Count
Education Fetch Mail Maker Meeting Method Mode Promotion Type UPS Up User UTC Value Version Web Site URL
Workflow You Zone Offset Or Province City Street DoNot Used
"""
_KNOWN: Mapping[str, str] = {word.lower(): word for word in _WORDS.split()} | {
    "donot": "DoNot",
    "mm": "MM",
    "websiteurl": "WebSiteUrl",
}
_PARTS = re.compile(r"[a-z]+|[^a-z]+")
_ENTITIES: Mapping[str, str] = {
    "activityparty": "ActivityParty",
    "activitypointer": "ActivityPointer",
    "campaignitem": "CampaignItem",
    "campaignresponse": "CampaignResponse",
    "listmember": "ListMember",
    "phonecall": "PhoneCall",
    "systemuser": "SystemUser",
    "transactioncurrency": "TransactionCurrency",
}


@cache
def schema_name(logical: str) -> str:
    """Of an attribute."""
    return "".join(_capitals(part) for part in _PARTS.findall(logical))


def entity_name(logical: str) -> str:
    """Of an entity; `<name>Set` is where its records are."""
    return _ENTITIES.get(logical, logical.capitalize())


@cache
def _capitals(letters: str) -> str:
    return "".join(_split(letters) or [letters.capitalize()])


@cache
def _split(letters: str) -> tuple[str, ...] | None:
    """In known words, long ones first; None if it is not made of them."""
    if not letters:
        return ()
    for end in range(len(letters), 0, -1):
        word, rest = _KNOWN.get(letters[:end]), None
        if word is not None:
            rest = _split(letters[end:])
        if word is not None and rest is not None:
            return (word, *rest)
    return None
