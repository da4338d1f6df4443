"""Settings come from the environment that is handed in, and from nowhere else."""

from pathlib import Path

import pytest

from ingest.settings import IngestSettings
from leadbus.service import Service
from leadbus.settings import ConfigurationError, Settings
from leadbus.telemetry import Telemetry


def test_an_empty_environment_gives_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "elsewhere:1")
    settings = Settings.of({})
    assert settings.kafka_bootstrap_servers == "127.0.0.1:9092"
    assert settings.host == "127.0.0.1"
    assert settings.operator_token.get_secret_value() == ""


def test_every_field_is_read_from_the_variable_it_names() -> None:
    settings = IngestSettings.of(
        {
            "KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2",
            "MONGODB_URL": "mongodb://m",
            "MONGODB_DATABASE": "d",
            "LEADBUS_TOPIC_PREFIX": "test.",
            "INGEST_PORT": "0",
        }
    )
    assert (settings.kafka_bootstrap_servers, settings.mongodb_database) == ("a:1,b:2", "d")
    assert settings.mongodb_url.get_secret_value() == "mongodb://m"
    assert (settings.topic_prefix, settings.port) == ("test.", 0)


def test_proxies_that_are_no_addresses_are_named_by_their_variable() -> None:
    for wrong in ("*", "proxy.example", "10.0.0.0/8,x"):
        with pytest.raises(ConfigurationError, match=r"LEADBUS_TRUSTED_PROXIES.*neither"):
            Service("t", "127.0.0.1", 0, Telemetry("t", {}), trusted_proxies=wrong)


def test_a_secret_may_be_a_file(tmp_path: Path) -> None:
    mounted = tmp_path / "token"
    mounted.write_text("from-a-file\n")
    settings = Settings.of({"LEADBUS_OPERATOR_TOKEN_FILE": str(mounted)})
    assert settings.operator_token.get_secret_value() == "from-a-file"


def test_a_secret_file_that_is_missing_is_named_by_its_variable() -> None:
    with pytest.raises(ConfigurationError, match="LEADBUS_SECRET_KEY_FILE"):
        Settings.of({"LEADBUS_SECRET_KEY_FILE": "/nowhere/key"})


def test_a_wrong_value_names_the_variable_and_not_the_value() -> None:
    with pytest.raises(ConfigurationError, match="INGEST_PORT") as wrong:
        IngestSettings.of({"INGEST_PORT": "s3cret"})
    assert "s3cret" not in str(wrong.value)


def test_no_secret_is_printed() -> None:
    settings = Settings.of(
        {"LEADBUS_OPERATOR_TOKEN": "t0ken", "LEADBUS_SECRET_KEY": "k3y", "MONGODB_URL": "mongodb://u:pw@m"}
    )
    assert not any(secret in repr(settings) for secret in ("t0ken", "k3y", "pw"))


def test_every_field_says_what_it_is_for() -> None:
    for name, field in IngestSettings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert isinstance(field.validation_alias, str), name
