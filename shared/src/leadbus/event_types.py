"""The types of marketing event: one table, one row more for one type more."""

from dataclasses import dataclass
from enum import StrEnum


class EventType(StrEnum):
    """What a prospect did, or what reached it."""

    EMAIL_OPEN = "email_open"
    EMAIL_CLICK = "email_click"
    EMAIL_UNSUBSCRIBE = "email_unsubscribe"
    WEB_VIEW = "web_view"
    WEB_CLICK = "web_click"
    FORM_SUBMISSION = "form_submission"
    TELEQUALIFICATION = "telequalification"
    SMS_DELIVERED = "sms_delivered"
    SMS_CLICK = "sms_click"
    SUPPLIER_EVENT = "supplier_event"
    LINK_CONVERSION = "link_conversion"
    EMAIL_SENT = "email_sent"
    EMAIL_BOUNCE = "email_bounce"


@dataclass(frozen=True, slots=True)
class Trait:
    """What the platform knows of one event type.

    number: how stored rows name the type; never reused.
    label: how a salesperson reads it in the CRM.
    millipoints: default points, in 1/1000.
    for_crm: whether it may be written to a CRM.
    always_traced: whether each one is followed by a trace of its own.
    """

    number: int
    label: str
    millipoints: int
    for_crm: bool = True
    always_traced: bool = False


TRAITS: dict[EventType, Trait] = {
    EventType.EMAIL_OPEN: Trait(1, "Opened an email", 2_000),
    EventType.EMAIL_CLICK: Trait(2, "Clicked a link in an email", 5_000),
    EventType.EMAIL_UNSUBSCRIBE: Trait(3, "Unsubscribed from emails", -20_000),
    EventType.WEB_VIEW: Trait(4, "Viewed a web page", 3_000),
    EventType.WEB_CLICK: Trait(5, "Clicked on a web page", 4_000),
    EventType.FORM_SUBMISSION: Trait(6, "Submitted a form", 20_000, always_traced=True),
    EventType.TELEQUALIFICATION: Trait(7, "Was qualified by telephone", 30_000),
    EventType.SMS_DELIVERED: Trait(8, "Received a text message", 0),
    EventType.SMS_CLICK: Trait(9, "Clicked a link in a text message", 5_000),
    EventType.SUPPLIER_EVENT: Trait(10, "Took part in a supplier's event", 10_000),
    EventType.LINK_CONVERSION: Trait(11, "Converted on a link", 15_000),
    EventType.EMAIL_SENT: Trait(12, "Was sent an email", 0, for_crm=False),
    EventType.EMAIL_BOUNCE: Trait(13, "An email bounced", -5_000, for_crm=False),
}

CRM_EVENT_TYPES: frozenset[EventType] = frozenset(t for t, trait in TRAITS.items() if trait.for_crm)
BY_NUMBER: dict[int, EventType] = {trait.number: t for t, trait in TRAITS.items()}
