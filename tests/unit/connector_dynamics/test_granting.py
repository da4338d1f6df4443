"""What the directory answers to a sign-in."""

import pytest

from connector_dynamics import oauth
from leadbus.errors import AuthRefused, Transient


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
def test_a_directory_in_trouble_refuses_nobody(error):
    with pytest.raises(Transient):
        oauth._granted(400, {"error": error, "error_description": "AADSTS90033: A transient error."}, 0.0)


def test_a_refusal_is_told_by_its_number():
    said = {"error": "invalid_client", "error_description": "AADSTS7000222: The secret of ada has expired."}
    with pytest.raises(AuthRefused, match="has expired: make a new one") as refused:
        oauth._granted(401, said, 0.0)
    assert "ada" not in str(refused.value)
