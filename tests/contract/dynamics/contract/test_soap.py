"""The contract over SOAP: CRM 2011 on premises."""

from dynamics_harness.contract import DynamicsContract
from dynamics_harness.crm import CONNECTIONS, ON_PREMISES, UNTRACKED, DynamicsUnderTest


class TestSoap(DynamicsContract, again=True):
    """A Windows user (NTLM); the address is the guide's: the Organization Web Service URL with /web."""

    def new_crm(self) -> DynamicsUnderTest:
        path = "/XRMServices/2011/Organization.svc/web"
        return DynamicsUnderTest("2011", path=path, lacks=ON_PREMISES | UNTRACKED, sessions=CONNECTIONS)
