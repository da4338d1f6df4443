"""The contract over Zoho's API v8."""

from zoho_harness.crm import ZohoUnderTest

from leadbus.testing.contract import ConnectorContract, expected_failure


class TestZoho(ConnectorContract):
    """An organisation of the edition Enterprise, with a self client."""

    test_what_depends_on_an_account_without_a_user_follows_once_that_is_corrected = expected_failure(
        "In Zoho CRM every record has an owner, and a user who owns records cannot be removed without naming"
        " another."
    )

    def new_crm(self) -> ZohoUnderTest:
        return ZohoUnderTest()
