"""What never reaches the service, and what goes wrong on demand."""

from soap_client import LEAD, SERVICES, Service, refused, request


async def test_what_wcf_refuses_has_no_detail(old: Service) -> None:
    who = f"<Execute><request>{request('WhoAmI', {})}</request></Execute>"
    wrong = await old.post(who, SOAPAction=f'"{SERVICES}/IOrganizationService/Create"')
    assert (wrong.status_code, "ContractFilter mismatch" in wrong.text) == (500, True)
    assert (await old.post(who, **{"Content-Type": "application/soap+xml"})).status_code == 415
    for body in (b"", b"<nonsense", b"<a/>"):
        headers = {"Content-Type": "text/xml", "SOAPAction": "x"}
        answer = await old.http.post(old.crm.soap_url, content=body, headers=headers)
        assert (answer.status_code, "internal error" in answer.text) == (500, True)
        assert "ErrorCode" not in answer.text
    assert await refused(old, lambda: old.execute("NoSuchMessage", {})) == 0x80040203


async def test_faults_and_costs_strike_soap_too(old: Service) -> None:
    old.crm.faults.add("error", of="writes", times=1)
    assert await refused(old, lambda: old.create("lead", LEAD)) == 0x80040216
    old.crm.faults.add("rate_limit", times=1, retry_after=7)
    answer = await old.post(f"<Execute><request>{request('WhoAmI', {})}</request></Execute>")
    assert "PT7S" in answer.text
    await old.create("lead", LEAD)
    assert (old.crm.writes, old.crm.calls["who_am_i"], old.crm.operations["create"]) == (2, 1, 1)
