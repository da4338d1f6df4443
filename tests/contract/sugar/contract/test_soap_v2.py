"""The contract over SOAP v2: SugarCRM 5.x and 6.0."""

from collections.abc import Mapping

from harness.sugar import SugarUnderTest

from leadbus.testing.contract import ConnectorContract
from leadbus.testing.crm import Promise
from sandbox.sugar import Protocols

LACKS: Mapping[Promise, str] = {
    "teams": "This edition of SugarCRM has no teams.",
    "rights": "SOAP v2 names the modules that a user sees, and not what the user may do there.",
}


class TestOldSoap(ConnectorContract, again=True):
    """A site without teams, connected by the address of its WSDL."""

    def new_crm(self) -> SugarUnderTest:
        address = "{site}/service/v2/soap.php?wsdl"
        return SugarUnderTest(Protocols(("v2",), (), ()), address=address, lacks=LACKS)
