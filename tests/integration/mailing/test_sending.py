"""Spooled mails reach a mail server, whatever it does; each is said once."""

import asyncio
import logging
import re
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from leadbus.connector.mailing.new_leads import MOST_AT_ONCE, TOGETHER, new_lead_mails
from leadbus.messages import Fields, LeadQualified
from sandbox.mail import MailServer

ANNA, BEN = "anna@acme.example", "ben@acme.example"


async def test_a_spooled_mail_arrives_as_text_and_as_a_page(post, server):
    (mail,) = await post.say(await post.connection(), ANNA)
    await post.sender.turn()
    (got,) = server.mails()
    assert (got.sender, got.to) == ("leadbus@example.com", (ANNA,))
    assert got.subject == "Your CRM is connected: acme-sugar is active"
    assert "is active since 1 Nov 10:00" in got.text
    assert "<b>acme-sugar</b>" in got.html
    assert got.header("message-id") == f"<{mail.id}@example.com>"
    assert got.header("auto-submitted") == "auto-generated"
    assert await post.waiting() == []
    assert post.counted("active", "sent") == 1


async def test_what_was_sent_keeps_no_address_and_no_words(post):
    (mail,) = await post.say(await post.connection(), ANNA)
    await post.sender.turn()
    kept = await post.stored(mail)
    assert kept["outcome"] == "sent"
    assert kept.keys().isdisjoint({"recipient", "facts", "due", "prospect_id"})
    assert ANNA not in str(kept)


async def test_what_is_said_again_is_sent_once(post, server):
    made = await post.say(await post.connection(), ANNA)
    await post.sender.turn()
    await post.spool.put(made)
    await post.sender.turn()
    assert len(server.mails()) == 1


async def test_two_pods_send_each_mail_once(post, server):
    connection = await post.connection()
    for _ in range(20):
        await post.say(connection, ANNA)
    await asyncio.gather(post.sender.turn(), post.new_sender().turn())
    assert len({got.header("message-id") for got in server.mails()}) == len(server.mails()) == 20


async def test_a_mail_server_that_is_away_costs_no_try_and_gets_all_when_it_is_back(post, server, caplog):
    caplog.set_level(logging.INFO)
    await server.misbehave("away")
    await post.say(await post.connection(), ANNA, BEN)
    rests = [await post.sender.turn() for _ in range(8)]
    assert [row["attempts"] for row in await post.waiting()] == [0, 0]
    assert rests[0] < 3 < max(rests) <= 60
    assert [r.levelname for r in caplog.records if "Mails are waiting" in r.message] == ["WARNING"]
    await server.behave()
    await post.sender.turn()
    assert sorted(got.to[0] for got in server.mails()) == [ANNA, BEN]
    assert "takes mails again" in caplog.text


async def test_a_recipient_that_the_server_refuses_is_given_up_and_the_others_are_sent(post, server, caplog):
    await server.misbehave("refuse", stage="recipient", to=ANNA)
    await post.say(await post.connection(), ANNA, BEN)
    await post.sender.turn()
    assert [got.to[0] for got in server.mails()] == [BEN]
    assert await post.waiting() == []
    assert (post.counted("active", "refused"), post.counted("active", "sent")) == (1, 1)
    assert "answers 550" in caplog.text
    assert ANNA not in caplog.text


@pytest.mark.parametrize("stage", ["recipient", "data"])
async def test_a_mail_that_the_server_does_not_take_now_is_sent_later(post, server, stage):
    await server.misbehave("busy", stage=stage, times=1, to=ANNA)
    await post.say(await post.connection(), ANNA, BEN)
    await post.sender.turn()
    assert [got.to[0] for got in server.mails()] == [BEN]
    assert post.counted("active", "postponed") == 1
    await post.sender.turn()
    assert len(server.mails()) == 1  # not at once
    await post.after(timedelta(seconds=30))
    await post.sender.turn()
    assert [got.to[0] for got in server.mails()] == [ANNA, BEN]


async def test_a_reply_that_is_lost_costs_a_second_copy_under_the_same_name(post, server):
    await server.misbehave("lose_reply", times=1)
    (mail,) = await post.say(await post.connection(), ANNA)
    assert await post.sender.turn() > 0
    await post.after(timedelta(seconds=30))
    await post.sender.turn()
    assert {got.header("message-id") for got in server.mails()} == {f"<{mail.id}@example.com>"}
    assert await post.waiting() == []


async def test_a_server_that_closes_down_gets_the_rest_later(post, server):
    await server.misbehave("leave", times=1)
    await post.say(await post.connection(), ANNA, BEN)
    await post.sender.turn()
    assert len(await post.waiting()) == 2
    await post.after(timedelta(seconds=30))
    await post.sender.turn()
    assert len(server.mails()) == 2


async def test_a_server_that_is_too_slow_is_not_waited_for(post, server, monkeypatch):
    monkeypatch.setattr("leadbus.connector.mailing.smtp.ANSWERS_WITHIN", 0.2)
    await server.misbehave("slow", seconds=30)
    await post.say(await post.connection(), ANNA)
    async with asyncio.timeout(30):
        await post.sender.turn()
    assert server.mails() == []
    assert len(await post.waiting()) == 1


async def test_what_a_killed_pod_had_in_hand_is_sent_by_another(post, server, until):
    await server.misbehave("slow", seconds=30, times=1)
    await post.say(await post.connection(), ANNA)
    dying = asyncio.create_task(post.sender.turn())
    await until(lambda: server.handler.calls["data"])
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    other = post.new_sender()
    await other.turn()
    assert server.mails() == []  # it may still be sent by the one who claimed it
    await post.after(timedelta(minutes=2))
    await other.turn()
    assert len(server.mails()) == 1


async def test_after_three_days_a_mail_is_given_up_in_a_log_line_and_a_metric(post, server, caplog):
    await server.misbehave("away")
    (mail,) = await post.say(await post.connection(), ANNA)
    await post.after(timedelta(days=3, minutes=1))
    await post.sender.turn()
    assert (await post.stored(mail))["outcome"] == "given_up"
    assert post.counted("active", "given_up") == 1
    assert "1 mails of kind active could not be sent for 3 days" in caplog.text
    await server.behave()
    await post.sender.turn()
    assert server.mails() == []


async def test_a_mail_that_cannot_be_put_into_words_delays_no_other(post, server, caplog):
    connection = await post.connection()
    (broken,) = await post.say(connection, ANNA, letter="new_lead")  # most of its facts are missing
    await post.say(connection, BEN)
    await post.sender.turn()
    assert [got.to[0] for got in server.mails()] == [BEN]
    assert (await post.stored(broken))["attempts"] == 1
    assert "UndefinedError" in caplog.text


async def test_a_password_is_sent_to_a_server_that_asks_for_it(post):
    async with MailServer(user="lead bus", password="s3cret/1") as server:
        url = server.url.replace("smtp://", "smtp://lead%20bus:s3cret%2F1@")
        await post.say(await post.connection(), ANNA)
        await post.new_sender(url).turn()
        assert [got.to[0] for got in server.mails()] == [ANNA]


async def test_a_wrong_password_is_said_without_it_and_loses_nothing(post, caplog):
    async with MailServer(user="leadbus", password="right") as server:
        await post.say(await post.connection(), ANNA)
        sender = post.new_sender(server.url.replace("smtp://", "smtp://leadbus:wr0ng@"))
        assert await sender.turn() > 400  # seconds of rest, so that nobody is locked out
        assert server.handler.refused_logins in (1, 2)  # by each way that the server offers
    assert "refuses the user and password in SMTP_URL" in caplog.text
    assert "wr0ng" not in caplog.text
    assert len(await post.waiting()) == 1


async def test_a_server_without_starttls_gets_nothing_where_it_is_asked_for(post, server, caplog):
    await post.say(await post.connection(), ANNA)
    await post.new_sender(server.url.replace("smtp://", "smtp+starttls://")).turn()
    assert server.mails() == []
    assert "STARTTLS" in caplog.text


async def test_a_password_goes_by_starttls_to_a_server_that_proves_who_it_is(post, tmp_path, monkeypatch):
    server_side = _tls(tmp_path)
    async with MailServer(user="leadbus", password="s3cret", tls=server_side) as server:
        url = server.url.replace("smtp://", "smtp+starttls://leadbus:s3cret@")
        await post.say(await post.connection(), ANNA)
        await post.new_sender(url).turn()
        assert server.mails() == []  # nobody vouches for it
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        await post.new_sender(url).turn()
        assert [got.to[0] for got in server.mails()] == [ANNA]


def _tls(folder):
    """A certificate for 127.0.0.1 that vouches for itself, and the context of its server."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
    )
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "cert.pem").write_bytes(made.sign(key, SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_the_inbox_is_a_page_and_answers_tests(post, server):
    await post.say(await post.connection(), ANNA, BEN)
    await post.sender.turn()
    async with httpx.AsyncClient(base_url=server.page) as browser:
        front = (await browser.get("/")).text
        assert re.findall(r'href="/mails/(\d)"', front) == ["2", "1"]
        read = (await browser.get("/mails/1")).text
        assert "is active since 1 Nov 10:00" in read
        assert 'sandbox="allow-popups' in read
        (row,) = (await browser.get("/_sandbox/mails", params={"to": ANNA})).json()
        assert row["headers"]["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        assert (await browser.post("/_sandbox/faults", json={"kind": "none"})).status_code == 400
        await browser.post("/_sandbox/faults", json={"kind": "away"})
        assert await post.sender.turn() == 1.0  # nothing is due: the server is not looked for
        await browser.delete("/_sandbox/faults")
        await browser.delete("/_sandbox/mails")
        assert "There is no mail yet" in (await browser.get("/")).text


def somebody(score):
    email = f"p{score}@initech.example"
    return LeadQualified(
        **{"tenant_id": "acme", "occurred_at": datetime.now(UTC), "event_id": f"e-{score}", "version": 1},
        **{"prospect_id": f"p-{score}", "email": email, "score": score, "millipoints": score * 1_000},
        **{"connection_id": "acme-sugar", "threshold": 50, "fields": Fields()},
    )


async def test_who_qualifies_in_the_same_minutes_is_one_mail_however_many_batches_tell_of_it(post, server):
    connection, now = await post.connection(default_owners=[ANNA]), datetime.now(UTC)
    for scores in ((60, 99), (70,), range(100, 140), range(51, 59)):
        leads = [somebody(score) for score in scores]
        await post.spool.put(new_lead_mails(connection, leads, lately=MOST_AT_ONCE, now=now))
    await post.sender.turn()
    assert server.mails() == []  # more may come
    await post.after(TOGETHER + timedelta(minutes=1))
    await post.sender.turn()
    (got,) = server.mails(ANNA)
    assert got.subject == "51 new leads"
    assert [f"score {score})" in got.text for score in (139, 99, 52, 51)] == [True, True, True, False]
    assert "And 1 more" in got.text
    assert await post.waiting() == []
