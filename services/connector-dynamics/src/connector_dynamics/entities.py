"""Entities that Leadbus reads and writes: what their sets and ids are called, in every version.

From the metadata of a real organisation (contract notes, [meta]).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entity:
    """set: as the Web API's addresses have it. id: the attribute that is its primary key."""

    set: str
    id: str


ENTITIES: Mapping[str, Entity] = {
    "account": Entity("accounts", "accountid"),
    "activityparty": Entity("activityparties", "activitypartyid"),
    "activitypointer": Entity("activitypointers", "activityid"),
    "annotation": Entity("annotations", "annotationid"),
    "campaign": Entity("campaigns", "campaignid"),
    "campaignitem": Entity("campaignitems", "campaignitemid"),
    "contact": Entity("contacts", "contactid"),
    "email": Entity("emails", "activityid"),
    "appointment": Entity("appointments", "activityid"),
    "lead": Entity("leads", "leadid"),
    "list": Entity("lists", "listid"),
    "listmember": Entity("listmembers", "listmemberid"),
    "opportunity": Entity("opportunities", "opportunityid"),
    "organization": Entity("organizations", "organizationid"),
    "phonecall": Entity("phonecalls", "activityid"),
    "privilege": Entity("privileges", "privilegeid"),
    "systemuser": Entity("systemusers", "systemuserid"),
    "task": Entity("tasks", "activityid"),
    "team": Entity("teams", "teamid"),
    "transactioncurrency": Entity("transactioncurrencies", "transactioncurrencyid"),
}
