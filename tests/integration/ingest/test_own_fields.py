"""A tenant's own fields: any name will do until it has some; then a misspelt one is an answer, not a loss."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ingest import own_fields
from leadbus.messages import ProspectUpdateBody
from leadbus.topics import LEADS_DISTRIBUTED

if TYPE_CHECKING:
    from conftest import Edge

FIELDS = "/v1/fields"


def lead(number: int, **custom: str) -> dict[str, Any]:
    return {
        "distribution_id": f"d-{number}",
        "supplier_id": "globex",
        "email": "ada@example.com",
        "fields": {"last_name": "Lovelace", "custom": custom},
    }


async def test_an_unknown_custom_field_is_refused_with_the_nearest_name(edge: "Edge", tenant: str) -> None:
    own = {"fields": [{"name": "segment", "label": "Segment"}, {"name": "budget", "type": "number"}]}
    async with edge.client() as operator:
        assert (await operator.put(FIELDS, json=own, params={"tenant_id": tenant})).status_code == 200
    async with edge.client(await edge.key(tenant)) as client:
        posted = [lead(1, segment="gold"), lead(2, Segmnt="gold"), lead(3, zzz="1", budget="2"), lead(4)]
        answer = await client.post("/v1/distributions", json=posted)
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["accepted", "rejected", "rejected", "accepted"]
    (misspelt,) = results[1]["errors"]
    assert (misspelt["field"], misspelt["code"]) == ("fields.custom.Segmnt", "unknown_field")
    assert "did you mean segment?" in misspelt["reason"]
    (strange,) = results[2]["errors"]
    assert "leadbus fields list" in strange["reason"]
    assert len(await edge.records(LEADS_DISTRIBUTED, tenant)) == 2


async def test_an_unknown_standard_field_is_refused_with_the_nearest_name(edge: "Edge", tenant: str) -> None:
    async with edge.client(await edge.key(tenant)) as client:
        posted = [lead(1) | {"fields": {name: "1"}} for name in ("Fone", "segment")]
        results = (await client.post("/v1/distributions", json=posted)).json()["results"]
    assert [[(e["field"], e["code"]) for e in result["errors"]] for result in results] == [
        [("fields.Fone", "unknown_field")],
        [("fields.segment", "unknown_field")],
    ]
    assert "did you mean phone?" in results[0]["errors"][0]["reason"]
    assert "belong in custom" in results[1]["errors"][0]["reason"]


async def test_a_tenant_without_names_of_its_own_may_use_any(edge: "Edge", tenant: str) -> None:
    async with edge.client(await edge.key(tenant)) as client:
        assert (await client.post("/v1/distributions", json=lead(1, anything="x"))).status_code == 202


async def test_fields_of_forms_and_updates_are_looked_at_too(edge: "Edge", tenant: str) -> None:
    event = {"type": "form_submission", "email": "ada@example.com", "fields": {"custom": {"x": "1"}}}
    update = {"email": "ada@example.com", "fields": {"custom": {"x": "1"}}}
    async with edge.client(await edge.key(tenant, "ingest", "administer", "read")) as client:
        await client.put(FIELDS, json={"fields": [{"name": "segment"}]})
        codes = [
            (await client.post(path, json=body)).status_code
            for path, body in (("/v1/events", event), ("/v1/prospects", update))
        ]
        listed = (await client.get(FIELDS)).json()
        await client.put(FIELDS, json={"fields": []})
        freed = await client.post("/v1/prospects", json=update)
    assert codes == [422, 422]
    assert [field["name"] for field in listed["fields"]] == ["segment"]
    assert "first_name" in listed["standard"]
    assert freed.status_code == 202


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([{"name": "a"}, {"name": "a"}], "given twice: a"),
        ([{"name": "phone"}], "standard fields that everybody has: phone"),
        ([{"name": "no blanks"}], "fields.0.name"),
    ],
)
async def test_names_that_cannot_be_are_refused(
    edge: "Edge", tenant: str, given: list[dict[str, str]], said: str
) -> None:
    async with edge.client(await edge.key(tenant, "administer")) as client:
        answer = await client.put(FIELDS, json={"fields": given})
    assert answer.status_code == 422
    assert said in answer.text


async def test_only_who_administers_says_which_fields_there_are(edge: "Edge", tenant: str) -> None:
    async with edge.client(await edge.key(tenant, "ingest", "read")) as client:
        assert (await client.put(FIELDS, json={"fields": []})).status_code == 403


async def test_of_two_who_change_the_fields_at_once_the_second_is_told(edge: "Edge", tenant: str) -> None:
    async with edge.client(await edge.key(tenant, "administer", "read")) as client:
        first = (await client.get(FIELDS)).json()["revision"]
        both = [{"fields": [{"name": name}], "revision": first} for name in ("segment", "tier")]
        answers = await asyncio.gather(*(client.put(FIELDS, json=given) for given in both))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        (kept,) = (answer.json() for answer in answers if answer.status_code == 200)
        assert (await client.get(FIELDS)).json() == kept
        late = await client.put(FIELDS, json=both[0])
        assert (late.status_code, "try again" in late.text) == (409, True)
        now = {"fields": [], "revision": kept["revision"]}
        assert (await client.put(FIELDS, json=now)).json()["revision"] == kept["revision"] + 1
        assert (await client.put(FIELDS, json={"fields": [{"name": "any"}]})).status_code == 200


async def test_more_than_a_thousand_fields_are_taken_and_another_tenants_are_out_of_reach(
    edge: "Edge", tenant: str
) -> None:
    many = {"fields": [{"name": f"field_{number}", "label": "[/ü\0\"'$.]"} for number in range(1_500)]}
    async with edge.client(await edge.key(tenant, "administer", "read", "ingest")) as client:
        assert (await client.put(FIELDS, json=many)).status_code == 200
        assert len((await client.get(FIELDS)).json()["fields"]) == 1_500
        refused = await client.post("/v1/distributions", json=lead(1, fild_1499="x"))
        assert "did you mean field_1499?" in refused.text
    async with edge.client(await edge.key("another", "administer", "read")) as client:
        assert (await client.put(FIELDS, json=many, params={"tenant_id": tenant})).status_code == 403
        assert (await client.get(FIELDS, params={"tenant_id": tenant})).status_code == 403


async def test_hints_are_given_twenty_at_most_until_names_are_looked_up_again() -> None:
    async def names_of(tenant_id: str) -> frozenset[str]:
        return frozenset({"segment"})

    own = own_fields.OwnFields(names_of)
    hinted = 0
    for number in range(50):
        update = ProspectUpdateBody.model_validate(
            {"email": "a@example.com", "fields": {"custom": {f"segmen{number}": "x"}}}
        )
        (fault,) = (await own.of("acme")).faults(update)
        hinted += "did you mean segment?" in fault.reason
    assert hinted == own_fields.MOST_HINTS


async def test_names_are_looked_up_twice_a_minute_however_much_is_posted() -> None:
    asked, now = [], [0.0]

    async def names_of(tenant_id: str) -> frozenset[str]:
        asked.append(tenant_id)
        return frozenset({"segment"})

    own = own_fields.OwnFields(names_of, clock=lambda: now[0])
    for _ in range(1_000):
        await own.of("acme")
    now[0] = own_fields.REMEMBERED_SECONDS + 1
    await own.of("acme")
    assert asked == ["acme", "acme"]
