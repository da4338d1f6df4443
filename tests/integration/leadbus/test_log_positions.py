"""What it takes to learn where logs begin and end."""

from uuid import uuid4

from aiokafka.cluster import ClusterMetadata

from leadbus.consuming.log_positions import LogPositions
from leadbus.provisioning import provision
from leadbus.topics import TOPICS


async def test_of_many_new_topics_it_learns_at_once_and_not_of_one_after_the_other(kafka, monkeypatch):
    prefix, topics = f"positions-{uuid4().hex[:8]}.", TOPICS[:8]
    await provision(kafka.bootstrap_servers, topics, prefix=prefix)
    positions = LogPositions(kafka.bootstrap_servers, prefix)
    await positions.start()
    learned, update = [], ClusterMetadata.update_metadata

    def noted(cluster, metadata):
        learned.append(len(metadata.topics))
        return update(cluster, metadata)

    monkeypatch.setattr(ClusterMetadata, "update_metadata", noted)
    partitions = [(topic.name, number) for topic in topics for number in range(topic.partitions)]
    try:
        starts = await positions.starts(partitions, {}, await positions.cluster())
    finally:
        await positions.stop()
    assert starts == dict.fromkeys(partitions, 0)
    assert set(learned) <= {1, len(topics)}, "it learned of some, then of more"
