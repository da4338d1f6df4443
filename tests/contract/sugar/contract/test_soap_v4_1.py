"""The contract over SOAP v4_1: SugarCRM 6.x, CE 6.5 and SuiteCRM 7."""

from harness.sugar import SugarUnderTest

from leadbus.testing.contract import ConnectorContract
from sandbox.sugar import Protocols


class TestSoap(ConnectorContract):
    """A site with teams, connected by the address at which people sign in, with /web at its end."""

    def new_crm(self) -> SugarUnderTest:
        return SugarUnderTest(Protocols(("v2", "v4", "v4_1"), (), ()), address="{site}/web", teams=True)
