"""zeep, which knows nothing of the simulator: it loads the WSDL that is served, and calls each operation."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import requests
import zeep
from soap_client import Service
from zeep import xsd

XRM = "{http://schemas.microsoft.com/xrm/2011/Contracts}"
PAIRS = "{http://schemas.datacontract.org/2004/07/System.Collections.Generic}"
ZERO = "00000000-0000-0000-0000-000000000000"


class Zeep:
    """The client and what it takes to say anything late bound."""

    def __init__(self, address: str) -> None:
        session = requests.Session()
        session.trust_env = False
        session.headers["x-user"] = "CONTOSO\\leadbus"
        self.client = zeep.Client(f"{address}?wsdl", transport=zeep.Transport(session=session))
        self.service = self.client.service

    def make(self, name: str, **values: Any) -> Any:
        return self.client.get_type(f"{XRM}{name}")(**values)

    def any(self, name: str, **values: Any) -> Any:
        return xsd.AnyObject(self.client.get_type(f"{XRM}{name}"), self.make(name, **values))

    def pairs(self, values: dict[str, Any]) -> list[Any]:
        pair = self.client.get_type(f"{PAIRS}KeyValuePairOfstringanyType")
        return [pair(key=key, value=plain(value)) for key, value in values.items()]

    def entity(self, name: str, values: dict[str, Any], key: str = ZERO) -> Any:
        attributes = self.make("AttributeCollection", KeyValuePairOfstringanyType=self.pairs(values))
        return self.make("Entity", Attributes=attributes, Id=key, LogicalName=name)

    def execute(self, name: str, **parameters: Any) -> dict[str, Any]:
        given = self.make("ParameterCollection", KeyValuePairOfstringanyType=self.pairs(parameters))
        answer = self.service.Execute(
            request=self.make("OrganizationRequest", Parameters=given, RequestName=name)
        )
        return values_of(answer.Results)


def plain(value: Any) -> Any:
    return xsd.AnyObject(xsd.String(), value) if isinstance(value, str) else value


def values_of(collection: Any) -> dict[str, Any]:
    return {pair.key: pair.value for pair in collection.KeyValuePairOfstringanyType}


async def told(service: Service, work: Callable[[Zeep], Any]) -> Any:
    """zeep waits for answers that this loop has to give."""
    address = service.crm.soap_url.removesuffix("/web")
    return await asyncio.to_thread(lambda: work(Zeep(address)))


async def test_every_operation_is_called_and_its_answer_decoded(old: Service) -> None:
    held = old.crm.desk.create("list", {"listname": "Kots", "createdfromcode": 4})

    def work(client: Zeep) -> list[Any]:
        service = client.service
        values = {
            "lastname": "Kot",
            "leadsourcecode": client.any("OptionSetValue", Value=8),
            "budgetamount": client.any("Money", Value=1500),
        }
        key = service.Create(entity=client.entity("lead", values))
        service.Update(entity=client.entity("lead", {"jobtitle": "CEO"}, key))
        everything = client.make("ColumnSet", AllColumns=True)
        record = service.Retrieve(entityName="lead", id=key, columnSet=everything)
        tie = {
            "entityName": "list",
            "entityId": held,
            "relationship": client.make("Relationship", SchemaName="listlead_association"),
            "relatedEntities": client.make(
                "EntityReferenceCollection",
                EntityReference=[client.make("EntityReference", Id=key, LogicalName="lead")],
            ),
        }
        service.Associate(**tie)
        query = "<fetch><entity name='listmember'><attribute name='entityid'/></entity></fetch>"
        found = service.RetrieveMultiple(query=client.make("FetchExpression", Query=query))
        service.Disassociate(**tie)
        empty = service.RetrieveMultiple(query=client.make("FetchExpression", Query=query))
        who = client.execute("WhoAmI")
        service.Delete(entityName="lead", id=key)
        return [key, values_of(record.Attributes), found, empty, who]

    key, values, found, empty, who = await told(old, work)
    assert (values["lastname"], values["jobtitle"], values["leadsourcecode"].Value) == ("Kot", "CEO", 8)
    assert (str(values["budgetamount"].Value), values["leadid"]) == ("1500.0000", key)
    assert values["ownerid"].Name.endswith("Leadbus")
    [member] = found.Entities.Entity
    assert values_of(member.Attributes)["entityid"].Id == key
    assert (empty.Entities, empty.MoreRecords) == (None, False)
    assert who["UserId"] == old.crm.user_id
    assert old.crm.records("lead")[0]["deleted"] is True
    asked = (
        "create",
        "update",
        "retrieve",
        "associate",
        "retrieve_multiple",
        "disassociate",
        "who_am_i",
        "delete",
    )
    assert [old.crm.calls[name] for name in asked] == [1, 1, 1, 1, 2, 1, 1, 1]


async def test_metadata_is_decoded(old: Service) -> None:
    def work(client: Zeep) -> Any:
        return client.execute("RetrieveAttribute", EntityLogicalName="lead", LogicalName="statuscode")

    attribute = (await told(old, work))["AttributeMetadata"]
    options = {
        one.Label.UserLocalizedLabel.Label: (one.Value, one.State)
        for one in attribute.OptionSet.Options.OptionMetadata
    }
    assert (attribute.AttributeType, options["New"], options["Lost"]) == ("Status", (1, 0), (4, 2))


async def test_a_fault_is_decoded(old: Service) -> None:
    def work(client: Zeep) -> zeep.exceptions.Fault:
        with pytest.raises(zeep.exceptions.Fault) as fault:
            client.service.Delete(entityName="lead", id=ZERO)
        return fault.value

    fault = await told(old, work)
    assert fault.detail.findtext(".//{*}ErrorCode") == str(0x80040217 - 2**32)
    assert "Does Not Exist" in fault.message


async def test_many_at_once_are_decoded(old: Service) -> None:
    namespace = "{http://schemas.microsoft.com/xrm/2012/Contracts}"

    def work(client: Zeep) -> dict[str, Any]:
        kind = client.client.get_type(f"{namespace}OrganizationRequestCollection")
        chosen = client.client.get_type(f"{namespace}ExecuteMultipleSettings")
        made = [
            client.make(
                "OrganizationRequest",
                Parameters=client.make(
                    "ParameterCollection",
                    KeyValuePairOfstringanyType=client.pairs(
                        {
                            "Target": xsd.AnyObject(
                                client.client.get_type(f"{XRM}Entity"),
                                client.entity("lead", {"lastname": name}),
                            )
                        }
                    ),
                ),
                RequestName="Create",
            )
            for name in ("A", "B" * 99)
        ]
        return client.execute(
            "ExecuteMultiple",
            Requests=xsd.AnyObject(kind, kind(OrganizationRequest=made)),
            Settings=xsd.AnyObject(chosen, chosen(ContinueOnError=True, ReturnResponses=True)),
        )

    results = await told(old, work)
    done, failed = results["Responses"].ExecuteMultipleResponseItem
    assert values_of(done.Response.Results)["id"] == old.crm.records("lead")[0]["id"]
    assert (results["IsFaulted"], failed.RequestIndex, failed.Fault.ErrorCode) == (
        True,
        1,
        0x80044331 - 2**32,
    )
