"""`leadbus run scoring` as it is, on topics of 6 partitions instead of 12.

The number is the registry's and no setting; a benchmark on 12 would see more events of one prospect in a
batch, and so flatter the figures. Run: `python -m bench.scoring_service run scoring`.
"""

from bench.contest.marketing import PARTITIONS
from leadbus import topics
from leadbus.cli import main

if __name__ == "__main__":
    for topic in topics.TOPICS:
        if topic.partitions == topics.PARTITIONS:
            object.__setattr__(topic, "partitions", PARTITIONS)
    main()
