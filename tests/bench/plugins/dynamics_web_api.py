"""Dynamics 365: the Web API as an app registration, with httpx."""

import time
from collections.abc import Sequence

import httpx

from bench.dynamics import CLIENT, DIRECTORY, SECRET
from bench.plugins.wanted import PERSON, SUBJECT


def work(url: str, emails: Sequence[str]) -> float:
    """See `bench.plugins`."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        app = {"client_id": CLIENT, "client_secret": SECRET, "scope": f"{url}/.default"}
        asked = {"grant_type": "client_credentials", **app}
        token = client.post(f"/{DIRECTORY}/oauth2/v2.0/token", data=asked).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        client.headers["Prefer"] = "return=representation"
        client.base_url = client.base_url.join("/api/data/v9.2/")
        began = time.monotonic()
        for email in emails:
            wanted = {"$select": "leadid", "$filter": f"emailaddress1 eq '{email}'", "$top": "1"}
            if client.get("leads", params=wanted).raise_for_status().json()["value"]:
                raise RuntimeError("The lead is there already.")
            made = client.post("leads", json={**PERSON, "emailaddress1": email}).raise_for_status().json()
            tie = {"objectid_lead@odata.bind": f"/leads({made['leadid']})"}
            client.post("annotations", json={"subject": SUBJECT, **tie}).raise_for_status()
        return time.monotonic() - began
