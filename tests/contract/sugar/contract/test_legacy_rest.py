"""The contract over legacy REST v4_1."""

from harness.sugar import SugarUnderTest

from leadbus.testing.contract import ConnectorContract
from sandbox.sugar import Protocols


class TestLegacyRest(ConnectorContract, again=True):
    """A site with teams that speaks nothing else, and takes changes of addresses in one step."""

    def new_crm(self) -> SugarUnderTest:
        return SugarUnderTest(Protocols((), ("v4_1",), ()), teams=True, changes_emails=True)
