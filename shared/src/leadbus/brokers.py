"""Where Kafka is and how to sign in to it, said once for all of its clients."""

import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from pydantic import SecretStr

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]

_NONE = SecretStr("")
_FASTSTREAM: dict[Mechanism, type[SASLScram512 | SASLScram256 | SASLPlaintext]] = {
    "SCRAM-SHA-512": SASLScram512,
    "SCRAM-SHA-256": SASLScram256,
    "PLAIN": SASLPlaintext,
}


@dataclass(frozen=True, slots=True)
class Brokers:
    """servers: host:port, separated by commas. ca_file: a bundle in PEM; empty = the system's authorities."""

    servers: str
    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = ""
    password: SecretStr = _NONE
    ca_file: str = ""

    @classmethod
    def at(cls, servers: "Brokers | str") -> "Brokers":
        """Brokers as they are described, or those at these addresses, which ask nobody who he is."""
        return servers if isinstance(servers, Brokers) else cls(servers)

    @property
    def signs_in(self) -> bool:
        """Whether the brokers ask for a user."""
        return self.protocol.startswith("SASL_")

    def for_aiokafka(self) -> dict[str, Any]:
        """Arguments of every client of aiokafka.

        Raises:
            OSError: the bundle of authorities cannot be read.
        """
        user = {
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password.get_secret_value(),
        }
        return {
            "bootstrap_servers": self.servers,
            "security_protocol": self.protocol,
            "ssl_context": self._tls(),
            **(user if self.signs_in else {}),
        }

    def for_faststream(self) -> BaseSecurity:
        """The security of a FastStream broker. Raises OSError as `for_aiokafka`."""
        tls = self._tls()
        if not self.signs_in:
            return BaseSecurity(ssl_context=tls)
        return _FASTSTREAM[self.mechanism](
            self.username, self.password.get_secret_value(), ssl_context=tls, use_ssl=tls is not None
        )

    def for_librdkafka(self) -> dict[str, str]:
        """Settings of every client of librdkafka, which reads the bundle by itself."""
        user = {
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.username,
            "sasl.password": self.password.get_secret_value(),
        }
        return {
            "bootstrap.servers": self.servers,
            "security.protocol": self.protocol,
            **({"ssl.ca.location": self.ca_file} if self.ca_file else {}),
            **(user if self.signs_in else {}),
        }

    def _tls(self) -> ssl.SSLContext | None:
        return _context(self.ca_file) if self.protocol.endswith("SSL") else None


@cache
def _context(ca_file: str) -> ssl.SSLContext:
    """One for all clients: reading the system's authorities takes 20 ms."""
    return ssl.create_default_context(cafile=ca_file or None)
