"""The contract over the Web API 9.2: Dynamics 365."""

from dynamics_harness.contract import DynamicsContract
from dynamics_harness.crm import DynamicsUnderTest

from leadbus.messages import ContactChanged
from leadbus.testing.scene import Scene


class TestOnline(DynamicsContract):
    """An organisation that Microsoft runs; Leadbus signs in as an app registration (OAuth2)."""

    def new_crm(self) -> DynamicsUnderTest:
        return DynamicsUnderTest("9.2")

    async def test_marks_that_are_too_old_have_everything_read_again(self, scene: Scene) -> None:
        await scene.connect(reads=["lead"])
        ada = scene.somebody()
        key = scene.crm.put("lead", email=ada.email, last_name="Lovelace")
        await scene.sync("lead")
        scene.crm.expire_changes()
        scene.crm.delete("lead", key)
        await scene.sync("lead")
        told = await scene.hear(ContactChanged, lambda m: m.deleted)
        assert told.record.id == key
