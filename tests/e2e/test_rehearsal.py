"""The rehearsal in its short form: pods as processes, replaced, grown, shrunk and killed under traffic."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(400)
def test_a_release_under_traffic_loses_and_doubles_nothing_and_every_pod_stops_in_time(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "sandbox", "rehearse", "--short"]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=390, env=environ, check=False)
    assert ran.returncode == 0, ran.stdout[-6_000:] + ran.stderr[-2_000:]
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (told["lost"], told["doubled"], told["faults"]) == (0, 0, 0)
    assert told["accepted"] > 40
    services = told["services"]
    assert {name: one["rolls"] for name, one in services.items()} == {
        "ingest": 1,
        "scoring": 1,
        "connector-sugar": 1,
    }
    assert services["ingest"]["scalings"] == 2
    assert services["connector-sugar"]["kills"] == 1
    assert all(one["sigkills"] == 0 for one in services.values())
    # Nobody who posts waits for a rollout; whoever was killed is replaced when its lease is over.
    assert services["ingest"]["stall_s"] < 10
    assert 0 < services["connector-sugar"]["stall_s"] < 60
    assert list(tmp_path.iterdir()) == []
