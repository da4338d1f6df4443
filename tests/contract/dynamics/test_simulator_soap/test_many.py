"""ExecuteMultiple: an outcome for each row."""

import pytest
from soap_client import Service, creation, many, refused, request


@pytest.mark.parametrize(
    ("goes_on", "answers", "made", "told"),
    [
        (True, True, ["A", "C"], [("0", False), ("1", True), ("2", False)]),
        (True, False, ["A", "C"], [("1", True)]),
        (False, True, ["A"], [("0", False), ("1", True)]),
        (False, False, ["A"], [("1", True)]),
    ],
)
async def test_execute_multiple_tells_each_rows_outcome(
    old: Service, goes_on: bool, answers: bool, made: list[str], told: list[tuple[str, bool]]
) -> None:
    requests = [creation("A"), creation("B" * 60), creation("C")]
    results = await old.execute("ExecuteMultiple", many(requests, goes_on=goes_on, answers=answers))
    assert [one["lastname"] for one in old.crm.records("lead")] == made
    assert results["IsFaulted"].text == "true"
    items = [
        (item.findtext("{*}RequestIndex"), item.find("{*}Fault") is not None) for item in results["Responses"]
    ]
    assert items == told
    assert old.crm.calls["execute_multiple"] == 1
    assert old.crm.operations["create"] == (3 if goes_on else 2)


async def test_execute_multiple_has_its_limits(old: Service) -> None:
    nested = request("ExecuteMultiple", many([creation("A")], goes_on=True, answers=True))
    for requests in ([nested], [creation("A")] * 1001):
        ask = many(requests, goes_on=True, answers=True)
        assert await refused(old, lambda ask=ask: old.execute("ExecuteMultiple", ask)) == 0x80040203
    assert old.crm.records("lead") == []
