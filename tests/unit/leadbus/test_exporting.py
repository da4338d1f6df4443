"""What is held of a person is JSON, whatever others have written into it."""

import json
from datetime import UTC, datetime

from bson import Decimal128, Int64, ObjectId

from leadbus.erasing.holdings import as_json


def test_an_export_is_json_whatever_a_document_holds() -> None:
    odd = {
        "$where": "\x00\x1b[2J\u202e</script>",
        "nan": float("nan"),
        "inf": -float("inf"),
        "many": Int64(2**62),
        "price": Decimal128("1.10"),
        "id": ObjectId("0" * 24),
        "raw": b"\xff\x00",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "nested": [("a", {1: None})],
    }
    shown = json.loads(json.dumps(as_json(odd), allow_nan=False))
    assert shown["$where"] == odd["$where"]
    assert (shown["nan"], shown["inf"], shown["many"]) == ("nan", "-inf", 2**62)
    assert (shown["price"], shown["raw"], shown["at"]) == ("1.10", "/wA=", "2026-01-01T00:00:00+00:00")
    assert (shown["id"], shown["nested"]) == ("0" * 24, [["a", {"1": None}]])
