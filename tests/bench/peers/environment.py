"""An environment for peers whose packages ask for other versions than ours: made on first use."""

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sandbox.servers.java import cache, made_once

_WANTED = Path(__file__).with_name("requirements.txt")


async def python(progress: Callable[[str], None]) -> str:
    """Its Python, which has the packages of requirements.txt and none of the project's.

    Raises:
        RuntimeError: pip could not install them.
    """
    return await asyncio.to_thread(_python, progress)


def _python(progress: Callable[[str], None]) -> str:
    version = hashlib.sha256(_WANTED.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache() / "peers" / version
    with made_once(folder) as filling:
        if filling is not None:
            progress("Quix Streams and Bytewax are installed, once")
            _run(sys.executable, "-m", "venv", str(filling))
            inside = str(filling / "bin" / "python")
            _run(inside, "-m", "pip", "install", "--quiet", "--requirement", str(_WANTED))
    return str(folder / "bin" / "python")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Peers cannot be installed: {done.stderr[-500:]}")
