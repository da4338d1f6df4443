"""Links in mails that accept or reject a lead: sealed, for thirty days, one answer each."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from leadbus.security.answer_links import GOOD_FOR, AnswerLink, AnswerLinks
from leadbus.security.secrets import SecretBox
from leadbus.settings import ConfigurationError

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
OTHER = base64.urlsafe_b64encode(bytes(32)).decode()
LINK = AnswerLink("acme", "p1", "chipworks", "lead-1", "acme-sugar", "rep@acme.example", "accepted")


class Clock:
    now = datetime(2026, 11, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_a_link_leads_to_the_page_and_stands_for_what_it_was_made_of() -> None:
    links = AnswerLinks(KEY, "https://leads.example/")
    url = links.url(LINK)
    assert url.startswith("https://leads.example/v1/answers/")
    assert links.read(url.rsplit("/", 1)[1]) == LINK
    assert "acme" not in url
    assert "rep" not in url


def test_a_link_ends_after_thirty_days() -> None:
    clock = Clock()
    links = AnswerLinks(KEY, "", clock)
    token = links.token(LINK)
    clock.now += GOOD_FOR - timedelta(seconds=1)
    assert links.read(token) == LINK
    clock.now += timedelta(seconds=1)
    assert links.read(token) is None


def test_a_token_that_was_altered_or_made_by_somebody_else_is_none() -> None:
    links = AnswerLinks(KEY, "")
    token = links.token(LINK)
    middle = len(token) // 2
    altered = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    of_another_purpose = SecretBox(KEY, "mail links").encrypt('["acme"]').decode()
    forged = AnswerLinks(OTHER, "").token(LINK)
    for wrong in (altered, token[:-4], of_another_purpose, forged, "", "x", "é" * 40, "=" * 10):
        assert links.read(wrong) is None, wrong


def test_a_token_outlives_a_change_of_keys() -> None:
    token = AnswerLinks(OTHER, "").token(LINK)
    assert AnswerLinks(f"{KEY},{OTHER}", "").read(token) == LINK


def test_a_link_followed_twice_is_one_answer_and_another_recipients_another() -> None:
    again = AnswerLinks(KEY, "").read(AnswerLinks(KEY, "").token(LINK))
    assert again is not None
    assert again.event_id == LINK.event_id
    assert replace(LINK, recipient="boss@acme.example").event_id != LINK.event_id
    assert replace(LINK, answer="rejected").event_id != LINK.event_id


def test_without_a_key_there_are_no_links() -> None:
    with pytest.raises(ConfigurationError, match="LEADBUS_SECRET_KEY"):
        AnswerLinks("", "https://leads.example")
