"""The contract with what is Dynamics's own: what it cannot do, and cases that only it has."""

from datetime import UTC, datetime

from leadbus.messages import CrmListChanged, OpportunityChanged
from leadbus.testing.contract import ConnectorContract, expected_failure
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until

OF_TURIN = (
    '<fetch version="1.0" mapping="logical"><entity name="lead"><attribute name="fullname"/><filter>'
    '<condition attribute="address1_city" operator="eq" value="Turin"/></filter></entity></fetch>'
)


class DynamicsContract(ConnectorContract):
    """See the module."""

    test_what_depends_on_an_account_without_a_user_follows_once_that_is_corrected = expected_failure(
        "In Dynamics every account has an owner, and nobody can take it away without naming another."
    )
    test_lists_are_told_with_who_was_put_on_them_and_taken_off = expected_failure(
        "A marketing list of Dynamics holds leads, contacts or accounts, but one kind of them."
    )

    async def test_members_of_static_and_dynamic_lists_are_told_and_followed(self, scene: Scene) -> None:
        people = [scene.somebody(name) for name in ("ada", "ben")]
        ada, ben = (scene.crm.put("lead", email=who.email, last_name="X", city="Turin") for who in people)
        fair = scene.crm.put("list", name="Fair of May")
        scene.crm.put("list", name="Turin", type=True, query=OF_TURIN)
        scene.crm.put("list", name="Companies", createdfromcode=1)
        scene.crm.join(fair, "lead", ada)
        await scene.connect(reads=["lead"])
        await scene.save(schedules={"list": {"every_seconds": 86_400}})
        both = {who.prospect for who in people}
        at_first = {"Fair of May": {people[0].prospect}, "Turin": both}
        await until(lambda: _members(scene) == at_first, "the members as they stand")
        scene.crm.join(fair, "lead", ben)
        scene.crm.leave(fair, "lead", ada)
        scene.crm.change("lead", ben, city="Milan")
        await scene.sync("lead", "list")
        then = {"Fair of May": {people[1].prospect}, "Turin": {people[0].prospect}}
        await until(lambda: _members(scene) == then, "who was added and taken off")

    async def test_an_opportunity_that_came_of_our_lead_is_told_without_a_contact(self, scene: Scene) -> None:
        await scene.connect(reads=["lead", "opportunity"])
        ada = scene.somebody()
        await scene.write(ada.distributed("d-17", last_name="Lovelace"))
        lead = scene.one("lead", ada)["id"]
        company = scene.crm.put("account", name="Engines Ltd")
        await scene.sync("lead")
        deal = scene.crm.put(
            "opportunity",
            name="200 engines",
            account=company,
            originatingleadid=("lead", lead),
            stage=scene.crm.words.stages[0],
            amount="1",
        )
        await scene.sync("opportunity")
        told = await scene.hear(OpportunityChanged)
        assert (told.prospect_id, told.record.id, told.lead_source) == (ada.prospect, deal, "Leadbus")
        assert [origin.distribution_id for origin in told.origins] == ["d-17"]

    async def test_an_opportunity_whose_contact_has_the_address_of_our_lead_is_told(
        self, scene: Scene
    ) -> None:
        await scene.connect(reads=["lead", "opportunity"])
        ada = scene.somebody()
        await scene.write(ada.distributed("d-17", last_name="Lovelace"))
        contact = scene.crm.put("contact", email=ada.email.upper(), last_name="Lovelace")
        scene.crm.put(
            "opportunity",
            name="200 engines",
            customerid=("contact", contact),
            stage=scene.crm.words.stages[1],
            amount="1",
            estimatedclosedate=datetime.now(UTC).date().isoformat(),
        )
        await scene.sync("opportunity")
        told = await scene.hear(OpportunityChanged)
        assert (told.prospect_id, told.stage) == (ada.prospect, "Won")


def _members(scene: Scene) -> dict[str, set[str]]:
    """Who is on each list, as the tenant's events have it."""
    members: dict[str, set[str]] = {}
    for message in scene.heard(CrmListChanged):
        known = members.setdefault(message.name, set())
        known |= {member.prospect_id for member in message.added}
        known -= {member.prospect_id for member in message.removed}
    return members
