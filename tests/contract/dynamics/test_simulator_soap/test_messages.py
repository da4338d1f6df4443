"""Messages of Execute, one by one."""

from soap_client import LEAD, XRM, Service, entity, option, reference, refused, row, string, text


async def test_who_am_i_and_version(old: Service) -> None:
    who = await old.execute("WhoAmI", {})
    assert [who[name].text for name in ("UserId", "OrganizationId")] == [
        old.crm.user_id,
        old.crm.site.organization_id,
    ]
    assert (await old.execute("RetrieveVersion", {}))["Version"].text == "5.0.9690.4376"


async def test_state_and_owner_have_messages_of_their_own(old: Service) -> None:
    key, ada = await old.create("lead", LEAD), old.crm.site.person.id
    lead = reference("lead", key)
    await old.execute("SetState", {"EntityMoniker": lead, "State": option(2), "Status": option(5)})
    await old.execute("Assign", {"Target": lead, "Assignee": reference("systemuser", ada)})
    made = row(old, "lead", key)
    assert (made["statecode"], made["statuscode"], ada in str(made["ownerid"])) == (2, 5, True)
    wrong = {"EntityMoniker": lead, "State": option(0), "Status": option(5)}
    assert await refused(old, lambda: old.execute("SetState", wrong)) == 0x80048408
    assert await refused(old, lambda: old.execute("SetState", {"EntityMoniker": lead})) == 0x80040203


async def test_qualifying_a_lead_tells_what_it_became(old: Service) -> None:
    key = await old.create("lead", LEAD | {"companyname": string("Kot SA")})
    wish = {
        "LeadId": reference("lead", key),
        "CreateAccount": text("d:boolean", "true"),
        "CreateContact": text("d:boolean", "true"),
        "CreateOpportunity": text("d:boolean", "true"),
        "OpportunityCurrencyId": reference("transactioncurrency", old.crm.site.currency.id),
        "Status": option(3),
    }
    created = (await old.execute("QualifyLead", wish))["CreatedEntities"]
    assert [one.findtext(f"{{{XRM}}}LogicalName") for one in created] == ["account", "contact", "opportunity"]
    assert row(old, "lead", key)["statecode"] == 1
    assert await refused(old, lambda: old.execute("QualifyLead", wish)) == 0x80040233
    assert await refused(old, lambda: old.update("lead", key, {"jobtitle": string("x")})) == 0x80040233
    opportunity = created[2].findtext(f"{{{XRM}}}Id")
    closing = entity("opportunityclose", {"opportunityid": reference("opportunity", opportunity or "")})
    won = {"OpportunityClose": text("b:Entity", closing), "Status": option(3)}
    await old.execute("WinOpportunity", won)
    assert row(old, "opportunity", opportunity or "")["statecode"] == 1


async def test_a_list_is_given_to_a_campaign_once(old: Service) -> None:
    held = old.crm.desk.create("list", {"listname": "Kots", "createdfromcode": 4})
    fair = await old.create("campaign", {"name": string("Fair of May")})
    given = {
        "CampaignId": text("e:guid", fair),
        "EntityId": text("e:guid", held),
        "EntityName": string("list"),
    }
    added = (await old.execute("AddItemCampaign", given))["CampaignItemId"].text
    assert row(old, "campaignitem", added or "")["entityid"] == held
    assert await refused(old, lambda: old.execute("AddItemCampaign", given)) == 0x80040237
    wrong = given | {"EntityName": string("lead")}
    assert await refused(old, lambda: old.execute("AddItemCampaign", wrong)) == 0x80040217


async def test_members_of_lists(old: Service) -> None:
    held = old.crm.desk.create("list", {"listname": "Kots", "createdfromcode": 4})
    leads = [await old.create("lead", LEAD | {"emailaddress1": string(f"{n}@kot.test")}) for n in range(3)]
    given = {"ListId": text("e:guid", held)}
    ids = "".join(f"<f:guid>{key}</f:guid>" for key in leads[:2])
    await old.execute("AddListMembersList", given | {"MemberIds": text("f:ArrayOfguid", ids)})
    one = await old.execute("AddMemberList", given | {"EntityId": text("e:guid", leads[2])})
    assert one["Id"].text
    await old.execute("RemoveMemberList", given | {"EntityId": text("e:guid", leads[0])})

    async def members() -> set[str]:
        listed = await old.fetch(
            "<fetch><entity name='listmember'><attribute name='entityid'/></entity></fetch>"
        )
        return {key for member in listed for key in leads if key in member["entityid"]}

    assert await members() == {leads[1], leads[2]}
    related = (
        f"<b:EntityReference><b:Id>{leads[1]}</b:Id><b:LogicalName>lead</b:LogicalName></b:EntityReference>"
    )
    tie = (
        f"<{{0}}><entityName>list</entityName><entityId>{held}</entityId><relationship>"
        f"<b:SchemaName>listlead_association</b:SchemaName></relationship>"
        f"<relatedEntities>{related}</relatedEntities></{{0}}>"
    )
    await old.call(tie.format("Disassociate"))
    assert await members() == {leads[2]}
    await old.call(tie.format("Associate"))
    assert await members() == {leads[1], leads[2]}
    dynamic = old.crm.desk.create("list", {"listname": "All", "createdfromcode": 4, "type": True})
    wrong = {"ListId": text("e:guid", dynamic), "EntityId": text("e:guid", leads[0])}
    assert await refused(old, lambda: old.execute("AddMemberList", wrong)) == 0x8004F701


async def test_options_are_told_with_their_labels(old: Service) -> None:
    ask = {"EntityLogicalName": string("lead"), "LogicalName": string("leadsourcecode")}
    told = (await old.execute("RetrieveAttribute", ask))["AttributeMetadata"]
    options = {
        one.findtext(".//{*}UserLocalizedLabel/{*}Label"): one.findtext("{*}Value")
        for one in told.iter("{*}OptionMetadata")
    }
    assert (options["Web"], options["Leadbus"]) == ("8", "100000000")
    ask = {"EntityFilters": string("Entity Attributes"), "LogicalName": string("lead")}
    told = (await old.execute("RetrieveEntity", ask))["EntityMetadata"]
    names = {one.findtext("{*}LogicalName") for one in told.iter("{*}AttributeMetadata")}
    assert {"emailaddress1", "leadsourcecode", "leadid"} < names
    assert told.findtext("{*}PrimaryIdAttribute") == "leadid"
    missing = {"EntityLogicalName": string("lead"), "LogicalName": string("nothing")}
    assert await refused(old, lambda: old.execute("RetrieveAttribute", missing)) == 0x80040217


async def test_duplicate_rules_are_applied_when_asked_for(old: Service) -> None:
    await old.create("lead", LEAD)
    await old.create("lead", LEAD)
    ask = {
        "Target": text("b:Entity", entity("lead", LEAD)),
        "SuppressDuplicateDetection": text("d:boolean", "false"),
    }
    assert await refused(old, lambda: old.execute("Create", ask)) == 0x80040333
    assert len(old.crm.records("lead")) == 2
