"""By modern REST, with httpx."""

import time
from collections.abc import Sequence
from typing import Any

import httpx

from bench.plugins.wanted import LEAD, NOTE
from bench.sugar import PASSWORD, PLATFORM, USER


def work(url: str, emails: Sequence[str]) -> float:
    """See `bench.plugins`."""
    with httpx.Client(base_url=f"{url}/rest/v11_24", timeout=60, trust_env=False) as client:
        grant = {"grant_type": "password", "client_id": "sugar", "client_secret": "", "platform": PLATFORM}
        token = _ask(client, "/oauth2/token", grant | {"username": USER, "password": PASSWORD})
        client.headers["OAuth-Token"] = token["access_token"]
        began = time.monotonic()
        for email in emails:
            wanted = {"filter": [{"email": {"$in": [email]}}], "fields": "id", "max_num": 1}
            if _ask(client, "/Leads/filter", wanted)["records"]:
                raise RuntimeError("The lead is there already.")
            address = {"email_address": email, "primary_address": True}
            lead = _ask(client, "/Leads", {**LEAD, "email": [address]})
            _ask(client, "/Notes", {**NOTE, "parent_id": lead["id"]})
        return time.monotonic() - began


def _ask(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = client.post(path, json=body)
    answer.raise_for_status()
    return answer.json()
