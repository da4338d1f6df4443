"""Mails that wait name people: whoever is erased is in none of them any more."""

from leadbus.connector.mailing.letters import GROWING
from leadbus.connector.mailing.mail import mails
from leadbus.connector.stores.holdings import ConnectorHoldings
from leadbus.erasing.holdings import Person, erase, export
from leadbus.ids import prospect_id

NAME = "connector-sugar"
ADA, BOB = "ada@example.com", "bob@example.com"


async def test_an_erased_person_is_named_in_no_mail_that_waits_and_others_still_are(post):
    connection = await post.connection()
    person = Person("acme", prospect_id("acme", email=ADA))
    database = post.client[post.database]
    await database[f"{NAME}.deliveries"].insert_one({"_id": "1", **person._asdict(), "email": ADA})
    leads = [{"name": email, "email": email, "score": 1} for email in (ADA, BOB)]
    refused = [["To the CRM", [{"who": email, "reason": "No."} for email in (ADA, BOB)]], ["From it", []]]
    to = ["sales@example.com"]
    await post.spool.put(
        [
            *mails(connection, to, "new_lead", {"name": ADA}, "a", prospect_id=person.prospect_id),
            *mails(connection, to, "new_lead", {"name": BOB}, "b", prospect_id="another"),
            *mails(connection, to, GROWING, {"count": 2, "leads": leads}, "c"),
            *mails(connection, to, "refusals", {"count": 2, "more": 0, "groups": refused}, "d"),
        ]
    )
    holdings = ConnectorHoldings(database, NAME, post.connections)
    assert ADA in str(await export(database, holdings, person))
    async with post.client.start_session() as session:
        await session.with_transaction(lambda s: erase(database, holdings, person, s))
    left = await post.waiting()
    assert len(left) == 3
    assert ADA not in str(left)
    assert str(left).count(BOB) == 4
    assert await export(database, holdings, person) == {}
