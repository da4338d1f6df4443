"""`$batch`: several calls in one, and each one's answer."""

import json
from pathlib import Path

import pytest

from connector_dynamics.web_api import batch
from connector_dynamics.web_api.batch import Part

CONTRACT = Path(__file__).parents[4] / "shared" / "contracts" / "dynamics" / "webapi" / "batch.json"


@pytest.fixture(scope="module")
def samples():
    if not CONTRACT.exists():
        pytest.skip(f"the samples are not there: {CONTRACT}")
    return [exchange["response"] for exchange in json.loads(CONTRACT.read_text())["exchanges"]]


def test_calls_stand_one_behind_another_with_crlf():
    parts = [
        Part("PATCH", "https://x.test/leads(1)", {"If-None-Match": "*"}, '{"lastname":"Ø"}'.encode()),
        Part("GET", "https://x.test/leads(2)"),
    ]
    content_type, content = batch.encode(parts)
    boundary = content_type.partition('boundary="')[2].rstrip('"').encode()
    first, second = content.split(b"--" + boundary + b"\r\n")[1:]
    head = b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    patch = b"PATCH https://x.test/leads(1) HTTP/1.1\r\nIf-None-Match: *\r\n\r\n"
    assert first == head + patch + '{"lastname":"Ø"}\r\n'.encode()
    assert second == head + b"GET https://x.test/leads(2) HTTP/1.1\r\n\r\n\r\n--" + boundary + b"--\r\n"
    assert content.count(b"\n") == content.count(b"\r\n")


def test_documented_answers_are_read_one_by_one(samples):
    answers = batch.decode(samples[0]["headers"]["Content-Type"], samples[0]["body"].encode())
    assert [answer.status for answer in answers] == [204, 204, 200]
    assert "tasks(d31ba648" in answers[0].headers["odata-entityid"]
    assert json.loads(answers[2].content)["value"][1]["subject"] == "Task 2 in batch"


def test_one_that_failed_among_others_keeps_its_place(samples):
    answers = batch.decode(samples[3]["headers"]["Content-Type"], samples[3]["body"].encode())
    assert [answer.status for answer in answers] == [400, 204]
    assert json.loads(answers[0].content)["error"]["code"] == "0x80044331"


def test_calls_that_were_dropped_are_missing(samples):
    answers = batch.decode(samples[2]["headers"]["Content-Type"], samples[2]["body"].encode())
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("text/html", b"<html>"),
        ("multipart/mixed; boundary=b", b"--b\r\n\r\n\r\nnonsense\r\n\r\n\r\n--b--\r\n"),
    ],
)
def test_what_is_no_batch_is_refused(content_type, content):
    with pytest.raises(ValueError, match=r"no multipart|without a status"):
        batch.decode(content_type, content)
