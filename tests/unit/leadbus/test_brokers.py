"""How services sign in to Kafka: one description, understood by each of its clients."""

from pathlib import Path

import certifi
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import Producer
from faststream.kafka.security import parse_security

from leadbus.brokers import Brokers
from leadbus.settings import ConfigurationError, Settings

GUARDED = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1,127.0.0.1:2",
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_USERNAME": "scoring",
    "KAFKA_SASL_PASSWORD": "a password",
    "KAFKA_SSL_CA_FILE": certifi.where(),
}


def test_addresses_alone_mean_brokers_that_ask_nobody() -> None:
    brokers = Settings.of({"KAFKA_BOOTSTRAP_SERVERS": "a:9092"}).brokers
    assert brokers == Brokers.at("a:9092")
    assert Brokers.at(brokers) is brokers
    assert brokers.for_librdkafka() == {"bootstrap.servers": "a:9092", "security.protocol": "PLAINTEXT"}
    assert brokers.for_aiokafka()["ssl_context"] is None
    assert "sasl_mechanism" not in brokers.for_aiokafka()


async def test_every_client_takes_its_description() -> None:
    for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"):
        brokers = Settings.of(GUARDED | {"KAFKA_SASL_MECHANISM": mechanism}).brokers
        Producer({**brokers.for_librdkafka(), "log_level": 0})  # it refuses what it does not know
        await AIOKafkaConsumer(**brokers.for_aiokafka()).stop()
        await AIOKafkaAdminClient(**brokers.for_aiokafka()).close()
        spoken = parse_security(brokers.for_faststream())
        wanted = {k: v for k, v in brokers.for_aiokafka().items() if k != "bootstrap_servers"}
        assert spoken == wanted
        assert (wanted["security_protocol"], wanted["sasl_mechanism"]) == ("SASL_SSL", mechanism)
        assert (wanted["sasl_plain_username"], wanted["sasl_plain_password"]) == ("scoring", "a password")


def test_tls_alone_names_no_user() -> None:
    brokers = Settings.of({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SASL_PASSWORD": "unused"}).brokers
    assert parse_security(brokers.for_faststream())["security_protocol"] == "SSL"
    assert brokers.for_aiokafka()["ssl_context"] is not None
    assert "sasl.password" not in brokers.for_librdkafka()


def test_the_password_comes_from_a_file_and_is_shown_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("of a file\n")
    told = {name: value for name, value in GUARDED.items() if name != "KAFKA_SASL_PASSWORD"}
    settings = Settings.of(told | {"KAFKA_SASL_PASSWORD_FILE": str(file)})
    assert settings.brokers.for_librdkafka()["sasl.password"] == "of a file"
    assert "of a file" not in repr(settings) + repr(settings.brokers)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"KAFKA_SASL_USERNAME": ""}, "KAFKA_SASL_USERNAME is not set"),
        ({"KAFKA_SSL_CA_FILE": "/nowhere/ca.crt"}, "KAFKA_SSL_CA_FILE names no file"),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM"),
    ],
)
def test_what_cannot_work_is_a_sentence_that_names_the_variable(change: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        assert Settings.of(GUARDED | change).brokers


def test_a_file_that_holds_no_authorities_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_text("no certificate")
    with pytest.raises(ConfigurationError, match="KAFKA_SSL_CA_FILE names no file of authorities"):
        assert Settings.of(GUARDED | {"KAFKA_SSL_CA_FILE": str(file)}).brokers
