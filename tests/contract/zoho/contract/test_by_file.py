"""What changes in the CRM while a file of everything is on its way: the file is older than what is known."""

import dataclasses
from functools import partial

import pytest
from zoho_harness.crm import ZohoUnderTest

from connector_zoho.reading import Reading
from leadbus.messages import ContactChanged
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until


class TestByFile(Promises):
    """Of an organisation that is read by file however few people it has."""

    def new_crm(self) -> ZohoUnderTest:
        return ZohoUnderTest()

    async def test_what_was_learnt_since_a_file_was_made_is_not_taken_back_by_it(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connector_zoho.connector.Reading", partial(Reading, bulk_above=0))
        for looks in ("LOOKS", "LATER_LOOKS"):  # between them, single records are read
            monkeypatch.setattr(f"connector_zoho.changes.{looks}", (0.1,))
        monkeypatch.setattr("leadbus.connector.pulling.pulling.SLICE_SECONDS", 0.1)
        assert isinstance(scene.crm, ZohoUnderTest)
        zoho = scene.crm.zoho
        ada, ben = (scene.somebody(name) for name in ("ada", "ben"))
        long_ago = "2026-01-01T10:00:00+01:00"
        scene.crm.load(
            "contact",
            [
                {"email": who.email, "last_name": "B", "city": "Rome", "changed_at": long_ago}
                for who in (ada, ben)
            ],
        )
        of_ada, of_ben = (scene.one("contact", who)["id"] for who in (ada, ben))
        await scene.connect(reads=["contact"])
        await scene.hear(ContactChanged, lambda m: m.prospect_id == ben.prospect)
        before = await scene.progress()
        zoho.site.settings = dataclasses.replace(zoho.site.settings, bulk_seconds=2.0)
        path = f"/v1/connections/{scene.id_of()}/sync"
        made = zoho.calls["POST bulk/read"]
        await scene.house.ask("POST", path, json={"kinds": ["contact"], "full": True}, expect=202)
        await until(lambda: zoho.calls["POST bulk/read"] > made, "the file's job")
        scene.crm.change("contact", of_ada, city="Turin")
        scene.crm.delete("contact", of_ben)
        await scene.hint("contact", of_ada)
        await scene.hint("contact", of_ben)
        await scene.hear(ContactChanged, lambda m: m.fields.city == "Turin")
        await scene.hear(ContactChanged, lambda m: m.deleted)

        async def over() -> bool:
            now = await scene.progress()
            return bool(now["contact"]["last_run_at"] != before["contact"]["last_run_at"])

        await until(over, "the end of the full run")
        told = {m.prospect_id: (m.fields.city, m.deleted) for m in scene.heard(ContactChanged)[2:]}
        assert told == {ada.prospect: ("Turin", False), ben.prospect: (None, True)}
        assert len(scene.heard(ContactChanged)) == 4  # of two people there is no order
