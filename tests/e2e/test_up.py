"""`make up` on data that a crash left behind: everything was killed at once in the middle of the traffic."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from leadbus.runner import installed
from leadbus.telemetry import names
from observability.checking import declared, exposed, queries_of, series_in
from sandbox.cast import TENANTS
from sandbox.upstream.traffic import Size, traffic

SIZE = Size(120, 20)
_PATIENCE = 200.0
_API = re.compile(r"'s API +(http://\S+)/docs")
_BOARDS = [
    json.loads(path.read_text())
    for path in (Path(__file__).parents[2] / "deploy/k8s/components/grafana/dashboards").glob("*.json")
]
_NOT_IN_EVERY_RUN = {series for metric in (names.MESSAGES_DEAD,) for series in metric.series}
"""A second run meets the first one's dead letter no more."""


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
        told = [httpx.get(f"{url}/metrics", trust_env=False).text for url in _API.findall(text)]
        second.send_signal(signal.SIGINT)
        assert second.wait(60) == 0
    assert "0 faults" in text, text
    assert re.search(r"lost +│ 0 ", text), text
    posted = re.search(r"(\d+) of (\d+) items posted", said.read_text())
    assert posted
    seconds_own = traffic(2, SIZE, TENANTS, "any", datetime.now(UTC)).requests
    assert int(posted[2]) > sum(len(r.items) for r in seconds_own), "and what of the first had no answer"
    assert len(told) == len(installed())
    asked = {series for board in _BOARDS for query in queries_of(board) for series in series_in(query)}
    silent = asked & declared().keys() - exposed("".join(told)).keys()
    assert silent <= _NOT_IN_EVERY_RUN, "panels on metrics that nothing tells"


@contextmanager
def _up(data: Path, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    small = ["--size", str(SIZE.events), "--distributions", str(SIZE.distributions), "--rate", "120"]
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
