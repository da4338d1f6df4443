"""Measures what Leadbus has to reach: one JSON line per figure on standard output, progress on the other."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from bench.figure import Measurement
from bench.figures import MEASUREMENTS
from bench.stage import Stage
from sandbox.servers import ServerError
from sandbox.showing import Show

_NAMES = [figure.name for measurement in MEASUREMENTS for figure in measurement.figures]
_LIST = "\n".join(f"  {f.name:35}{f.what} (ratio {f.goal})" for m in MEASUREMENTS for f in m.figures)
_WORDS = """Each line has: name, value (ours), unit, against (the other's, measured in the same run), ratio \
(ours divided by
the other's), goal, ok. The exit code is 1 if a figure misses its goal. docs/performance.md explains them."""


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=f"{__doc__}\n\n{_WORDS}",
        epilog=f"figures:\n{_LIST}\n\nexamples:\n  make bench\n  make bench ONLY=sugar_soap_rate",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("only", nargs="*", metavar="NAME", help="only these figures (make bench ONLY=NAME)")
    parser.add_argument(
        "--size", type=float, default=1.0, help="a part of the work, to try a change; goals are meant for 1"
    )
    asked = parser.parse_args()
    if unknown := sorted(set(asked.only) - set(_NAMES)):
        parser.error(f"no such figure: {', '.join(unknown)}; there are {', '.join(_NAMES)}")
    wanted = set(asked.only or _NAMES)
    chosen = [m for m in MEASUREMENTS if any(figure.name in wanted for figure in m.figures)]
    try:
        return asyncio.run(_run(chosen, wanted, asked.size))
    except (ServerError, RuntimeError, TimeoutError) as error:
        print(f"make bench: {error or type(error).__name__}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


async def _run(chosen: Sequence[Measurement], wanted: set[str], size: float) -> int:
    missed = 0
    with Show(stderr=True) as show:
        async with Stage(show.progress, size) as stage:
            for measurement in chosen:
                readings = await measurement.measure(stage)
                for figure in measurement.figures:
                    line, ok = figure.line(readings[figure.name])
                    if figure.name in wanted:
                        print(line, flush=True)
                        missed += not ok
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
