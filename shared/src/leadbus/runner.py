"""Runs services: one per pod, or many in one process."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from leadbus.errors import LeadbusError
from leadbus.installed import importing, installed
from leadbus.service import Service
from leadbus.settings import ConfigurationError
from leadbus.telemetry import configure_logging
from leadbus.telemetry.logs import current_service

log = logging.getLogger(__name__)

STOP_SECONDS = 25.0
OK, CRASHED, MISUSED = 0, 1, 2
LOOKS = (5_000, 5, 400)
"""How many objects may be new before Python looks for cycles among them, and every which look goes further
back. By its defaults, 700, 10 and 10, it looks dozens of times through one batch's objects, of which none is
garbage yet, which took longer than scoring them; and it stops everything to look through all that is kept."""

SWITCH_SECONDS = 0.0005
"""How long the event loop waits for Python when another thread has it, after each wait for a server. By
default 5 ms: at 2,000 events/s scoring's median was 41 ms instead of 34, its p99 129 instead of 94."""


class UnknownService(LeadbusError):
    """No installed package offers a service of that name."""


def build(names: Sequence[str], environ: Mapping[str, str]) -> list[Service]:
    """Puts the named services together.

    Raises:
        UnknownService, ConfigurationError: with a sentence that says which and why.
    """
    known = installed()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnknownService(f"There is no service {', '.join(unknown)}; installed are {', '.join(known)}.")
    built = [known[name].load()(environ) for name in dict.fromkeys(names)]
    if any(not isinstance(service, Service) for service in built):
        raise TypeError("an entry point of leadbus.services did not build a Service")
    return built


def run(names: Sequence[str], environ: Mapping[str, str]) -> int:
    """Runs until SIGTERM or SIGINT; the exit code: 0 stopped as asked, 1 crashed, 2 wrongly configured."""
    return _with(serve, names, environ)


def prepare(names: Sequence[str], environ: Mapping[str, str]) -> int:
    """Makes what the services need in MongoDB and Kafka (`Service.prepare`); the exit code is as of `run`."""
    return _with(prepare_each, names, environ)


def _with(
    do: Callable[[Sequence[Service]], Coroutine[Any, Any, int]],
    names: Sequence[str],
    environ: Mapping[str, str],
) -> int:
    configure_logging(names[0] if len(names) == 1 else "leadbus")
    try:
        with importing():
            services = build(names, environ)
    except (UnknownService, ConfigurationError) as error:
        sys.stderr.write(f"{error}\n")
        return MISUSED
    gc.set_threshold(*LOOKS)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()  # what was imported stays; to look through it stopped everything for a tenth of a second
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(do(services))


async def prepare_each(services: Sequence[Service]) -> int:
    """One after the other; the worst of the exit codes."""
    return max([await _ends_well(service.name, service.prepare()) for service in services], default=OK)


async def serve(services: Sequence[Service], stopping: asyncio.Event | None = None) -> int:
    """Runs services side by side until a signal, `stopping`, or the end of one of them."""
    stopping = stopping or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    running = [asyncio.create_task(_run(service, stopping), name=service.name) for service in services]
    asked = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({*running, asked}, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        _, late = await asyncio.wait(running, timeout=STOP_SECONDS)
    finally:
        asked.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    for task in late:
        log.error("%s did not stop within %d s and is abandoned", task.get_name(), STOP_SECONDS)
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return max([CRASHED if late else OK, *(task.result() for task in running if task not in late)])


async def _run(service: Service, stopping: asyncio.Event) -> int:
    current_service.set(service.name)
    return await _ends_well(service.name, service.run(stopping))


async def _ends_well(service: str, running: Awaitable[None]) -> int:
    """The exit code of what a service does."""
    try:
        await running
    except ConfigurationError as error:
        log.error("%s cannot run: %s", service, error)  # noqa: TRY400 - a sentence, not a traceback
        return MISUSED
    except Exception:
        log.exception("%s has crashed", service)
        return CRASHED
    return OK


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # where there is no wheel for it, the standard loop does
        return None
    return uvloop.Loop
