"""The service as it is put together."""

import base64
import os

import pytest

from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.service import build
from connector_sugar.translation import LEADS, NEW_STATUS, person_pairs
from leadbus.connector.contract import NewPerson
from leadbus.settings import ConfigurationError


def test_the_service_is_named_after_its_folder() -> None:
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    assert build({"LEADBUS_SECRET_KEY": key, "LEADBUS_OPERATOR_TOKEN": "t" * 40}).name == "connector-sugar"


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(ConfigurationError, match="CONNECTOR_SUGAR_PORT"):
        build({"CONNECTOR_SUGAR_PORT": "many"})


def test_what_the_kit_is_told_of_new_leads_is_what_they_are_given() -> None:
    pairs = person_pairs(NewPerson("1", "lead", "a@example.com", {}, "Leadbus"), None)
    assert pairs["status"] == CAPABILITIES.new_lead_status == NEW_STATUS
    assert CAPABILITIES.modules == {"lead": LEADS, "contact": "Contacts"}
