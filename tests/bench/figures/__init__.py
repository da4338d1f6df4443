"""The measurements, in the order in which they run; each module has one or several of the same shape."""

from bench.figure import Measurement
from bench.figures import isolation, memory, rate

MEASUREMENTS: tuple[Measurement, ...] = (*rate.MEASUREMENTS, *isolation.MEASUREMENTS, *memory.MEASUREMENTS)
