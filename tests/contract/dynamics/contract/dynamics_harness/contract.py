"""The contract with what is Dynamics's own: what it cannot do, and cases that only it has."""

from datetime import UTC, datetime
from typing import Any

from leadbus.messages import CrmListChanged, OpportunityChanged
from leadbus.testing.contract import ConnectorContract, expected_failure
from leadbus.testing.facts import activity
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until

OF_TURIN = (
    '<fetch version="1.0" mapping="logical"><entity name="{}"><attribute name="fullname"/><filter>'
    '<condition attribute="address1_city" operator="eq" value="Turin"/></filter></entity></fetch>'
)
KINDS = ("lead", "contact")
GROUPED = '<fetch aggregate="true"><entity name="lead"/></fetch>'


class DynamicsContract(ConnectorContract):
    """See the module."""

    test_what_depends_on_an_account_without_a_user_follows_once_that_is_corrected = expected_failure(
        "In Dynamics every account has an owner, and nobody can take it away without naming another."
    )

    async def test_members_of_dynamic_lists_are_told_and_followed(self, scene: Scene) -> None:
        cities = {"ada": "Turin", "ben": "Turin", "cyd": "Turin", "dot": "Milan"}
        people = {kind: {name: scene.somebody(f"{name}-{kind}") for name in cities} for kind in KINDS}
        keys = {
            kind: {
                name: scene.crm.put(kind, email=who.email, last_name="X", city=cities[name])
                for name, who in some.items()
            }
            for kind, some in people.items()
        }
        for kind in KINDS:
            scene.crm.put("list", name=kind, holds=kind, type=True, query=OF_TURIN.format(kind))
        broken = scene.crm.put("list", name="By city", type=True, query=GROUPED)
        scene.crm.put("list", name="Companies", holds="account")
        await scene.connect(reads=["lead", "contact"])
        scene.crm.shorten_pages()
        await scene.save(schedules={"list": {"every_seconds": 86_400}})

        def on_lists(*names: str) -> dict[str, set[str]]:
            known = {kind: {people[kind][name].prospect for name in names} for kind in KINDS}
            return {"By city": set(), **known}

        await until(lambda: _members(scene) == on_lists("ada", "ben", "cyd"), "who is on them")
        for kind, some in keys.items():
            scene.crm.change(kind, some["ada"], city="Milan")
            scene.crm.change(kind, some["dot"], city="Turin")
        await scene.sync("lead", "contact", "list")
        await until(lambda: _members(scene) == on_lists("ben", "cyd", "dot"), "who began and ceased to be")

        async def reported() -> dict[str, Any] | None:
            return next((error for error in await scene.errors() if error["object"] == "list"), None)

        error = await until(reported, "that one list cannot be run")
        assert error["record"]["id"] == broken
        assert "members cannot be read" in error["reason"]

    async def test_who_was_merged_into_another_record_is_written_there(self, scene: Scene) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"))
        ours = scene.one("lead", ada)["id"]
        theirs = scene.crm.put("lead", email=ada.email, last_name="Lovelace")
        scene.crm.change("lead", ours, merged=True, masterid=("lead", theirs), statuscode=7)
        await scene.write(ada.active(activity()))
        assert (len(scene.subjects(theirs)), scene.subjects(ours)) == (1, [])

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
