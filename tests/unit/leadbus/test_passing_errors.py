"""Which of MongoDB's errors are waited out, and which are a batch's own fault."""

import pytest
from pymongo.errors import AutoReconnect, ConfigurationError, OperationFailure, PyMongoError

from leadbus.storage.mongo import passes_by_itself


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (AutoReconnect("connection closed"), True),
        (OperationFailure("not primary", 10107), True),
        (ConfigurationError("Sessions are not supported by this MongoDB deployment"), True),
        (OperationFailure("document is too large", 10334), False),
    ],
)
def test_a_server_that_ends_or_starts_is_waited_for(error: PyMongoError, passes: bool) -> None:
    assert passes_by_itself(error) is passes
