"""Who reads and who writes which topic, as the services themselves say it."""

from collections.abc import Mapping

from feedback import service as feedback
from ingest import service as ingest
from leadbus.connector import service as connector
from leadbus.connector.delivering import handler
from leadbus.runner import installed
from leadbus.topics import Topic
from scoring import service as scoring

Flows = Mapping[str, tuple[Topic, ...]]

CONNECTORS = [name for name in installed() if name.startswith("connector-")]

CONSUMERS: Flows = {
    "scoring": scoring.READS,
    "feedback": feedback.READS,
    **dict.fromkeys(CONNECTORS, handler.TOPICS),
}
"""What is read as a group, with offsets, dead letters and lag."""
TABLES: Flows = {"scoring": scoring.TABLES}
"""What every pod reads whole, without a group."""
READERS: Flows = {name: (*topics, *TABLES.get(name, ())) for name, topics in CONSUMERS.items()}
WRITERS: Flows = {
    "ingest": ingest.WRITES,
    "scoring": scoring.WRITES,
    "feedback": feedback.WRITES,
    **dict.fromkeys(CONNECTORS, connector.WRITES),
}
