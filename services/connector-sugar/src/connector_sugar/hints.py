"""What a push from SugarCRM is about. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from connector_sugar.translation import KINDS
from leadbus.messages import Record

# A Web Logic Hook names the bean, not the module.
_BEANS: Mapping[str, str] = {
    **{module.removesuffix("s"): module for module in KINDS},
    "Opportunity": "Opportunities",
}
_MOST = 1_000
# Mostly UUIDs; imports and old versions have others, such as seed_sally_id.
_ID = re.compile(r"[!-~]{1,36}")


def records_of(body: bytes) -> list[Record]:
    """The records of one Web Logic Hook, or of a list of them; none for anything else.

    Shape from Sugar's documents: `{"bean": "Lead", "data": {"id": ...}, "event": ..., "dataChanges": ...}`.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return []
    found = list(_found(told if isinstance(told, list) else [told]))
    return list(dict.fromkeys(found))[:_MOST]


def _found(hooks: list[Any]) -> Iterator[Record]:
    for hook in hooks:
        if not isinstance(hook, dict):
            continue
        bean = hook.get("bean")
        module = _BEANS.get(bean, bean) if isinstance(bean, str) else None
        data = hook.get("data")
        key = data.get("id") if isinstance(data, dict) else None
        if module in KINDS and isinstance(key, str) and _ID.fullmatch(key):
            yield Record(module=module, id=key)
