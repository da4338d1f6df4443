"""Settings, from the environment alone; every service subclasses `Settings` with what is its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from leadbus.brokers import Brokers, Mechanism, Protocol
from leadbus.errors import LeadbusError


class ConfigurationError(LeadbusError):
    """The environment is not usable; the text names the variable and never its value."""


class Settings(BaseSettings):
    """What every service is told. A field's `validation_alias` is its environment variable.

    A secret may be given as `<VARIABLE>_FILE`, the path of a file that holds it.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True, case_sensitive=True
    )

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092",
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
        description="Kafka brokers to begin with, as host:port, separated by commas.",
    )
    kafka_security_protocol: Protocol = Field(
        "PLAINTEXT",
        validation_alias="KAFKA_SECURITY_PROTOCOL",
        description="How the brokers are spoken to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.",
    )
    kafka_sasl_mechanism: Mechanism = Field(
        "SCRAM-SHA-512",
        validation_alias="KAFKA_SASL_MECHANISM",
        description="How the service signs in to the brokers: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN.",
    )
    kafka_sasl_username: str = Field(
        "",
        validation_alias="KAFKA_SASL_USERNAME",
        description="The service's user at the brokers, with a protocol that begins with SASL.",
    )
    kafka_sasl_password: SecretStr = Field(
        SecretStr(""), validation_alias="KAFKA_SASL_PASSWORD", description="That user's password."
    )
    kafka_ssl_ca_file: str = Field(
        "",
        validation_alias="KAFKA_SSL_CA_FILE",
        description="A file of certificate authorities (PEM) that the brokers' certificates are held"
        " against; empty = the system's.",
    )
    mongodb_url: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017/?replicaSet=rs0"),
        validation_alias="MONGODB_URL",
        description="MongoDB's connection string; it must be a replica set, for transactions.",
    )
    mongodb_database: str = Field(
        "leadbus",
        validation_alias="MONGODB_DATABASE",
        pattern=r"^[A-Za-z0-9_-]{1,60}$",
        description="The database that holds every service's collections.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="LEADBUS_SECRET_KEY",
        description="The key that encrypts CRM credentials: 32 bytes in URL-safe base64;"
        " after a comma, older keys that still decrypt.",
    )
    operator_token: SecretStr = Field(
        SecretStr(""),
        validation_alias="LEADBUS_OPERATOR_TOKEN",
        description="The operator's bearer token, good for everything and every tenant; empty = none.",
    )
    host: str = Field(
        "127.0.0.1",
        validation_alias="LEADBUS_HOST",
        description="The address the service's HTTP API listens on.",
    )
    trusted_proxies: str = Field(
        "",
        validation_alias="LEADBUS_TRUSTED_PROXIES",
        description="Addresses and networks (CIDR) of proxies, separated by commas, whose X-Forwarded-For"
        " says where a call comes from; empty = none is believed.",
    )
    outgoing_address: str = Field(
        "",
        validation_alias="LEADBUS_OUTGOING_ADDRESS",
        description="The address from which this installation calls CRMs, named in findings when a CRM or a"
        " firewall refuses us.",
    )
    topic_prefix: str = Field(
        "",
        validation_alias="LEADBUS_TOPIC_PREFIX",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="Set before every topic's name, so that several installations can share a cluster.",
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        validation_alias="SMTP_URL",
        description="The mail server, such as smtp+starttls://user:password@mail.example.com:587; smtps://"
        " for TLS from the first byte, smtp:// for TLS if it is offered; empty = connectors send no mails.",
    )
    mail_from: str = Field(
        "",
        validation_alias="MAIL_FROM",
        description="Whom mails come from, such as Leadbus <leadbus@example.com>; needed with SMTP_URL.",
    )
    feedback_public_url: str = Field(
        "",
        validation_alias="FEEDBACK_PUBLIC_URL",
        description="Where people's browsers reach the service feedback, where links in mails accept or"
        " reject a lead; empty = mails hold none.",
    )
    allow_internal_addresses: str = Field(
        "",
        validation_alias="LEADBUS_ALLOW_INTERNAL_ADDRESSES",
        description="Internal hosts and networks (CIDR), separated by commas, where a CRM may live.",
    )

    @property
    def brokers(self) -> Brokers:
        """Where Kafka is, and how this service signs in to it. Raises ConfigurationError."""
        found = Brokers(
            self.kafka_bootstrap_servers,
            self.kafka_security_protocol,
            self.kafka_sasl_mechanism,
            self.kafka_sasl_username,
            self.kafka_sasl_password,
            self.kafka_ssl_ca_file,
        )
        if found.signs_in and not found.username:
            raise ConfigurationError("KAFKA_SASL_USERNAME is not set; KAFKA_SECURITY_PROTOCOL needs it.")
        try:
            found.for_aiokafka()
        except OSError as error:
            raise ConfigurationError(
                f"KAFKA_SSL_CA_FILE names no file of authorities ({type(error).__name__})."
            ) from None
        return found

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """The settings that `environ`, and nothing else, describes.

        Raises:
            ConfigurationError: a variable is missing or wrong.
        """
        source = EnvSettingsSource(cls)
        source.env_vars = {**environ, **cls._from_files(environ)}
        try:
            return cls(**source())
        except ValidationError as error:
            raise ConfigurationError(_sentence(error)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: `of` reads the environment, tests name fields."""
        return (init_settings,)

    @classmethod
    def _from_files(cls, environ: Mapping[str, str]) -> dict[str, str]:
        secrets = {str(f.validation_alias) for f in cls.model_fields.values() if f.annotation is SecretStr}
        return {
            name: _read(f"{name}_FILE", environ[f"{name}_FILE"])
            for name in secrets
            if environ.get(f"{name}_FILE")
        }


def _read(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{variable} names a file that cannot be read ({type(error).__name__})."
        ) from None


def _sentence(error: ValidationError) -> str:
    """One sentence per variable."""
    return " ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'The settings'}: {fault['msg']}."
        for fault in error.errors(include_input=False, include_url=False)
    )
