"""Qualifying leads: what becomes of one. Source: Microsoft's reference of QualifyLead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import CrmError
from .record import Record, Reference, Values

if TYPE_CHECKING:
    from .records import Records

_QUALIFIED = 1
_TO_CONTACT = (
    "firstname middlename lastname salutation jobtitle emailaddress1 emailaddress2 emailaddress3 telephone1"
    " telephone2 mobilephone fax websiteurl description address1_line1 address1_line2 address1_line3"
    " address1_city address1_stateorprovince address1_postalcode address1_country donotbulkemail donotemail"
    " donotphone"
)
_TO_ACCOUNT: Mapping[str, str] = {
    "companyname": "name",
    "websiteurl": "websiteurl",
    "telephone1": "telephone1",
    "emailaddress1": "emailaddress1",
    "address1_city": "address1_city",
    "address1_country": "address1_country",
}


@dataclass(frozen=True, slots=True)
class Qualification:
    """account, contact, opportunity: to be created. status: of the lead then.

    currency, customer, campaign: of the opportunity.
    """

    account: bool = False
    contact: bool = False
    opportunity: bool = False
    status: int = 3
    currency: Reference | None = None
    customer: Reference | None = None
    campaign: Reference | None = None


def qualify(records: Records, lead: Record, wish: Qualification) -> list[Record]:
    """What has been created, in the order account, contact, opportunity.

    Raises CrmError: the lead is not open, the status is none of a qualified lead, a privilege is missing.
    """
    if lead.values["statecode"] == _QUALIFIED:
        raise CrmError("InvalidState")
    status = records.entity("lead").attributes["statuscode"].option(wish.status)
    if status is None or status.state != _QUALIFIED:
        raise CrmError("InvalidStateCodeStatusCode")
    made: list[Record] = []
    account = contact = None
    if wish.account and lead.values.get("companyname"):
        if not records.site.may(records.caller.user, "create", "account"):
            raise CrmError("CannotQualifyLead")
        account = _made(
            records,
            made,
            "account",
            {there: lead.values.get(here) for here, there in _TO_ACCOUNT.items()},
            lead,
        )
    if wish.contact:
        values = {name: lead.values.get(name) for name in _TO_CONTACT.split()}
        parent = account or lead.values.get("parentaccountid")
        contact = _made(records, made, "contact", values | {"parentcustomerid": parent}, lead)
    contact = contact or lead.values.get("parentcontactid")
    account = account or lead.values.get("parentaccountid")
    links: Values = {"parentcontactid": contact, "parentaccountid": account}
    if wish.opportunity:
        values = {
            "name": lead.values.get("subject") or lead.values.get("fullname"),
            "customerid": wish.customer or account or contact,
            "campaignid": wish.campaign or lead.values.get("campaignid"),
            "transactioncurrencyid": wish.currency or lead.values.get("transactioncurrencyid"),
            "estimatedvalue": lead.values.get("estimatedamount"),
        }
        links["qualifyingopportunityid"] = _made(records, made, "opportunity", values | links, lead)
    state: Values = {"statecode": _QUALIFIED, "statuscode": wish.status}
    # Dynamics itself writes the links; no plug-in of the customer's is asked about them (assumed).
    lead.values |= {name: value for name, value in (links | state).items() if value is not None}
    lead.values["modifiedon"] = records.site.store.now()
    lead.values["modifiedby"] = Reference("systemuser", records.caller.user)
    records.site.store.save(lead)
    return made


def _made(records: Records, made: list[Record], entity: str, values: Values, lead: Record) -> Reference:
    given = {name: value for name, value in values.items() if value is not None}
    owner = {"ownerid": lead.values["ownerid"], "originatingleadid": lead.reference}
    record = records.create(entity, given | owner)
    made.append(record)
    return record.reference
