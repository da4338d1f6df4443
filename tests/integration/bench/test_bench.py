"""`make bench` as a program: what it prints where, at a size that says nothing about speed."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from sandbox.servers import Kafka, MongoDB

TESTS = Path(__file__).parents[2]


async def bench(*arguments: str, **environ: str) -> tuple[int | None, str, str]:
    """Exit code, standard output and standard error."""
    told = os.environ | {"PYTHONPATH": str(TESTS)} | environ
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench", *arguments, env=told, stdout=PIPE, stderr=PIPE
    )
    out, err = await child.communicate()
    return child.returncode, out.decode(), err.decode()


async def test_one_figure_is_one_line_of_json_with_its_ratio_and_goal(kafka: Kafka, mongodb: MongoDB) -> None:
    servers = {kafka.variable: kafka.address, mongodb.variable: mongodb.address}
    code, out, err = await bench("sugar_soap_calls", "--size", "0.01", **servers)
    assert code in (0, 1), err
    assert out, err
    (line,) = out.splitlines()
    figure = json.loads(line)
    assert list(figure) == ["name", "value", "unit", "against", "ratio", "goal", "ok"]
    assert (figure["name"], figure["unit"], figure["goal"]) == (
        "sugar_soap_calls",
        "calls/1000 leads",
        "<= 0.1",
    )
    assert figure["against"] == 3200  # search, create, note; and one login for five leads
    assert 0 < figure["ratio"] < 1
    assert figure["ok"] is (figure["ratio"] <= 0.1) is (code == 0)
    assert "20 leads by Leadbus" in err


async def test_one_run_measures_rate_and_credits_of_updates_in_zoho(kafka: Kafka, mongodb: MongoDB) -> None:
    servers = {kafka.variable: kafka.address, mongodb.variable: mongodb.address}
    figures = ("zoho_updates_rate", "zoho_updates_credits")
    code, out, err = await bench(*figures, "--size", "0.01", **servers)
    assert code in (0, 1), err
    assert out, err
    rate, credits = map(json.loads, out.splitlines())
    assert (rate["name"], credits["name"]) == figures
    assert 1 < rate["against"] < 5  # two calls of 100 ms each
    assert credits["against"] == 4_000  # a search costs 3, a row 1
    assert 0 < credits["value"] <= 500
    assert "20 leads are brought there" in err


async def test_calls_of_dynamics_are_told_with_the_requests_that_are_in_them(
    kafka: Kafka, mongodb: MongoDB
) -> None:
    servers = {kafka.variable: kafka.address, mongodb.variable: mongodb.address}
    code, out, err = await bench("dynamics_web_api_calls", "--size", "0.01", **servers)
    assert code in (0, 1), err
    assert out, err
    figure = json.loads(out)
    assert figure["against"] == 3200  # search, create, note; and one token for five leads
    assert 0 < figure["value"] < 1_000
    assert figure["requests"] >= 2_000, "each lead and each note is one"


async def test_scoring_is_compared_only_with_what_gives_the_same_results(
    kafka: Kafka, mongodb: MongoDB
) -> None:
    servers = {kafka.variable: kafka.address, mongodb.variable: mongodb.address}
    figures = ("scoring_vs_reference", "scoring_cpu_vs_reference")
    code, out, err = await bench(*figures, "--size", "0.02", **servers)
    assert code in (0, 1), err
    assert out, err
    rate, cpu = map(json.loads, out.splitlines())
    assert (rate["name"], cpu["name"]) == figures
    assert rate["ratio"] == pytest.approx(rate["value"] / rate["against"], rel=0.01)
    assert 0 < cpu["against"] < 1_000, "microseconds of CPU for an event"
    assert "Round 1, the reference: " in err
    assert "Round 1, Leadbus: " in err


async def test_ingest_is_compared_only_where_kafka_holds_what_both_accepted(
    kafka: Kafka, mongodb: MongoDB
) -> None:
    servers = {kafka.variable: kafka.address, mongodb.variable: mongodb.address}
    figures = ("ingest_single_vs_asgi", "ingest_array_vs_asgi")
    code, out, err = await bench(*figures, "--size", "0.1", **servers)
    assert code in (0, 1), err
    assert out, err
    one, many = map(json.loads, out.splitlines())
    assert (one["name"], many["name"]) == figures
    assert 0 < one["ratio"] == pytest.approx(one["value"] / one["against"], rel=0.01)
    assert 0 < many["ratio"] == pytest.approx(many["value"] / many["against"], rel=0.01)
    assert "Round 1, by hand: " in err


async def test_a_name_that_is_no_figure_is_refused_with_those_there_are() -> None:
    code, out, err = await bench("sugar_speed")
    assert (code, out) == (2, "")
    assert "no such figure: sugar_speed; there are sugar_soap_rate" in err
