"""The measurements, in the order in which they run; each module has one or several of the same shape."""

from bench.figure import Measurement
from bench.figures import isolation, memory, rate, updates

MEASUREMENTS: tuple[Measurement, ...] = (
    *rate.MEASUREMENTS,
    *updates.MEASUREMENTS,
    *isolation.MEASUREMENTS,
    *memory.MEASUREMENTS,
)
