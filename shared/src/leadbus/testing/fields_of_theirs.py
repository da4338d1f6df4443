"""Promises about the CRM's fields: shown with their values, filled after a mapping, and rehearsed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from leadbus.messages import ContactChanged
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until


class FieldsOfTheirs(Promises):
    """See the module."""

    async def test_fields_and_their_values_are_read_from_the_crm_and_kept_until_a_test_or_a_refresh(
        self, scene: Scene
    ) -> None:
        await scene.save()
        shown = await _fields(scene)
        assert scene.crm.words.spare_field in shown
        assert shown[scene.crm.words.fields["phone"]]["ours"] == "phone"
        assert _sources(shown)
        calls = scene.crm.calls
        scene.crm.drop_lead_source()
        assert (_sources(await _fields(scene)), scene.crm.calls) == (_sources(shown), calls)
        assert not _sources(await _fields(scene, refresh="true"))
        scene.crm.add_lead_source()
        assert (await scene.turn("test"))["ok"]
        assert _sources(await _fields(scene))

    async def test_a_dry_run_says_what_would_be_written_and_why_and_writes_nothing(
        self, scene: Scene
    ) -> None:
        spare, phone = scene.crm.words.spare_field, scene.crm.words.fields["phone"]
        await scene.connect(fields=[{"of": "lead", "field": "custom.segment", "crm_field": spare}])
        ada, ben = scene.somebody(), scene.somebody("ben")
        theirs = scene.crm.put("lead", email=ben.email, last_name="Babbage", phone="1")
        said = {"last_name": "Lovelace", "phone": "2", "custom.segment": "gold", "custom.unmapped": "x"}
        writes, rows = scene.crm.writes, scene.crm.rows("lead")
        new = await _rehearsed(scene, email=ada.email, fields=said)
        known = await _rehearsed(scene, email=ben.email, fields=said)
        assert (scene.crm.writes, scene.crm.rows("lead")) == (writes, rows)
        assert await scene.deliveries(ada) == []
        assert (new["outcome"], new["record"], new["lead_source"]) == ("created", None, "Leadbus")
        assert _decided(new)["custom.unmapped"] == (None, "x", False, "no field of the CRM is mapped to it")
        assert _decided(new)["company"][2:] == (
            True,
            "nobody has given one: the setting default_company stands in",
        )
        assert (known["outcome"], known["record"]["id"]) == ("matched", theirs)
        assert _decided(known)["phone"] == (phone, "2", False, "field updates are off")
        # The same is then done.
        await scene.write(ada.distributed(last_name="Lovelace", phone="2", custom={"segment": "gold"}))
        row = scene.one("lead", ada)
        for crm_field, value, written, _ in _decided(new).values():
            assert not written or row[crm_field or ""] == value
        again = await _rehearsed(scene, prospect_id=ada.prospect, fields={"phone": "3"})
        assert (again["outcome"], again["record"]["id"]) == ("updated", row["id"])
        assert _decided(again)["last_name"][3] == "the CRM says the same"
        # A client's lead becomes a contact, where the CRM can do that.
        await scene.turn("off")
        await scene.tell(ada.updated(at=5, state="client"))

        async def waits() -> bool:
            return bool((await scene.delivery(ada))["due"])

        await until(waits, "there is something to do")
        client = await _rehearsed(scene, prospect_id=ada.prospect)
        converts = "converting" not in scene.crm.lacks
        assert (client["becomes_contact"], client["kind"]) == (converts, "contact" if converts else "lead")
        assert (client["refused"] is None) == converts
        assert _decided(client)["last_name"][3] == "the CRM says the same"
        assert scene.crm.rows("contact") == []

    async def test_a_field_that_is_mapped_later_is_read_of_records_that_do_not_change(
        self, scene: Scene
    ) -> None:
        spare, ada = scene.crm.words.spare_field, scene.somebody()
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        scene.crm.load(
            "lead", [{"email": ada.email, "last_name": "Lovelace", spare: "gold", "changed_at": at}]
        )
        await scene.connect(reads=["lead"])
        await scene.hear(ContactChanged, ada.concerns)
        mapping = {"of": "lead", "field": "custom.segment", "crm_field": spare}
        assert (await scene.save(fields=[mapping]))["reread"] == ["lead"]
        asked = {"kinds": ["lead"], "fields": "new"}
        path = f"/v1/connections/{scene.id_of()}/sync"
        await scene.house.ask("POST", path, json=asked, expect=202)
        told = await scene.hear(ContactChanged, lambda m: m.fields.custom.get("segment"))
        assert (told.prospect_id, told.fields.custom) == (ada.prospect, {"segment": "gold"})

        async def done() -> bool:
            return not (await scene.progress())["lead"]["new_fields"]

        await until(done, "the new fields are read")
        assert len(scene.heard(ContactChanged)) == 2


async def _fields(scene: Scene, **how: str) -> dict[str, dict[str, Any]]:
    path = f"/v1/connections/{scene.id_of()}/fields/lead"
    answer = await scene.house.ask("GET", path, params=how)
    return {row["name"]: row for row in answer["fields"]}


def _sources(fields: dict[str, dict[str, Any]]) -> list[str]:
    """Fields that offer our lead source."""
    return [name for name, row in fields.items() if "Leadbus" in (row["options"] or ())]


async def _rehearsed(scene: Scene, **who: Any) -> dict[str, Any]:
    path = f"/v1/connections/{scene.id_of()}/dry-run"
    answer: dict[str, Any] = await scene.house.ask("POST", path, json=who)
    return answer


def _decided(answer: dict[str, Any]) -> dict[str, tuple[str | None, str, bool, str]]:
    """The CRM's field, our value, whether it is written, and why, by our names."""
    return {
        row["field"]: (row["crm_field"], row["value"], row["written"], row["reason"])
        for row in answer["fields"]
    }
