"""The topics: each declared once; schemas, AsyncAPI and provisioning come from here."""

from dataclasses import dataclass
from datetime import timedelta

from leadbus.messages import (
    AccountChanged,
    CampaignChanged,
    ConnectionChanged,
    ContactChanged,
    CrmActivityChanged,
    CrmListChanged,
    CrmNotification,
    DeliveryReported,
    LeadActivities,
    LeadAnswered,
    LeadDistributed,
    LeadFeedback,
    LeadListed,
    LeadQualified,
    LeadScored,
    LeadStatusChanged,
    ListChanged,
    MarketingEvent,
    Message,
    OpportunityChanged,
    ProspectErased,
    ProspectForgotten,
    ProspectJoined,
    ProspectLinked,
    ProspectUpdated,
    SubscriptionChanged,
    UserChanged,
)

PARTITIONS = 12
"""Of every topic about prospects, alike, so that one prospect's topics meet on one member of a group."""
DEAD_LETTER_PARTITIONS = 1
"""They are few, and one person reads them: in their order. What brokers carry is counted in partitions."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One stream of one kind of message.

    key: what the record's key is. retention: how long records stay; None = compacted, for ever.
    largest_record_bytes: None = what the broker takes by default (1 MiB).
    """

    name: str
    message: type[Message]
    key: str
    purpose: str
    partitions: int = PARTITIONS
    retention: timedelta | None = timedelta(days=30)
    largest_record_bytes: int | None = None

    @property
    def config(self) -> dict[str, str]:
        """The broker's settings. Its own clock stamps records: scores may rest on no sender's clock."""
        kept = (
            {"cleanup.policy": "compact"}
            if self.retention is None
            else {
                "cleanup.policy": "delete",
                "retention.ms": str(self.retention // timedelta(milliseconds=1)),
            }
        )
        largest = {"max.message.bytes": str(self.largest_record_bytes)} if self.largest_record_bytes else {}
        return {"message.timestamp.type": "LogAppendTime"} | kept | largest

    def dead_letters_of(self, consumer: str) -> str:
        """Where `consumer` puts records of this topic that it cannot read; they are the consumer's."""
        return f"{self.name}.{consumer}.dead"


MARKETING_EVENTS = Topic(
    "marketing.events", MarketingEvent, "prospect_id", "What prospects did, or what reached them."
)
LEADS_DISTRIBUTED = Topic(
    "leads.distributed", LeadDistributed, "prospect_id", "Leads that suppliers handed to tenants."
)
PROSPECTS_UPDATED = Topic(
    "prospects.updated",
    ProspectUpdated,
    "prospect_id",
    "Fields, consent, state, memberships and sync requests.",
)
PROSPECTS_LINKED = Topic(
    "prospects.linked", ProspectLinked, "prospect_id", "Visitors and old emails that became a person's."
)
PROSPECTS_JOINED = Topic(
    "prospects.joined",
    ProspectJoined,
    "prospect_id",
    "What was known of a visitor or an old email, and what still comes for it, for its person.",
    largest_record_bytes=2 * 1024 * 1024,
)
PROSPECTS_ERASED = Topic(
    "prospects.erased", ProspectErased, "prospect_id", "Whom all services are to forget."
)
PROSPECTS_FORGOTTEN = Topic(
    "prospects.forgotten", ProspectForgotten, "prospect_id", "Which service has forgotten whom."
)
MARKETING_CAMPAIGNS = Topic(
    "marketing.campaigns", CampaignChanged, "tenant_id:campaign_id", "Campaigns as they stand.", 1, None
)
MARKETING_LISTS = Topic("marketing.lists", ListChanged, "tenant_id:list_id", "Lists as they stand.", 1, None)
LEADS_SCORED = Topic("leads.scored", LeadScored, "prospect_id", "Scores whose rounded value changed.")
LEADS_QUALIFIED = Topic(
    "leads.qualified", LeadQualified, "prospect_id", "Prospects that exceeded a connection's threshold."
)
LEADS_ACTIVITIES = Topic(
    "leads.activities", LeadActivities, "prospect_id", "Activities of prospects that some CRM was handed."
)
LEADS_LISTS = Topic(
    "leads.lists", LeadListed, "prospect_id", "Automatic lists by field value, and who came on or left them."
)
LEADS_ANSWERED = Topic(
    "leads.answered", LeadAnswered, "prospect_id", "Distributed leads that were accepted or rejected."
)
LEADS_FEEDBACK = Topic(
    "leads.feedback", LeadFeedback, "prospect_id", "Answers to distributions as they stand, for suppliers."
)
CRM_LEAD_STATUS = Topic(
    "crm.lead-status", LeadStatusChanged, "prospect_id", "Lead statuses changed in a CRM."
)
CRM_OPPORTUNITIES = Topic(
    "crm.opportunities", OpportunityChanged, "prospect_id", "Opportunities with our leads."
)
CRM_CONTACTS = Topic(
    "crm.contacts", ContactChanged, "prospect_id", "Leads, contacts and targets as they stand in a CRM."
)
CRM_SUBSCRIPTIONS = Topic(
    "crm.subscriptions", SubscriptionChanged, "prospect_id", "Opt-outs and opt-ins made in a CRM."
)
CRM_ACTIVITIES = Topic(
    "crm.activities", CrmActivityChanged, "prospect_id", "What salespeople did with prospects, or plan to."
)
CRM_ACCOUNTS = Topic(
    "crm.accounts", AccountChanged, "connection_id:record", "Companies as they stand in a CRM.", 1, None
)
CRM_USERS = Topic(
    "crm.users", UserChanged, "connection_id:record", "Users of a CRM, who can own leads.", 1, None
)
CRM_LISTS = Topic("crm.lists", CrmListChanged, "connection_id:record", "Lists of a CRM, and who is on them.")
CRM_DELIVERIES = Topic(
    "crm.deliveries", DeliveryReported, "prospect_id", "What became of what a CRM was owed."
)
CRM_CONNECTIONS = Topic(
    "crm.connections", ConnectionChanged, "connection_id", "Connections as they stand.", 1, None
)
CRM_NOTIFICATIONS = Topic(
    "crm.notifications",
    CrmNotification,
    "connection_id",
    "What CRMs pushed to hooks, as they sent it, for their connectors to read.",
    retention=timedelta(days=2),
    largest_record_bytes=1536 * 1024,  # 1 MiB in base64, and what stands around it
)

TOPICS: tuple[Topic, ...] = (
    MARKETING_EVENTS,
    LEADS_DISTRIBUTED,
    PROSPECTS_UPDATED,
    PROSPECTS_LINKED,
    PROSPECTS_JOINED,
    PROSPECTS_ERASED,
    PROSPECTS_FORGOTTEN,
    MARKETING_CAMPAIGNS,
    MARKETING_LISTS,
    LEADS_SCORED,
    LEADS_QUALIFIED,
    LEADS_ACTIVITIES,
    LEADS_LISTS,
    LEADS_ANSWERED,
    LEADS_FEEDBACK,
    CRM_LEAD_STATUS,
    CRM_OPPORTUNITIES,
    CRM_CONTACTS,
    CRM_SUBSCRIPTIONS,
    CRM_ACTIVITIES,
    CRM_ACCOUNTS,
    CRM_USERS,
    CRM_LISTS,
    CRM_DELIVERIES,
    CRM_CONNECTIONS,
    CRM_NOTIFICATIONS,
)

BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}
