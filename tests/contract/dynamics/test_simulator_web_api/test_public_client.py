"""Microsoft's own client works with the simulator: PowerPlatform-Dataverse-Client, with azure-identity.

Both speak https alone; the certificate is made here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models.filters import col
from PowerPlatform.Dataverse.models.upsert import UpsertItem

from sandbox.certificates import self_signed
from sandbox.dynamics import Dynamics

Run = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Files of a certificate for 127.0.0.1, signed by itself, and its key."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
async def crm(
    certificate: tuple[str, str], start_dynamics: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Dynamics]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate[0])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with start_dynamics(certificate=certificate) as site:
        yield site


def credential(crm: Dynamics, secret: str | None = None) -> ClientSecretCredential:
    chosen = crm.site.settings
    secret = secret or chosen.client_secret
    return ClientSecretCredential(
        chosen.tenant, chosen.client_id, secret, authority=crm.url, disable_instance_discovery=True
    )


@pytest.fixture
def client(crm: Dynamics) -> Iterator[DataverseClient]:
    with credential(crm) as signed_in, DataverseClient(crm.url, signed_in) as opened:
        yield opened


@pytest.fixture
def run() -> Run:
    """Runs a call of the client, which blocks, in a thread."""
    return asyncio.to_thread


def refusal(call: Callable[..., Any], *given: Any) -> dict[str, Any]:
    """What the client says of it. Its error itself is not kept, for it keeps a connection open."""
    try:
        call(*given)
    except HttpError as error:
        return dict(error.details)
    raise AssertionError("not refused")


async def test_a_wrong_secret_is_the_identity_librarys_own_error(crm: Dynamics, run: Run) -> None:
    def sign_in() -> None:
        with credential(crm, "wrong") as wrong:
            wrong.get_token(f"{crm.url}/.default")

    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        await run(sign_in)


async def test_records_are_created_with_labels_read_changed_and_deleted(
    crm: Dynamics, client: DataverseClient, run: Run
) -> None:
    values = {"lastname": "Doe", "emailaddress1": "jane+tag@example.com", "leadsourcecode": "Trade Show"}
    key = await run(client.records.create, "lead", values)
    [stored] = crm.records("lead")
    assert (stored["id"], stored["leadsourcecode"]) == (key, 7)
    await run(client.records.update, "lead", key, {"jobtitle": "CEO"})
    read = await run(client.records.retrieve, "lead", key, select=["jobtitle", "fullname"])
    assert (read["jobtitle"], read["fullname"], read.etag) == ("CEO", "Doe", f'W/"{stored["version"] + 1}"')
    await run(client.records.delete, "lead", key)
    assert await run(client.records.retrieve, "lead", key) is None
    assert crm.logins == 1


async def test_many_are_written_by_one_call(crm: Dynamics, client: DataverseClient, run: Run) -> None:
    keys = await run(client.records.create, "lead", [{"lastname": "A"}, {"lastname": "B"}])
    assert [row["id"] for row in crm.records("lead")] == keys
    await run(client.records.update, "lead", keys, {"companyname": "Doe Ltd"})
    assert {row["companyname"] for row in crm.records("lead")} == {"Doe Ltd"}
    assert (crm.calls["create"], crm.calls["update"]) == (1, 1)


async def test_upserts_go_by_an_alternate_key(crm: Dynamics, client: DataverseClient, run: Run) -> None:
    crm.desk.add_attribute("lead", "new_ExternalId")
    crm.desk.add_key("lead", "new_externalid")

    def item(number: str, name: str) -> UpsertItem:
        return UpsertItem({"new_externalid": number}, {"lastname": name})

    await run(client.records.upsert, "lead", [item("1", "A")])
    await run(client.records.upsert, "lead", [item("1", "C"), item("2", "B")])
    assert {(row["new_externalid"], row["lastname"]) for row in crm.records("lead")} == {
        ("1", "C"),
        ("2", "B"),
    }
    nameless = [UpsertItem({"emailaddress1": "a@example.com"}, {})]
    told = await run(refusal, client.records.upsert, "lead", nameless)
    assert told["service_error_code"] == "0x80060888"


async def test_lists_are_filtered_sorted_and_paged(crm: Dynamics, client: DataverseClient, run: Run) -> None:
    crm.desk.load("contact", ({"lastname": f"O'Neil {at}", "department": "sales"} for at in range(5)))
    found = await run(
        client.records.list,
        "contact",
        filter=(col("department") == "SALES") & col("lastname").startswith("O'Neil"),
        select=["lastname"],
        orderby=["lastname desc"],
        page_size=2,
    )
    assert [row["lastname"] for row in found] == [f"O'Neil {at}" for at in (4, 3, 2, 1, 0)]
    assert crm.calls["retrieve_multiple"] == 3
    crm.desk.create("contact", {"lastname": "Kot", "department": "storage"})
    some = await run(client.records.list, "contact", filter=col("department").in_(["storage", "x"]))
    assert [row["lastname"] for row in some] == ["Kot"]


async def test_a_fetch_goes_on_by_cookies(crm: Dynamics, client: DataverseClient, run: Run) -> None:
    crm.desk.load("lead", ({"lastname": f"Doe {at}"} for at in range(5)))
    xml = (
        "<fetch count='2'><entity name='lead'><attribute name='lastname'/><order attribute='lastname'/>"
        "<order attribute='leadid'/></entity></fetch>"
    )
    found = await run(lambda: client.query.fetchxml(xml).execute())
    assert [row["lastname"] for row in found] == [f"Doe {at}" for at in range(5)]
    assert crm.calls["fetch"] == 3


async def test_a_batch_says_what_became_of_each_and_a_change_set_is_all_or_nothing(
    crm: Dynamics, client: DataverseClient, run: Run
) -> None:
    batch = client.batch.new()
    batch.records.create("lead", {"lastname": "Q"})
    batch.records.update("lead", "00000000-0000-0000-0000-0000000000ff", {"jobtitle": "x"})
    with batch.changeset() as together:
        one = together.records.create("lead", {"lastname": "R"})
        together.records.update("lead", one, {"jobtitle": "y"})
    with batch.changeset() as together:
        together.records.create("lead", {"lastname": "never"})
        together.records.create("lead", {"lastname": "x" * 51})
    result = await run(batch.execute, continue_on_error=True)
    assert [part.status_code for part in result.responses] == [204, 404, 204, 204, 400]
    assert [part.error_code for part in result.responses if part.error_code] == ["0x80040217", "0x80044331"]
    assert {(row["lastname"], row["jobtitle"]) for row in crm.records("lead")} == {("Q", None), ("R", "y")}


async def test_metadata_and_limits_are_understood(crm: Dynamics, client: DataverseClient, run: Run) -> None:
    table = await run(client.tables.get, "lead")
    assert (table.entity_set_name, table.primary_name_attribute) == ("leads", "fullname")
    columns = await run(client.tables.list_columns, "lead", select=["LogicalName", "AttributeType"])
    kinds = {column["LogicalName"]: column["AttributeType"] for column in columns}
    assert (kinds["leadsourcecode"], kinds["ownerid"], kinds["statecode"]) == ("Picklist", "Owner", "State")
    crm.faults.add("rate_limit", times=1, retry_after=7)
    told = await run(refusal, client.records.list, "lead")
    assert (told["retry_after"], told["service_error_code"]) == (7, "0x80072322")
