"""Promises about save and test: one finding for what is wrong, what to do about it, and then success."""

from collections.abc import Callable
from typing import Any

import pytest

from leadbus.connector.capabilities import Kind
from leadbus.testing.house import OUTGOING_ADDRESS
from leadbus.testing.promises import Promises, needs
from leadbus.testing.scene import SELDOM, Scene

NEEDED: tuple[Kind, ...] = ("lead", "contact", "account", "activity")
"""Kinds of records that are written where new people become contacts."""


class SaveAndTest(Promises):
    """See the module."""

    async def test_all_is_well_on_a_crm_in_good_order(self, scene: Scene) -> None:
        await scene.save()
        answer = await scene.turn("test")
        assert answer["ok"], answer["findings"]
        assert len(answer["findings"]) >= 4
        assert all(finding["what"].endswith(".") for finding in answer["findings"])

    async def test_a_test_changes_nothing(self, scene: Scene) -> None:
        await scene.save()
        writes = scene.crm.writes
        answer = await scene.turn("test")
        assert answer["ok"]
        assert scene.crm.writes == writes
        assert not answer["connection"]["on"]

    async def test_an_address_where_nothing_answers_is_found(self, scene: Scene) -> None:
        await scene.save(**scene.crm.settings(address="http://127.0.0.1:1"))
        found = await _only(scene)
        assert "answer" in found["what"] or "reach" in found["what"], found

    async def test_a_wrong_password_is_found_with_one_login_and_then_corrected(self, scene: Scene) -> None:
        await scene.save(**scene.crm.settings(password="wrong"))
        found = await _only(scene)
        assert found["refused"]
        assert scene.crm.refused_logins == 1
        await _corrected(scene, **scene.crm.settings())

    @pytest.mark.parametrize("kind", NEEDED)
    async def test_a_missing_right_is_found_for_each_module_that_is_needed(
        self, scene: Scene, kind: Kind
    ) -> None:
        needs(scene, "rights")
        await scene.save(record_as="contact")
        module = scene.crm.record(kind, "x").module
        scene.crm.forbid_user(kind)
        found = await _only(scene)
        assert module in found["what"]
        scene.crm.permit_user(kind)
        await _corrected(scene)

    async def test_a_right_that_nothing_needs_yet_is_a_warning(self, scene: Scene) -> None:
        needs(scene, "rights")
        await scene.save(schedules={"list": SELDOM})
        scene.crm.forbid_user("list")
        answer = await scene.turn("test")
        assert answer["ok"]
        warnings = [finding["what"] for finding in answer["findings"] if finding["advice"]]
        module = scene.crm.record("list", "x").module
        assert len([what for what in warnings if module in what]) == 1, warnings

    async def test_a_missing_lead_source_is_found_with_the_steps_to_add_it(self, scene: Scene) -> None:
        await scene.save()
        scene.crm.drop_lead_source()
        found = await _only(scene)
        assert "Leadbus" in found["what"]
        assert "Leadbus" in found["advice"]
        scene.crm.add_lead_source()
        await _corrected(scene)

    async def test_a_mapped_field_that_does_not_exist_is_found(self, scene: Scene) -> None:
        missing = scene.crm.words.missing_field
        await scene.save(fields=[{"of": "lead", "field": "custom.segment", "crm_field": missing}])
        found = await _only(scene)
        assert missing in found["what"]
        good = {"of": "lead", "field": "custom.segment", "crm_field": scene.crm.words.spare_field}
        await _corrected(scene, fields=[good])

    async def test_a_missing_field_for_the_score_is_found_with_the_steps_to_make_it(
        self, scene: Scene
    ) -> None:
        missing = scene.crm.words.missing_field
        await scene.save(score_field=missing)
        found = await _only(scene)
        assert missing in found["what"]
        await _corrected(scene, score_field=scene.crm.words.spare_number)

    async def test_a_mapped_field_of_the_wrong_type_is_found(self, scene: Scene) -> None:
        number = scene.crm.words.spare_number
        await scene.save(fields=[{"of": "lead", "field": "birthday", "crm_field": number}])
        found = await _only(scene)
        assert number in found["what"]
        await _corrected(scene, fields=[])

    async def test_a_team_in_other_capitals_is_found_and_the_right_one_named(self, scene: Scene) -> None:
        needs(scene, "teams")
        scene.crm.add_team("East")
        await scene.save(**scene.crm.settings(team="EAST"))
        found = await _only(scene)
        assert "EAST" in found["what"]
        assert "East" in found["what"] + found["advice"]
        await _corrected(scene, **scene.crm.settings(team="East"))

    async def test_an_address_of_ours_that_is_turned_away_is_named(self, scene: Scene) -> None:
        await scene.save()
        scene.crm.misbehave("forbid")
        found = await _only(scene)
        assert found["blocked"]
        assert OUTGOING_ADDRESS in found["advice"]
        scene.crm.behave()
        await _corrected(scene)

    async def test_access_can_be_saved_and_tested_alone_and_only_turning_on_needs_the_rest(
        self, scene: Scene
    ) -> None:
        await scene.save(lead_source="")
        path = f"/v1/connections/{scene.id_of()}/test"
        answer = await scene.house.ask("POST", path, json={"part": "access"})
        assert answer["ok"], answer["findings"]
        answer = await scene.turn("on")
        assert not answer["ok"]
        assert [f["what"] for f in answer["findings"] if not f["ok"]] == ["lead_source is empty."]
        await scene.save(lead_source="Leadbus")
        assert (await scene.turn("on"))["ok"]

    async def test_the_password_never_comes_back(self, scene: Scene) -> None:
        secret = "wrong-but-secret"
        answer = await scene.save(**scene.crm.settings(password=secret))
        tested = await scene.turn("test")
        listed = await scene.house.ask("GET", "/v1/connections", params={"tenant_id": scene.tenant})
        assert secret not in str([answer, tested, listed])


async def _only(scene: Scene, which: Callable[[dict[str, Any]], object] = bool) -> dict[str, Any]:
    """The one finding of a test that fails, which says what, why and what to do."""
    answer = await scene.turn("test")
    assert not answer["ok"]
    wrong = [finding for finding in answer["findings"] if not finding["ok"] and which(finding)]
    assert len(wrong) == 1, wrong
    found: dict[str, Any] = wrong[0]
    assert found["what"], found
    assert found["why"], found
    assert found["advice"], found
    return found


async def _corrected(scene: Scene, **settings: Any) -> None:
    """The same test succeeds after the correction."""
    if settings:
        await scene.save(**settings)
    answer = await scene.turn("test")
    assert answer["ok"], answer["findings"]
