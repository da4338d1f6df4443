"""By the older REST service, with httpx."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from bench.plugins.wanted import LEAD, NOTE, PASSWORD_MD5, by_email
from bench.sugar import USER


def work(url: str, emails: Sequence[str]) -> float:
    """See `bench.plugins`."""
    with httpx.Client(timeout=60, trust_env=False) as client:

        def ask(method: str, **arguments: Any) -> Any:
            form = {"method": method, "input_type": "JSON", "response_type": "JSON"}
            form["rest_data"] = json.dumps(arguments)
            answer = client.post(f"{url}/service/v4_1/rest.php", data=form)
            answer.raise_for_status()
            return answer.json()

        who = {"user_name": USER, "password": PASSWORD_MD5, "version": "1"}
        session = ask("login", user_auth=who, application_name="plug-in", name_value_list=[])["id"]
        began = time.monotonic()
        for email in emails:
            found = ask(
                "get_entry_list",
                session=session,
                module_name="Leads",
                query=by_email(email),
                order_by="",
                offset=0,
                select_fields=["id"],
                link_name_to_fields_array=[],
                max_results=1,
                deleted=0,
            )
            if found["entry_list"]:
                raise RuntimeError("The lead is there already.")
            pairs = _pairs({**LEAD, "email1": email})
            lead = ask("set_entry", session=session, module_name="Leads", name_value_list=pairs)
            pairs = _pairs({**NOTE, "parent_id": lead["id"]})
            ask("set_entry", session=session, module_name="Notes", name_value_list=pairs)
        return time.monotonic() - began


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
