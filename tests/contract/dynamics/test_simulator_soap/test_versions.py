"""What a server of 2011, 2013, 2015 and 2016 has and lacks."""

import pytest
from soap_client import (
    LEAD,
    XRM,
    Service,
    creation,
    entity,
    many,
    option,
    reference,
    refused,
    row,
    served,
    string,
    text,
)


@pytest.mark.parametrize(
    ("version", "written"), [("2011", False), ("2015", False), ("2015 Update 1", True), ("2016", True)]
)
async def test_update_sets_state_and_owner_from_7_1_on(version: str, written: bool) -> None:
    async with served(version) as service:
        key, ada = await service.create("lead", LEAD), service.crm.site.person.id
        changes = {
            "statuscode": option(2),
            "ownerid": reference("systemuser", ada),
            "jobtitle": string("CEO"),
        }
        await service.update("lead", key, changes)
        made = row(service, "lead", key)
        assert (made["jobtitle"], made["statuscode"] == 2, ada in str(made["ownerid"])) == (
            "CEO",
            written,
            written,
        )


async def test_versions_of_records_are_told_and_kept_from_7_1_on(old: Service, new: Service) -> None:
    told = []
    for service in (old, new):
        key = await service.create("lead", LEAD)
        ask = f"<Retrieve><entityName>lead</entityName><id>{key}</id>"
        answer = await service.call(
            f"{ask}<columnSet><b:AllColumns>false</b:AllColumns></columnSet></Retrieve>"
        )
        version = answer.findtext(f".//{{{XRM}}}RowVersion")
        told.append(version is not None)
        changed = entity(
            "lead", {"jobtitle": string("CEO")}, key, end=f"<b:RowVersion>{version}</b:RowVersion>"
        )
        ask_once = {
            "Target": text("b:Entity", changed),
            "ConcurrencyBehavior": text("b:ConcurrencyBehavior", "IfRowVersionMatches"),
        }
        await service.execute("Update", ask_once)
        if service is new:
            assert await refused(new, lambda ask=ask_once: new.execute("Update", ask)) == 0x80060882
        else:
            await service.execute("Update", ask_once)
    assert told == [False, True]


async def test_alternate_keys_are_unknown_before_7_1(old: Service, new: Service) -> None:
    keys = (
        "<b:KeyAttributes><k:KeyValuePairOfstringanyType><c:key>emailaddress1</c:key>{}"
        "</k:KeyValuePairOfstringanyType></b:KeyAttributes>"
    )
    given = entity("lead", {"jobtitle": string("CEO")}, middle=keys.format(string("a+b@kot.test")))
    for service in (old, new):
        service.crm.store.switch("lead", "keys", ("emailaddress1",))
        await service.create("lead", LEAD)
    update = f"<Update><entity>{given}</entity></Update>"
    # Passed over silently: the record has no id then.
    assert await refused(old, lambda: old.call(update)) == 0x80040217
    await new.call(update)
    assert [one["jobtitle"] for one in new.crm.records("lead")] == ["CEO"]
    upsert = {"Target": text("b:Entity", given)}
    assert (await new.execute("Upsert", upsert))["RecordCreated"].text == "false"
    assert await refused(old, lambda: old.execute("Upsert", upsert)) == 0x80040203


async def test_execute_multiple_came_with_update_rollup_12() -> None:
    async with served("2011 RTM") as service:
        ask = many([creation("A")], goes_on=True, answers=True)
        assert await refused(service, lambda: service.execute("ExecuteMultiple", ask)) == 0x80040203
        assert service.crm.records("lead") == []


@pytest.mark.parametrize(
    ("version", "there"), [("2011", False), ("2013", False), ("2015", False), ("2016", True), ("9.1", True)]
)
async def test_the_web_api_came_with_2016_and_soap_is_always_there(version: str, there: bool) -> None:
    async with served(version) as service:
        answer = await service.http.get(f"{service.crm.web_api_url}/WhoAmI()")
        assert (answer.status_code == 200) is there
        assert (await service.execute("WhoAmI", {}))["UserId"].text == service.crm.user_id
        address = f"{service.crm.organisation_url}/XRMServices/2011/OrganizationData.svc/LeadSet"
        assert (await service.http.get(address)).status_code == 200
