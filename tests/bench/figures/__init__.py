"""The measurements, in the order in which they run; each module has one or several of the same shape."""

from bench.figure import Measurement
from bench.figures import (
    ingest,
    isolation,
    memory,
    rate,
    scoring,
    scoring_growth,
    scoring_latency,
    scoring_peers,
    updates,
)

MEASUREMENTS: tuple[Measurement, ...] = (
    *rate.MEASUREMENTS,
    *updates.MEASUREMENTS,
    *isolation.MEASUREMENTS,
    *memory.MEASUREMENTS,
    *scoring.MEASUREMENTS,
    *scoring_peers.MEASUREMENTS,
    *scoring_growth.MEASUREMENTS,
    *scoring_latency.MEASUREMENTS,
    *ingest.MEASUREMENTS,
)
