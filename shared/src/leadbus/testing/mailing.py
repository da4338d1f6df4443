"""Promises about mails to people: whatever the CRM does, they hear of it."""

from email.message import EmailMessage

from leadbus.testing.mailbox import text_of
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until
from leadbus.testing.writing import KNOWN


class Mails(Promises):
    """See the module."""

    async def test_default_owners_are_mailed_at_each_new_lead_with_the_way_to_its_record(
        self, scene: Scene
    ) -> None:
        owner = f"owner@{scene.tenant}.example"
        await scene.connect(default_owners=[owner])
        ada, ben = scene.somebody(), scene.somebody("ben")
        await scene.write(
            ada.distributed("d-17", supplier="globex", **KNOWN), ben.qualified(score=71, **KNOWN)
        )
        found = [await mail_to(scene, owner, who.email) for who in (ada, ben)]
        assert "(from globex)" in found[0]["subject"]
        assert "score 71" in text_of(found[1])
        for who, mail in zip((ada, ben), found, strict=True):
            assert KNOWN["last_name"] in mail["subject"]
            assert scene.one("lead", who)["id"] in text_of(mail)

    async def test_default_owners_are_mailed_also_if_the_crm_refuses_the_lead(self, scene: Scene) -> None:
        owner = f"owner@{scene.tenant}.example"
        await scene.connect(default_owners=[owner], default_last_name=None)
        ada = scene.somebody()
        await scene.tell(ada.distributed("d-17", first_name="Ada"))
        mail = await mail_to(scene, owner, ada.email)
        assert "does not accept this lead yet" in text_of(mail)

    async def test_people_hear_that_a_connection_is_active_and_that_its_login_is_refused(
        self, scene: Scene
    ) -> None:
        admin = f"admin@{scene.tenant}.example"
        await scene.connect(notify=[admin])
        await mail_to(scene, admin, "is active since")
        scene.crm.change_password("new password")
        await scene.tell(scene.somebody().distributed(**KNOWN))
        mail = await mail_to(scene, admin, "refuses the login of the connection")
        assert scene.id_of() in mail["subject"]


async def mail_to(scene: Scene, recipient: str, said: str) -> EmailMessage:
    """The first one to them that says so, now or later."""
    return await until(
        lambda: next((m for m in scene.house.mailbox.of(recipient) if said in text_of(m)), None),
        f"a mail that says {said}",
    )
