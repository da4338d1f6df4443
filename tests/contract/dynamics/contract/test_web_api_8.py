"""The contract over the Web API 8.2: CRM 2016 on premises."""

from dynamics_harness.contract import DynamicsContract
from dynamics_harness.crm import CONNECTIONS, ON_PREMISES, DynamicsUnderTest


class TestWebApi8(DynamicsContract, again=True):
    """A Windows user (NTLM); the address is the one at which people open the CRM."""

    def new_crm(self) -> DynamicsUnderTest:
        return DynamicsUnderTest("2016", path="/main.aspx", lacks=ON_PREMISES, sessions=CONNECTIONS)
