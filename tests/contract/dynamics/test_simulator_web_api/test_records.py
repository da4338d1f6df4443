"""Writing records by the simulator's Web API: what is stored, what is refused, and with which code."""

from pathlib import Path
from typing import Any

import pytest

GONE = "00000000-0000-0000-0000-0000000000ff"
JANE = {"lastname": "Doe", "firstname": "Jane", "emailaddress1": "jane+tag@example.com"}


async def test_a_new_record_is_answered_by_its_address(api: Any, crm: Any) -> None:
    answer = await api.ask("POST", "leads", JANE, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    [stored] = crm.records("lead")
    assert answer.status_code == 204
    assert answer.headers["OData-EntityId"] == f"{crm.web_api_url}/leads({stored['id']})"
    assert (stored["fullname"], stored["statecode"], stored["statuscode"]) == ("Jane Doe", 0, 1)
    assert (stored["ownerid"], stored["created_by"]) == (crm.user_id, crm.user_id)
    assert stored["traceparent"].startswith("00-1111")


async def test_a_written_record_is_answered_whole_if_that_is_preferred(api: Any, crm: Any) -> None:
    address = "leads?$select=fullname,statuscode"
    answer = await api.ask("POST", address, JANE, Prefer="return=representation")
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (201, "return=representation")
    body = answer.json()
    assert (body["fullname"], body["statuscode"]) == ("Jane Doe", 1)
    changed = await api.ask(
        "PATCH", f"leads({body['leadid']})", {"jobtitle": "CEO"}, Prefer="return=representation"
    )
    assert (changed.status_code, changed.json()["jobtitle"]) == (200, "CEO")
    assert changed.json()["@odata.etag"] != body["@odata.etag"]


async def test_a_patch_creates_or_changes_as_its_conditions_say(api: Any, crm: Any) -> None:
    address = f"leads({GONE})"
    assert await api.refused("PATCH", address, {"jobtitle": "x"}, If_Match="*") == (404, "0x80040217")
    created = await api.ask("PATCH", address, JANE, If_None_Match="*")
    assert (created.status_code, crm.records("lead")[0]["id"]) == (204, GONE)
    assert await api.refused("PATCH", address, JANE, If_None_Match="*") == (412, "0x80040237")
    etag = (await api.get(address))["@odata.etag"]
    assert (await api.ask("PATCH", address, {"jobtitle": "CEO"}, If_Match=etag)).status_code == 204
    assert await api.refused("PATCH", address, {"jobtitle": "CFO"}, If_Match=etag) == (412, "0x80060882")
    assert crm.records("lead")[0]["jobtitle"] == "CEO"
    await api.ask("DELETE", address)
    again = await api.ask("PATCH", address, JANE)
    assert (again.status_code, crm.records("lead")[0]["deleted"]) == (204, False)


async def test_a_record_that_the_client_has_already_is_not_sent_again(api: Any) -> None:
    address = f"leads({await api.create('leads', JANE)})"
    etag = (await api.get(address))["@odata.etag"]
    assert (await api.ask("GET", address, If_None_Match=etag)).status_code == 304


async def test_a_deleted_record_is_gone_for_everybody_but_the_desk(api: Any, crm: Any) -> None:
    key = await api.create("leads", JANE)
    assert (await api.ask("DELETE", f"leads({key})")).status_code == 204
    assert await api.refused("GET", f"leads({key})") == (404, "0x80040217")
    assert await api.refused("DELETE", f"leads({key})") == (404, "0x80040217")
    assert await api.rows("leads") == []
    assert [row["deleted"] for row in crm.records("lead")] == [True]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"lastname": "x" * 51}, "0x80044331"),
        ({"leadsourcecode": 99}, "0x8004431A"),
        ({"leadsourcecode": "Web"}, "0x80044354"),
        ({"numberofemployees": 2**31}, "0x80044354"),
        ({"donotemail": "yes"}, "0x80044354"),
        ({"estimatedclosedate": "soon"}, "0x80044354"),
        ({"statuscode": 3, "statecode": 0}, "0x80048408"),
        ({"nosuchcolumn": 1}, "0x80048D19"),
        ({"LastName": "Doe"}, "0x80048D19"),
        ({"_ownerid_value": GONE}, "0x80048D19"),
        ({"ownerid": GONE}, "0x80048D19"),
        ({"ParentContactId@odata.bind": f"/contacts({GONE})"}, "0x80048D19"),
        ({"parentaccountid@odata.bind": f"/contacts({GONE})"}, "0x80048D19"),
        ({"parentcontactid@odata.bind": f"/contacts({GONE})"}, "0x80040217"),
        ({"parentcontactid@odata.bind": f"/Contacts({GONE})"}, "0x8006088A"),
    ],
)
async def test_what_cannot_be_stored_is_refused_with_its_code(
    api: Any, crm: Any, values: dict[str, Any], code: str
) -> None:
    assert (await api.refused("POST", "leads", values))[1] == code
    key = await api.create("leads", JANE)
    assert (await api.refused("PATCH", f"leads({key})", values))[1] == code
    assert len(crm.records("lead")) == 1


async def test_lookups_are_written_by_their_navigation_names_and_read_as_ids(api: Any, crm: Any) -> None:
    crm.desk.add_attribute("lead", "new_PartnerId", "lookup", to="account")
    partner = crm.desk.create("account", {"name": "Partner Ltd"})
    team = crm.desk.add_team("Field")
    wrong = {"new_partnerid@odata.bind": f"/accounts({partner})"}
    assert await api.refused("POST", "leads", JANE | wrong) == (400, "0x80048D19")
    lead = await api.create(
        "leads",
        JANE | {"new_PartnerId@odata.bind": f"/accounts({partner})", "ownerid@odata.bind": f"/teams({team})"},
    )
    row = await api.get(f"leads({lead})", Prefer='odata.include-annotations="*"')
    assert (row["_new_partnerid_value"], row["_ownerid_value"]) == (partner, team)
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "team"
    assert row["_new_partnerid_value@OData.Community.Display.V1.FormattedValue"] == "Partner Ltd"
    assert row["_new_partnerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "new_PartnerId"
    await api.ask("PATCH", f"leads({lead})", {"new_PartnerId@odata.bind": None})
    assert crm.records("lead")[0]["new_partnerid"] is None


async def test_activities_and_notes_hang_on_a_lead(api: Any, crm: Any) -> None:
    lead = await api.create("leads", JANE)
    about = {"regardingobjectid_lead_task@odata.bind": f"/leads({lead})"}
    assert await api.refused("POST", "phonecalls", about) == (400, "0x80048D19")
    task = await api.create(
        "tasks", about | {"subject": "Call", "scheduledend": "2026-02-01T10:00:00.5+01:00", "prioritycode": 2}
    )
    parties = [
        {"partyid_systemuser@odata.bind": f"/systemusers({crm.user_id})", "participationtypemask": 1},
        {"partyid_lead@odata.bind": f"/leads({lead})", "participationtypemask": 2},
    ]
    call = {
        "regardingobjectid_lead_phonecall@odata.bind": f"/leads({lead})",
        "phonecall_activity_parties": parties,
    }
    await api.create("phonecalls", call | {"subject": "Intro"})
    await api.create("annotations", {"subject": "Seen", "objectid_lead@odata.bind": f"/leads({lead})"})
    found = await api.rows(f"activitypointers?$filter=_regardingobjectid_value eq {lead}&$orderby=subject")
    assert [(row["activitytypecode"], row["subject"]) for row in found] == [
        ("task", "Call"),
        ("phonecall", "Intro"),
    ]
    assert (found[0]["activityid"], found[0]["scheduledend"]) == (task, "2026-02-01T09:00:00Z")
    assert [tuple(party) for party in crm.records("phonecall")[0]["to"]] == [("lead", lead)]
    assert [row["subject"] for row in await api.rows(f"leads({lead})/Lead_Annotation")] == ["Seen"]
    assert crm.records("annotation")[0]["objecttypecode"] == "lead"


async def test_a_status_brings_its_state_and_a_state_its_status(api: Any, crm: Any) -> None:
    lead = await api.create("leads", JANE)
    await api.ask("PATCH", f"leads({lead})", {"statuscode": 5})
    [row] = crm.records("lead")
    assert (row["statecode"], row["statuscode"]) == (2, 5)
    await api.ask("PATCH", f"leads({lead})", {"statecode": 0})
    [row] = crm.records("lead")
    assert (row["statecode"], row["statuscode"]) == (0, 1)
    wrong = {"statecode": 2, "statuscode": 2}
    assert await api.refused("PATCH", f"leads({lead})", wrong) == (400, "0x80048408")


async def test_a_lead_is_qualified_once_and_read_only_then(api: Any, crm: Any) -> None:
    lead = await api.create("leads", JANE | {"companyname": "Doe Ltd", "subject": "Spring"})
    action = f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead"
    wish = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": True, "Status": 3}
    answer = await api.ask("POST", action, wish)
    kinds = [row["@odata.type"] for row in answer.json()["value"]]
    assert kinds == [f"#Microsoft.Dynamics.CRM.{kind}" for kind in ("account", "contact", "opportunity")]
    [row], [contact], [opportunity] = (crm.records(name) for name in ("lead", "contact", "opportunity"))
    assert (row["statecode"], row["statuscode"], row["parentcontactid"]) == (1, 3, contact["id"])
    assert contact["originatingleadid"] == opportunity["originatingleadid"] == lead
    assert (contact["emailaddress1"], opportunity["customerid"]) == (
        JANE["emailaddress1"],
        row["parentaccountid"],
    )
    assert await api.refused("POST", action, wish) == (400, "0x80040233")
    assert await api.refused("PATCH", f"leads({lead})", {"jobtitle": "x"}) == (400, "0x80040233")
    assert (await api.ask("PATCH", f"leads({lead})", {"statecode": 0})).status_code == 204


async def test_without_the_privilege_nothing_is_done(api: Any, crm: Any) -> None:
    crm.desk.forbid("lead", ["create"])
    answer = await api.ask("POST", "leads", JANE)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "0x80040220")
    assert "prvCreateLead" in error["message"]
    crm.desk.permit("lead")
    assert await api.create("leads", JANE)
    crm.desk.forbid("account", ["create"])
    key = crm.desk.create("lead", {"lastname": "Kot", "companyname": "Kot SA"})
    wish = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": False, "Status": 3}
    action = f"leads({key})/Microsoft.Dynamics.CRM.QualifyLead"
    assert await api.refused("POST", action, wish) == (403, "0x80081018")
    assert crm.records("contact") == []


async def test_duplicates_are_looked_for_only_if_that_is_asked_for(api: Any, crm: Any) -> None:
    await api.create("leads", JANE)
    twin = JANE | {"emailaddress1": JANE["emailaddress1"].upper()}
    header = {"MSCRM.SuppressDuplicateDetection": "false"}
    refused = await api.http.post(f"{crm.web_api_url}/leads", json=twin, headers=header)
    assert (refused.status_code, refused.json()["error"]["code"]) == (412, "0x80040333")
    await api.create("leads", twin)
    crm.desk.unpublish_duplicate_rules()
    third = await api.http.post(f"{crm.web_api_url}/leads", json=twin, headers=header)
    assert (third.status_code, len(crm.records("lead"))) == (204, 3)
    crm.desk.publish_duplicate_rule("lead", "firstname", "lastname")
    other = {"lastname": JANE["lastname"].upper(), "firstname": "Jane"}
    again = await api.http.post(f"{crm.web_api_url}/leads", json=other, headers=header)
    assert again.json()["error"]["code"] == "0x80040333"
    alone = await api.http.post(f"{crm.web_api_url}/leads", json={"lastname": "Doe"}, headers=header)
    assert alone.status_code == 204


async def test_a_plug_in_refuses_with_its_own_message(api: Any, crm: Any) -> None:
    crm.desk.refuse("lead", "companyname", "Rival", "We do not sell to rivals.")
    answer = await api.ask("POST", "leads", JANE | {"companyname": "Rival"})
    assert answer.json()["error"] == {"code": "0x80040265", "message": "We do not sell to rivals."}
    assert (crm.refused_rows, crm.records("lead")) == (1, [])
    crm.desk.accept()
    await api.create("leads", JANE | {"companyname": "Rival"})


async def test_an_alternate_key_finds_creates_and_is_unique(api: Any, crm: Any) -> None:
    crm.desk.add_attribute("lead", "new_ExternalId")
    crm.desk.add_key("lead", "new_externalid")
    made = await api.ask("PATCH", "leads(new_externalid='Z-1')", JANE)
    changed = await api.ask("PATCH", "leads(new_externalid='Z-1')", {"jobtitle": "CEO"})
    assert made.headers["OData-EntityId"] == changed.headers["OData-EntityId"]
    [row] = crm.records("lead")
    assert (row["new_externalid"], row["jobtitle"]) == ("Z-1", "CEO")
    assert await api.refused("POST", "leads", {"new_externalid": "z-1"}) == (412, "0x80060892")
    assert await api.refused("PATCH", "leads(emailaddress1='a@b.example')", JANE) == (400, "0x80060888")
    assert await api.refused("GET", "leads(new_externalid='Z-2')") == (404, "0x80060891")
    assert await api.refused("PATCH", "leads(new_externalid='Z%2B1')", JANE) == (400, "0x80060888")


async def test_a_body_that_does_not_say_that_it_is_json_is_refused(api: Any, crm: Any) -> None:
    headers = {"Content-Type": "text/plain"}
    assert await api.refused("POST", "leads", JANE, **headers) == (400, "0x80060888")
    assert crm.records("lead") == []


async def test_members_of_lists_are_of_one_kind_and_static(api: Any, crm: Any) -> None:
    static = await api.create("lists", {"listname": "Fair", "createdfromcode": 4, "type": False})
    dynamic = await api.create("lists", {"listname": "All", "createdfromcode": 4, "type": True})
    lead, contact = (crm.desk.create(kind, {"lastname": "Doe"}) for kind in ("lead", "contact"))
    members = [{"@odata.type": "Microsoft.Dynamics.CRM.lead", "leadid": lead}]
    assert (
        await api.ask("POST", "AddListMembersList", {"List": {"listid": static}, "Members": members})
    ).is_success
    bound = f"lists({static})/Microsoft.Dynamics.CRM"
    again = (await api.ask("POST", f"{bound}.AddMemberList", {"EntityId": lead})).json()["Id"]
    [row] = await api.rows(f"listmembers?$filter=_listid_value eq {static}")
    assert (row["listmemberid"], row["_entityid_value"], row["entitytype"]) == (again, lead, "lead")
    assert [one["leadid"] for one in await api.rows(f"lists({static})/listlead_association")] == [lead]
    assert (await api.get(f"lists({static})"))["membercount"] == 1
    assert (await api.refused("POST", f"{bound}.AddMemberList", {"EntityId": contact}))[1] == "0x80040301"
    to_dynamic = {"List": {"listid": dynamic}, "Members": members}
    assert (await api.refused("POST", "AddListMembersList", to_dynamic))[1] == "0x8004F701"
    leaving = {"ListMember": {"listmemberid": lead}}
    assert (await api.ask("POST", f"{bound}.RemoveMemberList", leaving)).status_code == 204
    assert (await api.refused("POST", f"{bound}.RemoveMemberList", leaving))[1] == "0x80048458"
    assert (await api.get(f"lists({static})"))["membercount"] == 0


async def test_a_list_is_given_to_a_campaign_once(api: Any, crm: Any) -> None:
    fair = await api.create("campaigns", {"name": "Fair of May"})
    held = await api.create("lists", {"listname": "Fair", "createdfromcode": 4})
    bound = f"lists({held})/Microsoft.Dynamics.CRM.AddItemCampaign"
    campaign = {"Campaign": {"@odata.type": "Microsoft.Dynamics.CRM.campaign", "campaignid": fair}}
    added = (await api.ask("POST", bound, campaign)).json()["campaignitemid"]
    [item] = await api.rows(f"campaignitems?$filter=_campaignid_value eq {fair}")
    assert (item["campaignitemid"], item["entityid"], item["entitytype"]) == (added, held, "list")
    of_campaign = await api.rows(f"campaigns({fair})/campaignlist_association")
    of_list = await api.rows(f"lists({held})/campaignlist_association")
    assert ([one["listid"] for one in of_campaign], [one["campaignid"] for one in of_list]) == (
        [held],
        [fair],
    )
    assert await api.refused("POST", bound, campaign) == (412, "0x80040237")
    assert (await api.refused("POST", bound, {}))[1] == "0x80048D19"
    crm.desk.forbid("campaign", ("write",))
    assert (await api.refused("POST", bound, campaign))[1] == "0x80040220"
    crm.desk.delete("list", held)
    assert await api.rows("campaignitems") == []


async def test_an_opportunity_is_won_by_its_action(api: Any, crm: Any) -> None:
    sale = crm.desk.create("opportunity", {"name": "Spring"})
    close = {"OpportunityClose": {"opportunityid@odata.bind": f"/opportunities({sale})"}, "Status": 3}
    assert (await api.ask("POST", "WinOpportunity", close)).status_code == 204
    [row] = crm.records("opportunity")
    assert (row["statecode"], row["statuscode"]) == (1, 3)


async def test_modifiedon_has_whole_seconds_and_versions_grow(api: Any, crm: Any) -> None:
    lead = await api.create("leads", JANE)
    before = await api.get(f"leads({lead})?$select=modifiedon,versionnumber")
    await api.ask("PATCH", f"leads({lead})", {"jobtitle": "CEO"})
    after = await api.get(f"leads({lead})?$select=modifiedon,versionnumber")
    assert len(after["modifiedon"]) == len("2026-01-01T00:00:00Z")
    assert after["versionnumber"] > before["versionnumber"]
    assert after["@odata.etag"] == f'W/"{after["versionnumber"]}"'


async def test_a_file_keeps_the_organisation(
    tmp_path: Path, start_dynamics: Any, connect_dynamics: Any
) -> None:
    file = str(tmp_path / "crm.sqlite")
    async with start_dynamics(database=file) as crm, connect_dynamics(crm) as api:
        crm.desk.add_attribute("lead", "new_Score", "integer")
        crm.desk.drop_option("lead", "leadsourcecode", "Leadbus")
        crm.desk.forbid("contact", ["create"])
        lead = await api.create("leads", JANE | {"new_score": 7})
    async with start_dynamics(database=file) as crm, connect_dynamics(crm) as api:
        assert (await api.get(f"leads({lead})"))["new_score"] == 7
        assert await api.refused("POST", "contacts", JANE) == (403, "0x80040220")
        assert "Leadbus" not in {
            option.label for option in crm.store.entities["lead"].attributes["leadsourcecode"].options
        }
        assert len(await api.rows("systemusers")) == 2


async def test_single_properties_are_written_and_emptied(api: Any, crm: Any) -> None:
    lead = await api.create("leads", JANE)
    contact = crm.desk.create("contact", {"lastname": "Doe"})
    assert (await api.ask("PUT", f"leads({lead})/jobtitle", {"value": "CEO"})).status_code == 204
    assert (await api.get(f"leads({lead})/jobtitle"))["value"] == "CEO"
    await api.ask("PUT", f"leads({lead})/parentcontactid/$ref", {"@odata.id": f"/contacts({contact})"})
    assert crm.records("lead")[0]["parentcontactid"] == contact
    for name in ("jobtitle", "parentcontactid/$ref"):
        assert (await api.ask("DELETE", f"leads({lead})/{name}")).status_code == 204
    [row] = crm.records("lead")
    assert (row["jobtitle"], row["parentcontactid"]) == (None, None)
    assert (await api.ask("GET", f"leads({lead})/jobtitle")).status_code == 204
