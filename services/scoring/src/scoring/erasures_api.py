"""Scoring's HTTP API for erasing one person everywhere."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, model_validator

from leadbus.ids import prospect_id
from leadbus.messages import Email, Id
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator, Caller
from scoring.api import AskedFor
from scoring.connections import Connections
from scoring.eraser import SERVICE
from scoring.erasures import Erasure, MongoErasures
from scoring.persons import same_person
from scoring.prospect import Key
from scoring.store import ProspectStore

BESIDES = (SERVICE, "feedback")
"""Who holds something of every tenant's prospects; and the connectors of the CRMs that the tenant has."""


class ErasureBody(BaseModel):
    """Who is to be erased: one of the two. Neither is kept or published."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    email: Email | None = None
    visitor_id: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.email is None) == (self.visitor_id is None):
            raise ValueError("say either email or visitor_id")
        return self


class SamePersonView(BaseModel):
    """prospects: the ids of a person's aliases, and its own last. services: that hold something of it."""

    prospects: list[str]
    services: list[str]


class ServiceView(BaseModel):
    """erased_at: since when the service holds nothing of the person; None = it has not said so yet."""

    service: str
    erased_at: datetime | None


class ErasureView(BaseModel):
    """How far an erasure is. prospects: the ids of the person and its aliases."""

    erasure_id: str
    asked_at: datetime
    author: str
    done: bool
    prospects: list[str]
    services: list[ServiceView]


def add_erasures(
    api: FastAPI,
    authenticator: Authenticator,
    erasures: MongoErasures,
    prospects: ProspectStore,
    connections: Connections,
) -> None:
    """Every request is bound to the caller's tenant."""

    async def administrator(request: Request) -> Caller:
        caller = await authenticator.authenticate(request)
        caller.require(Scope.ADMINISTER)
        return caller

    def services(tenant: str) -> list[str]:
        crms = {f"connector-{connection.crm}" for connection in connections.for_tenant(tenant)}
        return [*BESIDES, *sorted(crms)]

    By = Annotated[Caller, Depends(administrator)]

    @api.post("/v1/erasures", status_code=202)
    async def erase_person(body: ErasureBody, by: By, tenant_id: AskedFor = None) -> ErasureView:
        """Erases a person from every service, with all its aliases: accepted, and done within seconds. What
        stands in the CRM is the tenant's own and stays; what is said from now on makes the person anew."""
        tenant = by.tenant(tenant_id)
        named = prospect_id(tenant, email=body.email, visitor_id=body.visitor_id)
        person = await same_person(prospects, Key(tenant, named))
        return _view(await erasures.ask(tenant, by.key_id, person, services(tenant)))

    @api.get("/v1/prospects/{prospect_id}/same-person")
    async def show_same_person(
        prospect_id: str, request: Request, tenant_id: AskedFor = None
    ) -> SamePersonView:
        """All prospects that are this person, and the services to ask for an export of each."""
        caller = await authenticator.authenticate(request)
        caller.require(Scope.READ)
        tenant = caller.tenant(tenant_id)
        person = await same_person(prospects, Key(tenant, prospect_id))
        return SamePersonView(prospects=list(person), services=services(tenant))

    @api.get("/v1/erasures/{erasure_id}")
    async def show_erasure(erasure_id: str, by: By, tenant_id: AskedFor = None) -> ErasureView:
        """Which services have erased the person, and which have not yet. Known for 31 days."""
        found = await erasures.get(erasure_id)
        if found is None or found.tenant_id != by.tenant(tenant_id):
            raise Problem(404, "There is no such erasure, or it is more than 31 days old.")
        return _view(found)


def _view(erasure: Erasure) -> ErasureView:
    return ErasureView(
        erasure_id=erasure.id,
        asked_at=erasure.asked_at,
        author=erasure.author,
        done=erasure.done,
        prospects=list(erasure.prospects),
        services=[ServiceView(service=name, erased_at=erasure.erased_at(name)) for name in erasure.expected],
    )
