"""What one lead does, from the first visit to the last email: marketing events as ingest takes them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sandbox.upstream.figures import Profile
from sandbox.upstream.people import Person

Event = dict[str, Any]

CAMPAIGN = "c-spring"
SITE = "https://www.example.com"
MOST_KNOWN_VIEWS = 16
"""After so many pages a person is seen as an anonymous visitor again, as after deleting one's cookies."""

_PAGES = (
    ("/", "Welcome"),
    ("/courses", "All courses"),
    ("/courses/data?level=1&lang=en", "Data, level 1"),
    ("/prix/été", "Tarifs d'été"),
    ("/preise", "Preise & Rabatte"),
    ("/контакты", "Контакты"),
    ("/blog/how-to-choose", "How to choose a course"),
    ("/stories", "What our students say"),
)
_SUBJECTS = (
    "Spring offers",
    "Your course begins soon",
    "Köln: Tag der offenen Tür",
    "3 places left",
    "Привет!",
)
_REFERRERS = {
    "Google": "https://www.google.example/search",
    "Organic Search": "https://duckduckgo.example/",
    "Referral Sites": "https://partner.example.net/courses",
    "Welingak Website": "https://welingak.example.org/",
}
_UTM = {
    "Google": ("google", "cpc"),
    "Organic Search": ("search", "organic"),
    "Olark Chat": ("chat", "chat"),
    "Reference": ("reference", "word of mouth"),
    "Referral Sites": ("partner", "referral"),
    "Welingak Website": ("welingak", "referral"),
}
_NETWORKS = (
    ("Example Telecom", True),
    ("Example University", False),
    ("Harbour Lights", False),
    ("Beispiel-Netz", True),
)
_OFFSETS = (UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-5, minutes=-30)))

# What the figures call the last activity -> types of event that it stands for.
_LAST: dict[str, tuple[str, ...]] = {
    "Email Opened": ("email_sent", "email_open"),
    "Email Link Clicked": ("email_sent", "email_open", "email_click"),
    "Email Bounced": ("email_sent", "email_bounce"),
    "SMS Sent": ("sms_delivered",),
    "Olark Chat Conversation": ("web_click",),
    "Page Visited on Website": ("web_view",),
    "Converted to Lead": ("form_submission",),
    "Form Submitted on Website": ("form_submission",),
    "Unreachable": ("sms_delivered",),
    "Other": ("email_unsubscribe",),
}
# What became of a lead that was won, and of how many; of a lost one, a tenth as often.
_SIGNS = (("telequalification", 0.35), ("link_conversion", 0.4), ("supplier_event", 0.3), ("sms_click", 0.25))


class Journey:
    """One lead's events, in the order they happen, at least two seconds apart."""

    def __init__(
        self, rng: random.Random, profile: Profile, person: Person, visitor: str, begins: datetime
    ) -> None:
        self._rng = rng
        self._profile = profile
        self._person = person
        self._visitor = visitor
        self._at = begins
        self._known = profile.origin in {"Lead Add Form", "Other"}
        self._views = 0

    def events(self) -> Iterator[Event]:
        """The events, without ids."""
        if self._known:
            yield from self._mailing()
        for visit in range(self._profile.visits):
            yield from self._visit(f"{self._visitor}-{visit}", first=visit == 0)
        if self._known or self._profile.won:
            self._known = True
            yield from self._aftermath()

    def _visit(self, visit_id: str, *, first: bool) -> Iterator[Event]:
        self._at += timedelta(minutes=self._rng.randint(1, 40))
        for page in range(max(1, round(self._profile.pages))):
            yield self._web("web_view", visit_id, landing=page == 0)
            if self._rng.random() < 0.15:
                yield self._web("web_click", visit_id)
        if first and self._profile.origin == "Landing Page Submission":
            self._known = True
            yield self._form()

    def _aftermath(self) -> Iterator[Event]:
        for type_ in _LAST[self._profile.last_activity]:
            yield self._form() if type_ == "form_submission" else self._reached(type_)
        weight = 1.0 if self._profile.won else 0.1
        for type_, share in _SIGNS:
            if self._rng.random() < share * weight:
                yield self._reached(type_)
        if self._profile.won:
            yield self._form()
            yield from self._mailing()
        if self._profile.do_not_email:
            yield self._reached("email_unsubscribe")

    def _mailing(self) -> Iterator[Event]:
        if not self._profile.do_not_email:
            chain = ("email_sent", "email_open", "email_click")
            for type_ in chain[: self._rng.choice((1, 2, 2, 3))]:
                yield self._reached(type_)

    def _event(self, type_: str, **facts: Any) -> Event:
        self._at += timedelta(seconds=self._rng.randint(2, 90))
        at = self._at.astimezone(self._rng.choice(_OFFSETS)).isoformat()
        return {"type": type_, "occurred_at": at, **{k: v for k, v in facts.items() if v is not None}}

    def _web(self, type_: str, visit_id: str, *, landing: bool = False) -> Event:
        path, title = self._rng.choice(_PAGES)
        facts: Event = {"visitor_id": self._visitor, "visit_id": visit_id, "url": SITE + path, "title": title}
        source = self._profile.source
        if landing:
            facts["referrer"] = _REFERRERS.get(source)
            if source in _UTM:
                utm_source, medium = _UTM[source]
                facts["attribution"] = {"source": utm_source, "medium": medium, "campaign": CAMPAIGN}
            if self._rng.random() < 0.3:
                owner, provider = self._rng.choice(_NETWORKS)
                facts["network"] = {"owner": owner, "access_provider": provider}
        if type_ == "web_click":
            facts["subject"] = self._rng.choice(("Download brochure", "Start chat", "Play video"))
        self._views += 1
        if self._known and self._views <= MOST_KNOWN_VIEWS:
            facts["email"] = self._person.spelled(self._rng)
        return self._event(type_, **facts)

    def _form(self) -> Event:
        fields = {k: self._person.fields[k] for k in ("first_name", "last_name", "company", "phone")}
        facts: Event = {"subject": "Request information", "url": f"{SITE}/contact", "fields": fields}
        if self._profile.occupation != "Other":
            facts["fields"] = fields | {"title": self._profile.occupation}
        return self._event(
            "form_submission", email=self._person.spelled(self._rng), visitor_id=self._visitor, **facts
        )

    def _reached(self, type_: str) -> Event:
        link = f"{SITE}/offers?m=7" if type_ in {"email_click", "sms_click", "link_conversion"} else None
        return self._event(
            type_,
            email=self._person.spelled(self._rng),
            subject=self._rng.choice(_SUBJECTS),
            url=link,
            campaign_id=CAMPAIGN,
        )
