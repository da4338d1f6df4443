"""The main job, end to end, as a user runs it: `make demo`, smaller."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_MEMBERS = [
    "accepted",
    "rejected",
    "duplicates_dropped",
    "scored",
    "qualified",
    "distributed",
    "crm_records",
    "crm_duplicate_emails",
    "status_events",
    "opportunity_events",
    "dead_letters",
    "lost",
    "latency_ms",
]


def _spoken(said: str) -> dict[str, str]:
    """The protocol by connection, from the last table."""
    table = said.partition("By which connection")[2]
    found = re.findall(
        r"│ (\S+) +│ (?:SuiteCRM 7|Sugar 14|Zoho CRM|Dynamics \S+)(.*?)(?=│ \S+ +│ [SZD]|└)", table, re.DOTALL
    )
    words = ("REST", "SOAP", "Web")
    return {name: next((word for word in words if word in rest), "?") for name, rest in found}


def _follow(said: str) -> None:
    """One person of the Zoho tenant, in one trace for each direction."""
    told = said.partition("One person of corona-zoho")[2]
    assert re.search(r"the way there: \S+ \(\d+ spans in connector-zoho, ingest, scoring\)", told), said
    (back,) = re.findall(r"the way back: \S+ \((\d+) spans in connector-zoho\)", told)
    assert int(back) >= 2, "that it is a client, and the opportunity"


@pytest.mark.timeout(180)
def test_the_demo_loses_and_doubles_nothing_and_says_so_in_its_last_line(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "demo",
        "--size",
        "600",
        "--distributions",
        "50",
        "--rate",
        "200",
        "--seed",
        "5",
    ]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=170, env=environ, check=False)
    assert ran.returncode == 0, ran.stdout[-6_000:] + ran.stderr[-2_000:]
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert list(figures) == _MEMBERS
    assert (figures["lost"], figures["crm_duplicate_emails"], figures["dead_letters"]) == (0, 0, 1)
    assert figures["accepted"] > 600
    assert min(figures[name] for name in ("rejected", "duplicates_dropped", "qualified", "crm_records")) > 0
    assert figures["distributed"] >= 50
    assert figures["status_events"] >= 20
    assert figures["opportunity_events"] >= 10
    assert _spoken(ran.stdout) == {
        "aurora-north": "SOAP",
        "aurora-south": "SOAP",
        "borealis-sugar": "REST",
        "corona-zoho": "REST",
        "delphi-dynamics": "SOAP",
        "europa-dynamics": "Web",
    }
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"]
    assert re.search(r"Trace of one lead: \S+ \(\d+ spans in connector-\w+, ingest, scoring\)", ran.stdout)
    _follow(ran.stdout)
    assert list(tmp_path.iterdir()) == []
