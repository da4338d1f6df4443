"""Each setting is declared once, explained, checked with the others, merged, and kept secret if need be."""

import json
from collections import Counter
from typing import Any, get_args

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from connector_sugar.settings import SugarConnection
from leadbus.connector.settings import ConnectionSettings, Schedule
from leadbus.connector.settings.merge import merged
from leadbus.connector.settings.page import common_page, settings_page
from leadbus.connector.settings.schema import needed_to_turn_on, rows_of
from leadbus.connector.settings.secret import changed_paths, keep_masked, secrets_of
from leadbus.connector.settings.validation import validated
from leadbus.problems import Problem
from leadbus.runner import build, installed

ACCESS = {"url": "https://crm.example.com", "user": "leadbus", "password": "correct horse"}
BASE = {"crm": "sugar", "connection_id": "acme-sugar", "tenant_id": "acme", "access": ACCESS}
TOKEN = "an operator's token"
ENVIRON = {
    "LEADBUS_SECRET_KEY": "A" * 43 + "=",
    "LEADBUS_OPERATOR_TOKEN": TOKEN,
    "OTEL_SDK_DISABLED": "true",
}
CONNECTORS = [name for name in installed() if name.startswith("connector-")]
NOTHING_READ = dict.fromkeys(
    ("lead", "contact", "target", "account", "user", "opportunity", "activity", "list", "comparison")
)


def of(**settings: Any) -> SugarConnection:
    return validated(SugarConnection, BASE | settings)


def refused(**settings: Any) -> dict[str, str]:
    """The reason by field."""
    with pytest.raises(Problem) as problem:
        of(**settings)
    assert problem.value.status == 422
    return {error["field"]: error["reason"] for error in problem.value.members["errors"]}


def models(kind: type[BaseModel]) -> set[type[BaseModel]]:
    """The kind, and every model within it."""
    found: set[type[BaseModel]] = {kind}

    def look(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.update(models(annotation))
        for part in get_args(annotation):
            look(part)

    for member in kind.model_fields.values():
        look(member.annotation)
    return found


@pytest.fixture(params=CONNECTORS)
def kind(request: pytest.FixtureRequest) -> type[ConnectionSettings]:
    """The settings of each installed connector's connections."""
    (service,) = build([request.param], ENVIRON)
    found: type[ConnectionSettings] = service.api.state.connection_settings
    return found


def test_every_setting_at_any_depth_says_what_it_is(kind: type[ConnectionSettings]) -> None:
    members = [(model, name, info) for model in models(kind) for name, info in model.model_fields.items()]
    assert len(members) > 25
    assert [(model.__name__, name) for model, name, info in members if not info.description] == []


def test_no_two_settings_say_the_same(kind: type[ConnectionSettings]) -> None:
    said = Counter(info.description for model in models(kind) for info in model.model_fields.values())
    assert [text for text, times in said.items() if times > 1] == []


def test_a_help_text_is_a_sentence(kind: type[ConnectionSettings]) -> None:
    texts = [row.help for row in rows_of(kind)]
    assert [text for text in texts if not (text[:1].isupper() and text.endswith("."))] == []


def test_rows_and_documents_cover_every_setting(kind: type[ConnectionSettings]) -> None:
    paths = [row.path for row in rows_of(kind)]
    assert len(paths) == len(set(paths))
    page = common_page([kind]) + settings_page(kind)
    names = {name for model in models(kind) for name in model.model_fields}
    assert {path.rsplit(".", 1)[-1].removesuffix("[]") for path in paths} == names
    assert [path for path in paths if f"| `{path}` |" not in page] == []


def test_a_crms_own_page_repeats_nothing_that_all_have(kind: type[ConnectionSettings]) -> None:
    alike = [row for row in rows_of(kind) if row in rows_of(ConnectionSettings)]
    assert len(alike) > 20
    lines = settings_page(kind).splitlines()
    assert [row.path for row in alike if any(line.startswith(f"| `{row.path}` |") for line in lines)] == []


def test_every_connector_says_what_can_be_connected(kind: type[ConnectionSettings]) -> None:
    assert kind.supported
    page = settings_page(kind)
    assert [product for product in kind.supported if f"- {product}\n" not in page] == []
    assert [product for product in kind.unsupported if f"- {product}: not supported\n" not in page] == []


async def test_the_connector_serves_its_settings() -> None:
    (service,) = build(["connector-sugar"], ENVIRON)
    transport = httpx.ASGITransport(service.api)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        assert (await client.get("/v1/settings")).status_code == 401
        answer = await client.get("/v1/settings", headers={"Authorization": f"Bearer {TOKEN}"})
    told = answer.json()
    assert told["crm"] == "sugar"
    assert any("SuiteCRM" in product for product in told["supported"])
    rows = {row["path"]: row for row in told["settings"]}
    assert rows["access.password"] | {"help": ""} == {
        "path": "access.password",
        "type": "secret text",
        "default": None,
        "allowed": "1 to 1000 characters",
        "help": "",
        "secret": True,
        "needed": "to save",
    }
    assert rows["marketing_automation.threshold"]["default"] == 50
    assert rows["marketing_automation.threshold"]["allowed"] == "0 to 1000000"
    assert rows["schedules.lead.every_seconds"]["default"] == 30, "of the place, not of any schedule"
    assert rows["schedules.comparison.cron"]["default"] == "0 3 * * *"
    assert rows["fields[].rule"]["allowed"] == "ours, theirs, newest, only_if_empty, never"
    assert rows["lead_source"]["needed"] == "to turn on"


def test_what_the_guides_name_is_the_default(kind: type[ConnectionSettings]) -> None:
    rows = {row.path: row for row in rows_of(kind)}
    zoho = kind.__module__.startswith("connector_zoho")
    assert rows["marketing_automation.threshold"].default == 50
    assert set(rows["event_types"].default) == {
        *("email_open", "email_click", "email_unsubscribe", "web_view", "web_click", "form_submission"),
        *("telequalification", "sms_delivered", "sms_click", "supplier_event", "link_conversion"),
    }
    lists = rows["schedules.list.cron"].default, rows["schedules.list.every_seconds"].default
    assert lists == (("0 0,6,12,18 * * *", None) if zoho else (None, 1_800))
    assert rows["schedules.comparison.cron"].default == ("0 3 * * 0" if zoho else "0 3 * * *")


def test_every_secret_is_where_secrets_are_looked_for(kind: type[ConnectionSettings]) -> None:
    """In sections, perhaps absent; never in a list, where it would be stored in the clear."""
    assert [row.path for row in rows_of(kind) if row.secret and "[]" in row.path] == []
    assert any(row.path.startswith("access.") for row in rows_of(kind) if row.secret)


def test_the_connection_part_is_enough_to_save() -> None:
    made = of()
    assert (made.lead_source, made.record_as, made.marketing_automation.threshold) == ("Leadbus", "lead", 50)
    assert needed_to_turn_on(made) == []
    assert [row.path for row in needed_to_turn_on(of(lead_source=""))] == ["lead_source"]


def test_what_is_missing_unknown_or_misspelt_is_named_with_what_was_meant() -> None:
    with pytest.raises(Problem) as problem:
        validated(SugarConnection, {"connection_id": "a", "tenant_id": "acme"})
    assert str(problem.value) == "The settings are not valid. access: must be given."
    assert refused(lead_sorce="x")["lead_sorce"] == "there is no such setting; did you mean lead_source"
    assert refused(threshold=60)["threshold"].endswith("did you mean marketing_automation.threshold")
    assert refused(qqq=1)["qqq"].endswith("leadbus connections settings sugar lists them")


@pytest.mark.parametrize(
    ("settings", "field", "reason"),
    [
        ({"fields": [{"field": "phon", "crm_field": "x"}]}, "fields.0.field", "did you mean phone?"),
        (
            {"fields": [{"field": "phone", "crm_field": "x"}, {"field": "fax", "crm_field": "x"}]},
            "fields.1.crm_field",
            "x of a lead is mapped already, by fields.0",
        ),
        (
            {"fields": [{"field": "phone", "crm_field": "x"}, {"field": "phone", "crm_field": "y"}]},
            "fields.1.field",
            "phone of a lead is mapped already, by fields.0",
        ),
        (
            {"fields": [{"field": "fax", "crm_field": "x", "direction": "from_crm", "rule": "ours"}]},
            "fields.0.rule",
            "fax is only read (direction from_crm), so that ours can never hold",
        ),
        (
            {"fields": [{"field": "fax", "crm_field": "x", "direction": "to_crm", "rule": "never"}]},
            "fields.0.rule",
            "fax would be neither written nor read",
        ),
        (
            {"fields": [{"of": "account", "field": "fax", "crm_field": "x", "direction": "to_crm"}]},
            "fields.0.direction",
            "fields of accounts are only read",
        ),
        (
            {
                "fields": [{"of": "contact", "field": "fax", "crm_field": "x", "direction": "from_crm"}],
                "schedules": {"contact": None},
            },
            "fields.0.direction",
            "give schedules.contact",
        ),
        (
            {"score_field": "score_c", "fields": [{"field": "custom.rank", "crm_field": "score_c"}]},
            "fields.0.crm_field",
            "score_c is the score_field already",
        ),
        ({"event_types": ["email_sent"]}, "event_types", "email_sent is never written to a CRM"),
        (
            {
                "marketing_automation": {"on": False},
                "lead_distribution": {"on": False},
                "schedules": NOTHING_READ,
            },
            "marketing_automation.on",
            "the connection would do nothing",
        ),
        ({"time_zone": "Atlantis"}, "time_zone", "not a time zone, such as Europe/Berlin"),
        ({"schedules": {"lead": {"cron": "often"}}}, "schedules.lead.cron", "not a cron expression"),
        (
            {"schedules": {"lead": {"cron": "0 6 * * *", "every_seconds": 5}}},
            "schedules.lead",
            "give either every_seconds or cron",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused_by_name(
    settings: dict[str, Any], field: str, reason: str
) -> None:
    assert reason in refused(**settings)[field]


def test_one_of_our_fields_may_go_to_each_kind_of_record() -> None:
    rules = [{"of": kind, "field": "phone", "crm_field": "x"} for kind in ("lead", "contact")]
    assert len(of(fields=rules).fields) == 2


def test_a_change_of_a_part_leaves_the_rest_as_it_was() -> None:
    stored = of(lead_source="Web", teams=["A"], access=ACCESS | {"platform": "own"}).model_dump(mode="json")
    patch = {"access": {"user": "other"}, "marketing_automation": {"threshold": 70}}
    result = merged(SugarConnection, stored, patch)
    assert result["access"] == stored["access"] | {"user": "other"}
    assert result["marketing_automation"] == stored["marketing_automation"] | {"threshold": 70}
    assert result | {name: stored[name] for name in patch} == stored
    assert stored["access"]["user"] == "leadbus", "what was stored is left alone"


def test_null_empties_what_may_be_empty_and_takes_the_rest_back_to_its_default() -> None:
    stored = of(supplier_id="globex", lead_source="Web", time_zone="Europe/Berlin").model_dump(mode="json")
    patch = {"supplier_id": None, "lead_source": None, "default_company": None, "schedules": {"target": None}}
    result = validated(SugarConnection, merged(SugarConnection, stored, patch))
    assert (result.supplier_id, result.lead_source, result.default_company) == (None, "Leadbus", None)
    assert (result.schedules.target, result.time_zone) == (None, "Europe/Berlin")


def test_a_schedule_is_replaced_whole_since_its_members_exclude_each_other() -> None:
    stored = of().model_dump(mode="json")
    patch = {"schedules": {"lead": {"cron": "0 6 * * *"}}}
    result = validated(SugarConnection, merged(SugarConnection, stored, patch))
    assert result.schedules.lead == Schedule(cron="0 6 * * *")
    assert result.schedules.contact == of().schedules.contact


def test_a_patch_brings_unknown_names_to_be_refused() -> None:
    stored = of().model_dump(mode="json")
    with pytest.raises(Problem, match="acess: there is no such setting"):
        validated(SugarConnection, merged(SugarConnection, stored, {"acess": {"user": "x"}}))


def test_a_patch_shows_no_secret_and_keeps_the_one_that_is_stored() -> None:
    stored = of()
    shown = stored.model_dump(mode="json")
    assert "correct horse" not in json.dumps(shown)
    changed = keep_masked(
        validated(SugarConnection, merged(SugarConnection, shown, {"lead_source": "x"})), stored
    )
    assert secrets_of(changed)["access/password"] == "correct horse"


def test_the_history_names_what_changed_and_no_value() -> None:
    changed = of(access=ACCESS | {"password": "battery staple"}, lead_source="Web", event_types=["web_view"])
    assert changed_paths(of(), changed) == ("access.password", "event_types", "lead_source")
    assert changed_paths(of(), of()) == ()


class Key(BaseModel):
    secret: SecretStr | None = None


class Nested(BaseModel):
    key: Key | None = None


def test_a_secret_in_a_section_that_may_be_absent_is_found_when_it_is_there() -> None:
    assert secrets_of(Nested()) == {}
    assert secrets_of(Nested(key=Key())) == {}
    assert secrets_of(Nested(key=Key(secret=SecretStr("s")))) == {"key/secret": "s"}
    assert changed_paths(Nested(), Nested(key=Key(secret=SecretStr("s")))) == ("key.secret",)
    again = keep_masked(
        Nested(key=Key(secret=SecretStr("**********"))), Nested(key=Key(secret=SecretStr("s")))
    )
    assert secrets_of(again) == {"key/secret": "s"}
