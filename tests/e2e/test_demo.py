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
    """The protocol by connection, from the table of connections."""
    table = said.partition("By which connection")[2].partition("└")[0] + "└"
    found = re.findall(
        r"│ (\S+) +│ (?:SuiteCRM 7|Sugar 14|Zoho CRM|Dynamics \S+)(.*?)(?=│ \S+ +│ [SZD]|└)", table, re.DOTALL
    )
    words = ("REST", "SOAP", "Web")
    return {name: next((word for word in words if word in rest), "?") for name, rest in found}


def _follow(said: str) -> None:
    """One person of the Zoho tenant, in one trace for each direction."""
    told = said.partition("One person of corona-zoho")[2]
    assert re.search(
        r"the way there: \S+ \(\d+ spans in connector-zoho, (feedback, )?ingest, scoring\)", told
    ), said
    (back,) = re.findall(r"the way back: \S+ \((\d+) spans in connector-zoho(?:, \w+)*\)", told)
    assert int(back) >= 2, "that it is a client, and the opportunity"


def _what_people_did(said: str) -> None:
    """A lead accepted by mail, a list that both sides change, a campaign in every CRM, mails to everybody."""
    feedback = said.partition("What Northern Supplies reads of its")[2].partition("└")[0]
    assert "│ accepted, by email" in feedback, said
    guests = said.partition("The list Guests of the fair")[2].partition("└")[0]
    assert [int(number) > 0 for number in re.findall(r"│ (\d+) +│", guests)] == [True] * 3, said
    campaign = said.partition("The campaign ")[2].partition("└")[0]
    assert len(re.findall(r"│ [1-9]\d* +│$", campaign, re.MULTILINE)) == 6, said
    mails = said.partition("Mails, in the inbox at http")[2].partition("└")[0]
    assert len(re.findall(r"│ sales@\w+\.example +│ [1-9]", mails)) == 5, said


@pytest.mark.timeout(400)
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
    ran = subprocess.run(command, capture_output=True, text=True, timeout=390, env=environ, check=False)
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
    assert re.search(
        r"Trace of one lead: \S+ \(\d+ spans in connector-\w+, (feedback, )?ingest, scoring\)", ran.stdout
    )
    _follow(ran.stdout)
    _what_people_did(ran.stdout)
    assert list(tmp_path.iterdir()) == []
