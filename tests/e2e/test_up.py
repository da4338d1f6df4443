"""`make up` on data that a crash left behind: everything was killed at once in the middle of the traffic."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PATIENCE = 200.0


@pytest.mark.timeout(450)
def test_a_second_run_after_kill_nine_goes_on_with_the_same_data_and_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with _up(data, tmp_path / "first") as (first, said):
        _until(first, said, r"[1-9]\d+ of \d+ items posted")
        # The servers and Leadbus die with it: they ask the kernel for that.
        first.kill()
    with _up(data, tmp_path / "second") as (second, said):
        _until(second, said, "Up. Ctrl-C stops it")
        text = said.read_text()
        second.send_signal(signal.SIGINT)
        assert second.wait(60) == 0
    assert "0 faults" in text, text
    assert re.search(r"lost +│ 0 ", text), text
    posted = re.search(r"(\d+) of (\d+) items posted", said.read_text())
    assert posted
    assert int(posted[2]) > 250, "the first run's unanswered items were sent by the second one"


@contextmanager
def _up(data: Path, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    small = ["--size", "200", "--distributions", "30", "--rate", "120"]
    command = [sys.executable, "-m", "sandbox", "up", "--data", str(data), *small]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            yield process, log
        finally:
            if process.poll() is None:
                process.kill()


def _until(process: subprocess.Popen[bytes], log: Path, pattern: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not re.search(pattern, log.read_text()):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)
