"""Promises about the error report: each row with its reason, dependents under their root, none for ever."""

from typing import Any

from leadbus.messages import AccountChanged, ContactChanged, OpportunityChanged
from leadbus.testing.facts import Somebody
from leadbus.testing.promises import Promises, needs
from leadbus.testing.scene import Scene


class ErrorReport(Promises):
    """See the module."""

    async def test_what_depends_on_an_account_without_a_user_follows_once_that_is_corrected(
        self, scene: Scene
    ) -> None:
        grace = scene.crm.put("user", name="Grace Hopper", email=f"grace@{scene.tenant}.example")
        ada, account, contact = await _contact_with_account(scene, owner="")
        opportunity = scene.crm.put(
            "opportunity",
            name="200 engines",
            stage=scene.crm.words.stages[0],
            amount="1",
            close_date="2027-01-31",
            account=account,
            contact=contact,
        )
        await scene.sync("opportunity")
        root = await scene.error(lambda row: row["record"]["id"] == account)
        assert (root["object"], root["field"] is not None) == ("account", True)
        assert all(root[name] for name in ("reason", "advice", "since"))
        assert {row["record"]["id"] for row in root["dependents"]} == {contact, opportunity}
        assert [row["id"] for row in await scene.errors()] == [root["id"]]
        assert scene.heard(OpportunityChanged) == []
        assert scene.heard(AccountChanged) == []
        scene.crm.change("account", account, owner=grace)
        await scene.sync("account")
        await scene.no_errors()
        told = await scene.hear(OpportunityChanged)
        assert (told.record.id, told.prospect_id) == (opportunity, ada.prospect)
        await scene.hear(AccountChanged)
        await scene.hear(ContactChanged, lambda m: m.account is not None and m.account.id == account)

    async def test_an_account_of_an_inactive_user_waits_until_the_user_is_active(self, scene: Scene) -> None:
        grace = scene.crm.put(
            "user", name="Grace Hopper", email=f"grace@{scene.tenant}.example", active=False
        )
        _, account, contact = await _contact_with_account(scene, owner=grace)
        root = await scene.error(lambda row: row["record"]["id"] == account)
        assert "inactive" in root["reason"]
        assert [row["record"]["id"] for row in root["dependents"]] == [contact]
        scene.crm.change("user", grace, active=True)
        await scene.sync("user")
        await scene.no_errors()
        await scene.hear(AccountChanged, lambda m: m.owner_email is not None)

    async def test_a_contact_of_a_deleted_account_is_taken_in_without_it_and_reported(
        self, scene: Scene
    ) -> None:
        needs(scene, "deletions")
        grace = scene.crm.put("user", name="Grace Hopper", email=f"grace@{scene.tenant}.example")
        ada, account, contact = await _contact_with_account(scene, owner=grace)
        await scene.no_errors()
        opportunity = scene.crm.put(
            "opportunity",
            name="200 engines",
            stage=scene.crm.words.stages[0],
            amount="1",
            close_date="2027-01-31",
            account=account,
            contact=contact,
        )
        await scene.sync("opportunity")
        await scene.hear(OpportunityChanged, lambda m: m.prospect_id == ada.prospect)
        before = scene.heard(ContactChanged)
        scene.crm.delete("account", account)
        await scene.sync("account")
        await scene.hear(AccountChanged, lambda m: m.deleted)
        await scene.sync("contact", "opportunity", full=True)
        told = await scene.hear(
            ContactChanged, lambda m: m not in before and m.record.id == contact and m.account is None
        )
        assert (told.prospect_id, told.deleted) == (ada.prospect, False)
        rows = _flat(await scene.errors())
        # Some CRMs cut the ties when they delete: then nothing hangs on what is gone, and nothing is wrong.
        tied = {contact, opportunity} if scene.row("contact", contact)["account"] else set()
        assert {row["record"]["id"] for row in rows} & {contact, opportunity} == tied

    async def test_each_row_leads_into_the_crm(self, scene: Scene) -> None:
        key = scene.crm.put("lead", last_name="Lovelace")
        await scene.connect(reads=["lead"])
        row = await scene.error(lambda row: row["record"]["id"] == key)
        assert row["url"].startswith("http")
        assert key in row["url"]

    async def test_the_report_shows_a_tenants_own_rows_alone(self, scene: Scene) -> None:
        scene.crm.put("lead", last_name="Lovelace")
        await scene.connect(reads=["lead"])
        await scene.error(lambda row: row["object"] == "lead")
        await scene.connect("two", reads=["contact"])
        assert await scene.errors("two") == []


async def _contact_with_account(scene: Scene, *, owner: str) -> tuple[Somebody, str, str]:
    """A contact that we wrote, of an account with this owner, both read; and the ids of both."""
    account = scene.crm.put("account", name="Analytical Engines Ltd", owner=owner)
    await scene.connect(reads=["user", "account", "contact", "opportunity"], record_as="contact")
    ada = scene.somebody()
    await scene.write(ada.distributed(last_name="Lovelace", company="Analytical Engines Ltd"))
    row = scene.one("contact", ada)
    assert row["account"] == account
    await scene.sync("account", "contact")
    return ada, account, str(row["id"])


def _flat(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for row in rows for each in (row, *row["dependents"])]
