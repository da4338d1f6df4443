"""A Kafka that asks who one is (SCRAM) and lets nobody do anything that an ACL does not allow."""

import secrets
from pathlib import Path

from checks.rendering import Manifest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from pydantic import SecretStr

from leadbus.brokers import Brokers
from sandbox.servers import Kafka, kraft
from sandbox.servers.process import free_port

_KINDS = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}


class GuardedKafka(Kafka):
    """Its plain listener is the administrator's, `guarded` everybody else's."""

    def __init__(self, data: Path) -> None:
        super().__init__(data, environ={})
        self._guarded_port = free_port()
        self._passwords: dict[str, str] = {}

    def _prepare(self, classes: Path, settings: Path, port: int) -> None:
        super()._prepare(classes, settings, port)
        lines = (line.partition("=") for line in settings.read_text().splitlines())
        ours = {name: value for name, _, value in lines}
        address = f"GUARDED://127.0.0.1:{self._guarded_port}"
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        kraft.write(
            ours
            | {
                "listeners": f"{ours['listeners']},{address}",
                "advertised.listeners": f"{ours['advertised.listeners']},{address}",
                "listener.security.protocol.map": f"{ours['listener.security.protocol.map']},"
                "GUARDED:SASL_PLAINTEXT",
                "inter.broker.listener.name": "PLAINTEXT",
                "listener.name.guarded.sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.guarded.scram-sha-512.sasl.jaas.config": login,
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
            },
            settings,
        )

    def admit(self, user: Manifest) -> None:
        """What Strimzi does with a KafkaUser."""
        name = user["metadata"]["name"]
        password = self._passwords[name] = secrets.token_urlsafe(12)
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers})
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        made = admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(name, info, password.encode())]
        )
        acls = [
            AclBinding(
                _KINDS[acl["resource"]["type"]],
                acl["resource"]["name"],
                ResourcePatternType.LITERAL,
                f"User:{name}",
                "*",
                AclOperation[operation.upper()],
                AclPermissionType.ALLOW,
            )
            for acl in user["spec"]["authorization"]["acls"]
            for operation in acl["operations"]
        ]
        for future in [*made.values(), *admin.create_acls(acls).values()]:
            future.result(timeout=30)

    def environment(self, user: str) -> dict[str, str]:
        """What a service is told that signs in as this user."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self._guarded_port}",
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": self._passwords[user],
        }

    def brokers(self, user: str, password: str | None = None) -> Brokers:
        told = self.environment(user)
        return Brokers(
            told["KAFKA_BOOTSTRAP_SERVERS"],
            "SASL_PLAINTEXT",
            username=user,
            password=SecretStr(password or told["KAFKA_SASL_PASSWORD"]),
        )
