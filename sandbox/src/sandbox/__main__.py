"""`python -m sandbox up|demo|rehearse`."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from sandbox import up as stage
from sandbox.rehearsal import story
from sandbox.sample import Plan
from sandbox.servers import ServerError
from sandbox.upstream.post import NotAnswered
from sandbox.upstream.traffic import Size

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Leadbus with all the world around it, on this machine.",
)

SEED = Annotated[int, typer.Option(help="Another number, other traffic.")]
EVENTS = Annotated[int, typer.Option("--size", min=50, help="About how many marketing events.")]
LEADS = Annotated[int, typer.Option(min=10, help="How many leads suppliers hand over.")]
RATE = Annotated[float, typer.Option(min=1, help="Items per second.")]


@app.command()
def demo(seed: SEED = 1, size: EVENTS = 3_000, distributions: LEADS = 150, rate: RATE = 120) -> None:
    """Runs the sample once, on data of its own, and ends with its figures as one line of JSON.

    Exit code 0: nothing was lost or doubled.
    """
    _run(stage.demo(Plan(seed, Size(size, distributions), rate)))


@app.command()
def up(
    data: Annotated[Path, typer.Option(help="Where the data are kept.")] = Path(".data"),
    seed: SEED = 1,
    size: EVENTS = 3_000,
    distributions: LEADS = 150,
    rate: RATE = 120,
) -> None:
    """Runs the sample and stays up until Ctrl-C; started again, it goes on with the same data."""
    _run(stage.up(Plan(seed, Size(size, distributions), rate), data))


@app.command()
def rehearse(
    short: Annotated[
        bool, typer.Option("--short", help="One tenant and three services, in half a minute.")
    ] = False,
) -> None:
    """Runs the local overlay's pods as processes, and rolls, scales and kills them under traffic.

    Exit code 0: nothing was lost or doubled, and every pod started, ran and stopped as its manifest says.
    """
    _run(story.rehearse(story.SHORT if short else story.FULL))


def _run(work: Coroutine[None, None, int]) -> None:
    try:
        with contextlib.suppress(KeyboardInterrupt):
            sys.exit(asyncio.run(_until_told(work)))
        print("Stopped.")
    except (ServerError, NotAnswered) as error:
        sys.exit(str(error))


async def _until_told(work: Coroutine[None, None, int]) -> int:
    """Being told to end (SIGTERM) is like Ctrl-C: everything is stopped in order."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


if __name__ == "__main__":
    app()
