"""Promises about fields: who decides about each, which way it goes, and where it is kept."""

from typing import Any

from leadbus.connector.capabilities import PersonKind
from leadbus.messages import ContactChanged
from leadbus.testing.facts import Somebody
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene

STANDARD = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "title": "Countess",
    "company": "Engines Ltd",
    "phone": "+44 20 1",
    "mobile": "+44 77 2",
    "fax": "+44 20 3",
    "street": "12 St James's Square",
    "city": "London",
    "state": "Middlesex",
    "postal_code": "SW1Y 4JH",
    "country": "United Kingdom",
    "website": "https://engines.example",
    "birthday": "1915-12-10",
    "comments": "Met at the fair",
}
NOWHERE: dict[PersonKind, set[str]] = {"lead": {"birthday"}, "contact": {"company", "website"}}
"""What some CRMs' records have no field for; the company of a contact is its account."""
RULES = {"phone": "ours", "mobile": "theirs", "city": "newest", "state": "only_if_empty", "country": "never"}


class FieldRules(Promises):
    """See the module."""

    async def test_every_standard_field_of_leads_and_contacts_is_written_and_read(self, scene: Scene) -> None:
        spare = scene.crm.words.spare_field
        mapped = [{"of": kind, "field": "custom.segment", "crm_field": spare} for kind in NOWHERE]
        await scene.connect(reads=["lead", "contact"], fields=mapped)
        people: dict[PersonKind, Somebody] = {"lead": scene.somebody(), "contact": scene.somebody("ben")}
        distributed = (
            who.distributed(at=1, **STANDARD, custom={"segment": "gold"}) for who in people.values()
        )
        await scene.write(people["contact"].updated(state="client"), *distributed)
        wanted = {}
        for kind, who in people.items():
            row, theirs = scene.one(kind, who), await _theirs(scene, kind)
            assert STANDARD.keys() - theirs.keys() <= NOWHERE[kind]
            known = {name: STANDARD[name] for name in STANDARD if name in theirs} | {"custom.segment": "gold"}
            assert {name: row[theirs[name]] for name in known} == known
            scene.crm.change(kind, row["id"], phone="2")
            wanted[who.prospect] = known | {"phone": "2"}
        await scene.sync("lead", "contact")
        assert {m.prospect_id: m.fields.flat() for m in scene.heard(ContactChanged)} == wanted

    async def test_the_five_rules_decide_about_the_fields_of_a_record_that_exists(self, scene: Scene) -> None:
        await scene.connect(fields=_rules(scene))
        ada = scene.somebody()
        scene.crm.put("lead", email=ada.email, last_name="Byron", **dict.fromkeys(RULES, "theirs"))
        # At first earlier than the salesperson's entry, then later.
        await scene.write(ada.distributed(at=-3600, **dict.fromkeys(RULES, "ours")))
        theirs = dict.fromkeys(RULES, "theirs")
        assert _fields(scene, ada.email) == theirs | {"phone": "ours"}
        await scene.write(ada.distributed("d-2", at=3600, **dict.fromkeys(RULES, "late")))
        assert _fields(scene, ada.email) == theirs | {"phone": "late", "city": "late"}

    async def test_the_five_rules_decide_about_fields_that_the_crm_has_not_filled(self, scene: Scene) -> None:
        await scene.connect(fields=_rules(scene))
        ada, ben = scene.somebody(), scene.somebody("ben")
        scene.crm.put("lead", email=ada.email, last_name="Byron")
        for who in (ada, ben):  # one that exists, and one to be created
            await scene.write(who.distributed(at=3600, **dict.fromkeys(RULES, "ours")))
            assert _fields(scene, who.email) == dict.fromkeys(RULES, "ours") | {"country": ""}

    async def test_a_field_goes_the_way_that_its_mapping_says(self, scene: Scene) -> None:
        fields = scene.crm.words.fields
        await scene.connect(
            reads=["lead"],
            fields=[
                {"of": "lead", "field": "phone", "crm_field": fields["phone"], "direction": "to_crm"},
                {"of": "lead", "field": "mobile", "crm_field": fields["mobile"], "direction": "from_crm"},
            ],
        )
        ada = scene.somebody()
        await scene.write(ada.distributed(phone="1", mobile="2"))
        row = scene.one("lead", ada)
        assert (row["phone"], row["mobile"]) == ("1", "")
        await scene.sync("lead")
        scene.crm.change("lead", row["id"], phone="3", mobile="4", city="Turin")
        await scene.sync("lead")
        told = await scene.hear(ContactChanged, lambda m: m.fields.city == "Turin")
        assert (told.fields.phone, told.fields.mobile) == (None, "4")

    async def test_a_custom_field_is_written_and_read_where_it_is_mapped_to(self, scene: Scene) -> None:
        spare = scene.crm.words.spare_field
        await scene.connect(
            reads=["lead"], fields=[{"of": "lead", "field": "custom.segment", "crm_field": spare}]
        )
        ada = scene.somebody()
        await scene.write(ada.distributed(custom={"segment": "gold", "unmapped": "x"}))
        row = scene.one("lead", ada)
        assert row[spare] == "gold"
        scene.crm.change("lead", row["id"], **{spare: "silver"})
        await scene.sync("lead")
        told = await scene.hear(ContactChanged, lambda m: m.fields.custom.get("segment") == "silver")
        assert told.prospect_id == ada.prospect


async def _theirs(scene: Scene, kind: str) -> dict[str, str]:
    """The CRM's names of fields, by ours."""
    answer = await scene.house.ask("GET", f"/v1/connections/{scene.id_of()}/fields/{kind}")
    return {row["ours"]: row["name"] for row in answer["fields"] if row["ours"]}


def _rules(scene: Scene) -> list[dict[str, Any]]:
    return [
        {"of": "lead", "field": name, "crm_field": scene.crm.words.fields[name], "rule": rule}
        for name, rule in RULES.items()
    ]


def _fields(scene: Scene, email: str) -> dict[str, str]:
    row = scene.one("lead", email)
    return {name: row[name] for name in RULES}
