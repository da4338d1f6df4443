"""What zeep meets at the door: service description, transport, sessions, lists without arrayType."""

import asyncio
import contextlib
import hashlib
import time
from typing import Any

import httpx
import pytest
from zeep import xsd
from zeep.exceptions import Fault

from sandbox.sugar import SugarCRM

PASSWORD = hashlib.md5(b"admin", usedforsecurity=False).hexdigest()


# --- service description and transport


@pytest.mark.parametrize("version", ["v2", "v4", "v4_1"])
async def test_zeep_loads_the_wsdl_and_every_operation_in_it_is_served(
    crm: SugarCRM, version: str, connect: Any
) -> None:
    async with connect(crm, version) as sugar:
        operations = sugar.operations
        assert len(operations) == 14
        for operation in operations:
            with contextlib.suppress(Fault):
                await crm_call(crm, version, operation)
        assert sorted(crm.calls) == operations


async def crm_call(crm: SugarCRM, version: str, operation: str) -> None:
    body = f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><{operation}/></e:Body></e:Envelope>'
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            crm.endpoint_url(version), content=body, headers={"content-type": "text/xml"}
        )
    assert "is not defined in the WSDL" not in answer.text


async def test_the_wsdl_names_the_configured_site_url_not_the_one_it_was_fetched_from(
    start_crm: Any, connect: Any
) -> None:
    async with start_crm(site_url="http://crm.internal.example") as crm, connect(crm) as sugar:
        assert sugar.addresses == ["http://crm.internal.example/service/v4_1/soap.php"]
        assert await sugar.login()


async def test_a_form_post_is_answered_with_html_and_200(crm: SugarCRM) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(crm.endpoint_url(), data={"a": "b"})
    assert (answer.status_code, answer.text) == (200, "Bad data passed in")
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_get_without_wsdl_is_a_page(crm: SugarCRM) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(crm.endpoint_url())
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "body",
    [
        "<not xml",
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><login/></e:Body></e:Envelope>',
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><dance/></e:Body></e:Envelope>',
        '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><login>&x;</login></e:Body>'
        "</e:Envelope>",
    ],
    ids=["malformed", "SOAP 1.2", "unknown operation", "external entity"],
)
async def test_what_is_no_soap_call_is_a_client_fault(crm: SugarCRM, body: str) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(crm.endpoint_url(), content=body, headers={"content-type": "text/xml"})
    assert answer.status_code == 500
    assert '<faultcode xsi:type="xsd:string">SOAP-ENV:Client</faultcode>' in answer.text


# --- sessions


@pytest.mark.parametrize(("user", "password"), [("ADMIN", PASSWORD), ("admin", PASSWORD.upper())])
async def test_user_name_and_hash_are_read_in_any_case(
    crm: SugarCRM, user: str, password: str, connect: Any
) -> None:
    async with connect(crm) as sugar:
        assert await sugar.login(user, password)


@pytest.mark.parametrize(("user", "password"), [("admin", "admin"), ("admin", ""), ("nobody", PASSWORD)])
async def test_a_wrong_or_plain_password_is_fault_10(
    crm: SugarCRM, user: str, password: str, connect: Any
) -> None:
    async with connect(crm) as sugar:
        with pytest.raises(Fault) as fault:
            await sugar.login(user, password)
    assert (fault.value.code, fault.value.message) == ("10", "Invalid Login")


async def test_a_login_with_the_cookie_of_an_open_session_gets_that_session(sugar: Any) -> None:
    sugar.http.cookies.set("PHPSESSID", sugar.session)
    again = await sugar.service.login({"user_name": "admin", "password": PASSWORD}, "test", [])
    sugar.http.cookies.clear()
    other = await sugar.service.login({"user_name": "admin", "password": PASSWORD}, "test", [])
    assert again["id"] == sugar.session
    assert other["id"] != sugar.session


async def test_an_empty_session_is_nil_on_v4_and_a_fault_on_v2(
    crm: SugarCRM, sugar: Any, connect: Any
) -> None:
    assert await sugar.service.get_user_id("") is None
    nothing = await sugar.service.get_entries_count("", "Leads", "", 0)
    assert nothing is None or nothing["result_count"] is None
    async with connect(crm, "v2") as old:
        with pytest.raises(Fault, match="Invalid Session ID"):
            await old.service.get_user_id("")


async def test_a_logged_out_session_is_fault_11(sugar: Any) -> None:
    assert await sugar.service.get_user_id(sugar.session) == "1"
    await sugar.service.logout(sugar.session)
    with pytest.raises(Fault, match="Invalid Session ID"):
        await sugar.service.get_user_id(sugar.session)


async def test_calls_on_one_session_run_one_at_a_time_and_on_several_at_once(
    start_crm: Any, connect: Any
) -> None:
    async with start_crm(cost_per_call_ms=400) as crm, connect(crm) as sugar:
        sessions = [await sugar.login() for _ in range(4)]

        async def seconds(used: list[str]) -> float:
            began = time.perf_counter()
            await asyncio.gather(*(sugar.service.get_user_id(session) for session in used))
            return time.perf_counter() - began

        assert await seconds([sessions[0]] * 4) >= 1.6
        assert await seconds(sessions) < 1.6


async def test_a_missing_argument_is_fault_minus_1(sugar: Any) -> None:
    with pytest.raises(Fault, match="service died unexpectedly"):
        await sugar.service.get_entries_count(sugar.session, "Leads", "", xsd.SkipValue)


async def test_a_left_out_argument_shifts_those_behind_it(sugar: Any) -> None:
    await sugar.set_entries("Leads", {"last_name": "A"}, {"last_name": "B"})
    fields, skip = sugar.names("id"), xsd.SkipValue
    read = sugar.service.get_entry_list
    whole = await read(sugar.session, "Leads", "", "", 0, fields, [], 1, 0, False)
    shifted = await read(sugar.session, "Leads", "", "", 0, fields, skip, 1, 0, False)
    assert (whole["result_count"], shifted["result_count"]) == (1, 2)


async def test_a_swapped_argument_is_read_by_its_place(sugar: Any) -> None:
    with pytest.raises(Fault, match="Invalid Session ID"):
        await sugar.service.set_entry("Leads", sugar.session, sugar.pairs({"last_name": "A"}))


# --- lists without arrayType


async def test_a_list_without_arraytype_stores_a_blank_record(sugar: Any) -> None:
    pairs = sugar.pairs({"last_name": "Lost", "email1": "lost@example.com"}, marked=False)
    key = await sugar.service.set_entry(sugar.session, "Leads", pairs)
    assert sugar.leads()[key]["last_name"] is None


async def test_a_list_of_one_works_without_arraytype(sugar: Any) -> None:
    key = await sugar.service.set_entry(
        sugar.session, "Leads", sugar.pairs({"last_name": "One"}, marked=False)
    )
    assert sugar.leads()[key]["last_name"] == "One"


async def test_two_selected_fields_without_arraytype_read_nothing(sugar: Any) -> None:
    key = await sugar.set_entry("Leads", last_name="Read")
    two = sugar.names("id", "last_name", marked=False)
    answer = await sugar.service.get_entry(sugar.session, "Leads", key, two, [], False)
    assert sugar.values(answer["entry_list"][0]) == {}
