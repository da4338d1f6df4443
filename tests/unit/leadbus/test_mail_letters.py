"""What mails say, to whom links in them belong, and where the mail server is: all without one."""

from datetime import UTC, datetime
from email.headerregistry import Address
from types import SimpleNamespace
from typing import Any

import pytest

from leadbus.connector.mailing.actions import Actions
from leadbus.connector.mailing.letters import IN_WORDS, LETTERS, MailKind, worded
from leadbus.connector.mailing.links import Links, Subscription
from leadbus.connector.mailing.mail import mails, shown
from leadbus.connector.mailing.new_leads import MOST_AT_ONCE, new_lead_mails
from leadbus.connector.mailing.smtp import MailServer, composed
from leadbus.event_types import EventType
from leadbus.ids import prospect_id
from leadbus.messages import Activity, Fields, LeadDistributed, LeadQualified
from leadbus.security.answer_links import AnswerLinks
from leadbus.security.secrets import SecretBox
from leadbus.settings import ConfigurationError

OLD, NEW = "A" * 43 + "=", "B" * 43 + "="
OFF = "https://leadbus.example/off"
AT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
STANDS: dict[str, Any] = {"url": None, "refused": "", "on": True, "taken": True}
STANDS |= {"answer_by": "", "actions": []}
LINKS = AnswerLinks(OLD, "https://feedback.example")


def connection(*, takes: bool = True, **settings: Any) -> Any:
    """As far as letters look at one. takes: leads of suppliers are told to the CRM."""
    known = {
        "tenant_id": "acme",
        "time_zone": "Europe/Berlin",
        "default_owners": ("owner@acme.example",),
        "answer_by": "email",
        "answer_field": None,
        "statuses": (),
    }
    known |= settings
    return SimpleNamespace(id="acme-sugar", settings=SimpleNamespace(**known), takes=lambda lead: takes)


def lead(email: str = "ada@initech.example", **facts: Any) -> dict[str, Any]:
    return {
        "tenant_id": "acme",
        "occurred_at": AT,
        "event_id": f"e-{email}",
        "prospect_id": prospect_id("acme", email=email),
        "email": email,
    } | facts


def distributed(distribution: str = "d-1", *, event: str = "e-1", **fields: str) -> LeadDistributed:
    facts = lead(event_id=event, received_at=AT, fields=Fields(**fields))
    return LeadDistributed(
        **facts, distribution_id=distribution, supplier_id="globex", supplier_name="Globex Corp"
    )


def qualified(email: str = "ada@initech.example", score: int = 63, *did: Activity) -> LeadQualified:
    facts = lead(email, version=1, score=score, millipoints=score * 1_000, activities=list(did))
    return LeadQualified(**facts, connection_id="acme-sugar", threshold=50, fields=Fields(first_name="Ada"))


def activity(kind: str, subject: str, minute: int) -> Activity:
    at = AT.replace(minute=minute)
    return Activity(event_id=f"a-{minute}", type=EventType(kind), occurred_at=at, subject=subject)


def test_a_distributed_lead_is_told_with_what_a_salesperson_needs() -> None:
    told = distributed(
        first_name="Ada",
        last_name="Nowak",
        company="Initech",
        phone="+49 30 1",
        comments="Wants a demo.\nCall after 3.",
    )
    (mail,) = new_lead_mails(connection(), [told])
    letter = worded(mail.letter, {**mail.facts, **STANDS}, OFF)
    assert (mail.recipient, mail.kind) == ("owner@acme.example", MailKind.NEW_LEAD)
    assert letter.subject == "New lead: Ada Nowak, Initech (from Globex Corp)"
    for fact in ("Globex Corp has a new lead for you", "Phone: +49 30 1", "  Wants a demo.\n  Call after 3."):
        assert fact in letter.text
    assert "It is on its way to your CRM." in letter.text
    assert OFF in letter.text
    assert OFF in letter.html


def test_a_qualified_lead_is_told_with_what_it_did_in_the_connections_time() -> None:
    did = activity("form_submission", "Request for a quote", 5), activity("email_open", "Our news", 1)
    (mail,) = new_lead_mails(connection(), [qualified("ada@initech.example", 63, *did)])
    letter = worded(mail.letter, {**mail.facts, **STANDS}, OFF)
    assert letter.subject == "New lead: Ada"
    assert "score 63" in letter.text
    rows = [row.strip() for row in letter.text.splitlines() if row.startswith("  22 Nov")]
    assert rows == [
        "22 Nov 14:01  Opened an email: Our news",
        "22 Nov 14:05  Submitted a form: Request for a quote",
    ]


@pytest.mark.parametrize(
    ("stands", "said"),
    [
        ({"url": "https://crm.example/1"}, "https://crm.example/1"),
        ({"refused": "Its phone is too long."}, "does not accept this lead yet: Its phone is too long."),
        ({"on": False}, "as soon as the connection acme-sugar is turned on"),
        ({"taken": False}, "The connection acme-sugar does not hand leads of suppliers to your CRM"),
    ],
)
def test_the_mail_says_how_the_lead_stands_in_the_crm(stands: dict[str, Any], said: str) -> None:
    (mail,) = new_lead_mails(connection(), [distributed()])
    letter = worded(mail.letter, {**mail.facts, **STANDS, **stands}, OFF)
    assert said in letter.text
    assert said in letter.html
    assert "on its way" not in letter.text


def test_a_distribution_is_accepted_or_rejected_by_links_of_its_recipient() -> None:
    (mail,) = new_lead_mails(connection(), [distributed()])
    actions = Actions(LINKS).of(mail)
    read = [LINKS.read(action["url"].rpartition("/")[2]) for action in actions["actions"]]
    assert [link and (link.answer, link.recipient, link.distribution_id) for link in read] == [
        ("accepted", "owner@acme.example", "d-1"),
        ("rejected", "owner@acme.example", "d-1"),
    ]
    assert not any("https://feedback" in str(value) for value in mail.facts.values())  # made when it goes out
    letter = worded(mail.letter, {**mail.facts, **STANDS, **actions}, OFF)
    for action in actions["actions"]:
        assert f"{action['label']}:\n{action['url']}" in letter.text
        assert f'<a href="{action["url"]}" style="display:inline-block' in letter.html


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"answer_by": "crm", "answer_field": object()}, "accept or reject this lead in your CRM; Globex"),
        ({"answer_by": "api"}, "accept or reject this lead in your own system; Globex"),
        ({"answer_by": "crm"}, "Please accept or reject this lead:"),
    ],
)
def test_the_mail_names_the_one_way_that_is_recommended_and_has_the_links_besides(
    settings: dict[str, Any], said: str
) -> None:
    (mail,) = new_lead_mails(connection(**settings), [distributed()])
    letter = worded(mail.letter, {**mail.facts, **STANDS, **Actions(LINKS).of(mail)}, OFF)
    assert said in letter.text
    assert said in " ".join(letter.html.split())
    assert (letter.text.count("https://feedback.example/"), letter.html.count("https://feedback")) == (2, 2)
    assert ("display:inline-block" in letter.html) is (said.endswith(":"))


def test_without_the_service_that_takes_answers_nobody_is_asked_to_follow_a_link() -> None:
    (mail,) = new_lead_mails(connection(), [distributed()])
    letter = worded(mail.letter, {**mail.facts, **STANDS, **Actions(None).of(mail)}, OFF)
    assert "reject" not in letter.text + letter.html


def test_who_qualified_is_nobodys_to_accept() -> None:
    (mail,) = new_lead_mails(connection(), [qualified()])
    assert Actions(LINKS).of(mail) == {"answer_by": "", "actions": []}


def test_a_distribution_sent_twice_is_the_same_mail_and_another_one_is_not() -> None:
    ids = [
        new_lead_mails(connection(), [distributed(name, event=event)])[0].id
        for name, event in (("d-1", "e-1"), ("d-1", "e-2"), ("d-2", "e-3"))
    ]
    assert ids[0] == ids[1] != ids[2]
    other_tenant = new_lead_mails(connection(tenant_id="bolt"), [distributed("d-1")])
    assert other_tenant[0].id not in ids


def test_two_suppliers_may_give_their_leads_the_same_number() -> None:
    other = distributed().model_copy(update={"supplier_id": "initech", "event_id": "e-2"})
    first, second = new_lead_mails(connection(), [distributed(), other])
    assert first.id != second.id


def test_who_is_not_handed_to_the_crm_is_not_to_be_answered_there() -> None:
    there = connection(takes=False, answer_by="crm", answer_field=object())
    (mail,) = new_lead_mails(there, [distributed()])
    assert Actions(LINKS).of(mail)["answer_by"] == "email"


def test_many_that_qualify_at_once_are_one_mail_and_distributions_are_not() -> None:
    many = [qualified(f"p{n}@initech.example", score=n) for n in range(51, 51 + MOST_AT_ONCE + 60)]
    told = new_lead_mails(connection(), [*many, distributed()])
    assert [mail.letter for mail in told] == ["new_lead", "new_leads"]
    letter = worded("new_leads", told[1].facts, OFF)
    assert letter.subject == f"{MOST_AT_ONCE + 60} new leads"
    assert "score 120" in letter.text  # the best of them are named
    assert "score 51)" not in letter.text
    assert f"And {MOST_AT_ONCE + 10} more" in letter.text
    few = new_lead_mails(connection(), many[:MOST_AT_ONCE])
    assert {mail.letter for mail in few} == {"new_lead"}
    (after,) = new_lead_mails(connection(), many[:1], lately=MOST_AT_ONCE)
    assert after.letter == "new_leads"
    assert worded("new_leads", after.facts, OFF).subject == "1 new lead"


def test_what_a_sender_writes_into_a_name_changes_neither_header_nor_page() -> None:
    told = distributed(first_name="Eve\r\nBcc: x@evil.example", company="<script>alert(1)</script>\u2028ACME")
    (mail,) = new_lead_mails(connection(), [told])
    letter = worded(mail.letter, {**mail.facts, **STANDS}, OFF)
    message = composed(mail, letter, OFF, Address("Leadbus", addr_spec="leadbus@example.com"))
    assert message["Bcc"] is None
    assert "Eve Bcc: x@evil.example" in message["Subject"]
    assert "<script>" not in letter.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; ACME" in letter.html


def test_a_long_subject_is_cut() -> None:
    (mail,) = new_lead_mails(connection(), [distributed(company="X" * 900)])
    subject = worded(mail.letter, {**mail.facts, **STANDS}, OFF).subject
    assert len(subject) == 150
    assert subject.endswith("…")


@pytest.mark.parametrize("letter", ["active", "login_refused", "trouble", "trouble_over"])
def test_letters_about_a_connection_name_it_and_say_what_can_be_turned_off(letter: str) -> None:
    facts = {"connection": "acme-sugar", "at": shown(AT, connection()), "reason": "The password is wrong."}
    said = worded(letter, facts, OFF)
    assert "acme-sugar" in said.subject
    assert "22 Nov 14:05" in said.text
    assert f"emails about {IN_WORDS[LETTERS[letter]]}?" in said.text
    assert "{" not in said.text + said.html


def test_every_kind_has_words_and_a_letter() -> None:
    assert set(IN_WORDS) == set(MailKind) == set(LETTERS.values())


def test_each_recipient_gets_one_mail_of_their_own() -> None:
    made = mails(connection(), ["a@x.example", "b@x.example", "a@x.example"], "active", {}, "r1")
    assert [mail.recipient for mail in made] == ["a@x.example", "b@x.example"]
    assert made[0].id != made[1].id


def test_a_link_stands_for_recipient_tenant_and_kind_and_shows_none_of_them() -> None:
    links = Links(SecretBox(OLD, "links in mails"), lambda: "https://leadbus.example/sugar/")
    of = Subscription("acme", "owner@acme.example", MailKind.NEW_LEAD)
    url = links.off_url(of)
    base, _, token = url.rpartition("/")
    assert base == "https://leadbus.example/sugar/v1/mails/off"
    assert links.subscription(token) == of
    assert "owner" not in url
    assert "=" not in url
    later = Links(SecretBox(f"{NEW},{OLD}", "links in mails"), lambda: "")
    assert later.subscription(token) == of  # also after a change of keys


@pytest.mark.parametrize(
    "change", [lambda t: t[:-4], lambda t: t[:40] + "AAAA" + t[44:], lambda t: "", str.upper]
)
def test_a_link_that_was_altered_stands_for_nothing(change: Any) -> None:
    links = Links(SecretBox(OLD, "links in mails"), lambda: "")
    token = links.off_url(Subscription("acme", "o@acme.example", MailKind.LOGIN)).rpartition("/")[2]
    assert links.subscription(change(token)) is None


def test_what_is_encrypted_for_another_purpose_is_no_link() -> None:
    links = Links(SecretBox(OLD, "links in mails"), lambda: "")
    for box in (SecretBox(OLD), SecretBox(OLD, "something else"), SecretBox(NEW, "links in mails")):
        token = box.encrypt('["acme", "o@acme.example", "login"]').decode().rstrip("=")
        assert links.subscription(token) is None


FROM = "Leadbus <leadbus@example.com>"


@pytest.mark.parametrize(
    ("url", "port", "tls", "starttls"),
    [
        ("smtp://mail.example.com", 25, False, None),
        ("smtp+starttls://mail.example.com", 587, False, True),
        ("smtps://mail.example.com", 465, True, False),
        ("smtp://mail.example.com:2525", 2525, False, None),
        ("smtp://u:p@mail.example.com", 25, False, True),  # no password without TLS,
        ("smtp://u:p@127.0.0.1:2525", 2525, False, None),  # but on this machine
    ],
)
def test_the_address_of_a_mail_server_says_how_it_is_spoken_with(
    url: str, port: int, tls: bool, starttls: bool | None
) -> None:
    server = MailServer.of(url, FROM)
    assert server is not None
    assert (server.port, server.tls, server.starttls) == (port, tls, starttls)


def test_without_an_address_there_is_no_mail_server() -> None:
    assert MailServer.of("", "") is None


@pytest.mark.parametrize(
    "url", ["mail.example.com:25", "http://mail.example.com", "smtp://", "smtp://h:none"]
)
def test_what_is_no_mail_server_is_named_by_its_variable_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match="SMTP_URL is not the address") as wrong:
        MailServer.of(url, FROM)
    assert url not in str(wrong.value)


@pytest.mark.parametrize("sender", ["", "Leadbus", "leadbus@", "@example.com"])
def test_whoever_mails_come_from_must_have_an_address(sender: str) -> None:
    with pytest.raises(ConfigurationError, match="MAIL_FROM"):
        MailServer.of("smtp://mail.example.com", sender)


def test_a_password_is_not_printed() -> None:
    assert "s3cret" not in repr(MailServer.of("smtps://u:s3cret@mail.example.com", FROM))
