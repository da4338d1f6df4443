"""The service as it is put together."""

import base64
import os

import pytest

from connector_sugar.service import build
from leadbus.settings import ConfigurationError


def test_the_service_is_named_after_its_folder() -> None:
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    assert build({"LEADBUS_SECRET_KEY": key, "LEADBUS_OPERATOR_TOKEN": "t" * 40}).name == "connector-sugar"


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(ConfigurationError, match="CONNECTOR_SUGAR_PORT"):
        build({"CONNECTOR_SUGAR_PORT": "many"})
