"""Zoho CRM, with httpx: for each lead a search, and a call that writes what is new."""

import time
from collections.abc import Sequence

import httpx


def work(url: str, access: dict[str, str], emails: Sequence[str], title: str) -> float:
    """Signs in, gives each of these leads another job title, and returns the seconds that the work took."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        form = {"grant_type": "authorization_code", "code": access["grant_token"]}
        form |= {name: access[name] for name in ("client_id", "client_secret")}
        token = client.post("/oauth/v2/token", data=form).raise_for_status().json()
        client.headers["Authorization"] = f"Zoho-oauthtoken {token['access_token']}"
        began = time.monotonic()
        for email in emails:
            found = client.get("/crm/v8/Leads/search", params={"email": email}).raise_for_status()
            (lead,) = found.json()["data"]
            row = {"id": lead["id"], "Designation": title}
            written = client.put("/crm/v8/Leads", json={"data": [row]}).raise_for_status()
            if written.json()["data"][0]["status"] != "success":
                raise RuntimeError("The lead is not written.")
        return time.monotonic() - began
