"""Promises about what segments, scores and automatic lists are made of: the facts arrive, also later."""

from decimal import Decimal

from leadbus.messages import ContactChanged
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene


class Segments(Promises):
    """The figures of opportunities are among the promises about reading."""

    async def test_revenue_and_type_of_an_account_are_told_with_its_contacts_and_whenever_they_change(
        self, scene: Scene
    ) -> None:
        owner = scene.crm.rows("user")[0]["id"]
        account = scene.crm.put(
            "account", name="Engines Ltd", owner=owner, annual_revenue="2500000", account_type="Customer"
        )
        scene.crm.put("contact", email=scene.somebody().email, last_name="Lovelace", account=account)
        await scene.connect(reads=["account", "contact"])
        told = await scene.hear(ContactChanged)
        assert told.account_fields["account_type"] == "Customer"
        assert Decimal(told.account_fields["annual_revenue"]) == 2_500_000
        scene.crm.change("account", account, annual_revenue="3000000", account_type="Partner")
        await scene.sync("account")
        later = await scene.hear(ContactChanged, lambda m: m.account_fields.get("account_type") == "Partner")
        assert Decimal(later.account_fields["annual_revenue"]) == 3_000_000
        assert (later.prospect_id, later.record) == (told.prospect_id, told.record)
        assert later.occurred_at > told.occurred_at
