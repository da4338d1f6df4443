"""The contract over modern REST: Sugar 7 to 14."""

from harness.sugar import SugarUnderTest

from leadbus.testing.contract import ConnectorContract
from sandbox.sugar import site


class TestModernRest(ConnectorContract, again=True):
    """A site with teams that has no older services any more."""

    def new_crm(self) -> SugarUnderTest:
        return SugarUnderTest(site.SUGAR_14, teams=True, sessions=1)
