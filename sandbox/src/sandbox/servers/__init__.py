"""The servers that Leadbus needs, on one machine: Kafka, MongoDB and a trace viewer."""

from sandbox.servers.errors import ServerError
from sandbox.servers.kafka import Kafka
from sandbox.servers.mongodb import MongoDB
from sandbox.servers.world import World
from sandbox.servers.zipkin import Zipkin

__all__ = ["Kafka", "MongoDB", "ServerError", "World", "Zipkin"]
