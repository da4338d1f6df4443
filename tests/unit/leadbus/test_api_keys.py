"""API keys: bound to a tenant, hashed, remembered for a short time."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from starlette.requests import HTTPConnection

from leadbus.errors import Rejected
from leadbus.problems import Problem
from leadbus.security.api_keys import EVERY_TENANT, ApiKey, ApiKeys, Scope, make_key
from leadbus.security.callers import Authenticator
from leadbus.security.networks import Network, network_of


class Keys(dict[str, ApiKey]):
    """A store in memory, which counts how often it is asked."""

    asked = 0
    limited_to: tuple[Network, ...] = ()

    async def get(self, key_id: str) -> ApiKey | None:  # type: ignore[override]
        self.asked += 1
        return super().get(key_id)

    async def add(self, key: ApiKey) -> None:
        self[key.id] = key

    async def of_tenant(self, tenant_id: str) -> list[ApiKey]:
        return [key for key in self.values() if key.tenant_id == tenant_id]

    async def revoke(self, key_id: str, at: datetime) -> bool:
        self[key_id] = replace(self[key_id], revoked_at=at)
        return True

    async def authorised(self, tenant_id: str) -> tuple[Network, ...]:
        return self.limited_to


def calling(token: str, scheme: str = "Bearer", client: str | None = None) -> HTTPConnection:
    return HTTPConnection(
        {
            "type": "http",
            "headers": [(b"authorization", f"{scheme} {token}".encode("latin-1"))],
            "client": (client, 1) if client else None,
        }
    )


async def test_a_key_stands_for_its_tenant_and_scopes() -> None:
    store = Keys()
    key, text = make_key("acme", [Scope.INGEST])
    await store.add(key)
    caller = await Authenticator(ApiKeys(store)).authenticate(calling(text))
    assert (caller.tenant_id, caller.scopes) == ("acme", {Scope.INGEST})
    assert caller.tenant() == "acme"
    with pytest.raises(Problem, match="another tenant"):
        caller.tenant("other")
    with pytest.raises(Problem, match="scope administer") as refused:
        caller.require(Scope.ADMINISTER)
    assert refused.value.status == 403


async def test_the_secret_is_nowhere_in_what_is_kept() -> None:
    key, text = make_key("acme", [Scope.READ])
    secret = text.split("_", 2)[2]
    assert secret not in repr(key)
    assert len(key.secret_hash) == 32


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: "x"]
)
async def test_a_wrong_key_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    store = Keys()
    key, text = make_key("acme", [Scope.INGEST])
    await store.add(key)
    with pytest.raises(Problem, match="not known") as refused:
        await Authenticator(ApiKeys(store)).authenticate(calling(change(text)))
    assert refused.value.status == 401
    assert "WWW-Authenticate" in refused.value.headers


async def test_a_good_key_is_remembered_for_30_seconds_and_a_revoked_one_no_longer() -> None:
    now = 0.0
    store = Keys()
    key, text = make_key("acme", [Scope.INGEST])
    await store.add(key)
    keys = ApiKeys(store, lambda: now)
    for _ in range(5):
        assert await keys.verify(text)
    assert store.asked == 1
    await store.revoke(key.id, datetime.now(UTC))
    now = 29.0
    assert await keys.verify(text)
    now = 31.0
    assert await keys.verify(text) is None


async def test_the_operator_acts_for_the_tenant_it_names() -> None:
    caller = await Authenticator(ApiKeys(Keys()), "operator's token").authenticate(
        calling("operator's token")
    )
    assert caller.operator
    assert caller.tenant("acme") == "acme"
    caller.require(Scope.ADMINISTER)
    with pytest.raises(Problem, match="tenant_id"):
        caller.tenant()


@pytest.mark.parametrize("header", ["Bearer ", "Basic abc", "Bearer \xff\xfe", ""])
async def test_without_a_usable_key_the_answer_says_what_to_send(header: str) -> None:
    scheme, _, token = header.partition(" ")
    with pytest.raises(Problem, match="Authorization: Bearer"):
        await Authenticator(ApiKeys(Keys()), "").authenticate(calling(token, scheme))


async def test_what_was_authorised_helps_at_once_and_what_was_withdrawn_ends_within_30_seconds() -> None:
    now = 0.0
    store = Keys()
    key, text = make_key("acme", [Scope.INGEST])
    await store.add(key)
    authenticator = Authenticator(ApiKeys(store, lambda: now))
    here = calling(text, client="203.0.113.9")
    assert (await authenticator.authenticate(here)).tenant_id == "acme"
    store.limited_to = (network_of("198.51.100.0/24"),)
    now = 31.0
    with pytest.raises(Problem) as refused:
        await authenticator.authenticate(here)
    assert refused.value.status == 403
    assert str(refused.value) == (
        "Calls for tenant acme are limited to authorised addresses; this one came from 203.0.113.9."
        " Authorise it with: leadbus addresses authorise acme 203.0.113.9"
    )
    store.limited_to += (network_of("203.0.113.9"),)
    assert (await authenticator.authenticate(here)).tenant_id == "acme"
    store.limited_to = store.limited_to[:1]
    now = 60.0
    assert (await authenticator.authenticate(here)).tenant_id == "acme"
    now = 62.0
    with pytest.raises(Problem, match="limited to authorised addresses"):
        await authenticator.authenticate(here)


async def test_a_limited_tenant_is_not_called_for_from_an_address_that_cannot_be_told() -> None:
    store = Keys()
    store.limited_to = (network_of("0.0.0.0/0"),)
    key, text = make_key("acme", [Scope.INGEST])
    await store.add(key)
    for client in (None, "unknown", "2001:db8::1"):
        with pytest.raises(Problem, match="limited to authorised addresses") as refused:
            await Authenticator(ApiKeys(store)).authenticate(calling(text, client=client))
        assert refused.value.status == 403


async def test_a_hooks_key_is_good_for_its_hook_alone_and_no_other_key_is_good_for_one() -> None:
    store = Keys()
    authenticator = Authenticator(ApiKeys(store), "operator's token")
    hook, token = make_key("acme", [Scope.HOOK], connection_id="acme-crm")
    other, text = make_key("acme", [Scope.INGEST, Scope.READ, Scope.ADMINISTER])
    await store.add(hook)
    await store.add(other)
    assert (await authenticator.authenticate_hook(calling(""), "acme-crm", token)).tenant_id == "acme"
    with pytest.raises(Problem, match="not known") as refused:
        await authenticator.authenticate(calling(token))
    assert refused.value.status == 401
    answers = set()
    for connection, tried in (
        ("another", token),
        ("acme-crm", text),
        ("acme-crm", "x"),
        ("acme-crm", "operator's token"),
    ):
        with pytest.raises(Problem) as refused:
            await authenticator.authenticate_hook(calling(""), connection, tried)
        answers.add((refused.value.status, str(refused.value)))
    assert len(answers) == 1
    assert answers.pop()[0] == 404


@pytest.mark.parametrize(
    ("scopes", "connection"),
    [([Scope.HOOK], None), ([Scope.HOOK], ""), ([Scope.HOOK, Scope.READ], "c"), ([Scope.READ], "c")],
)
def test_a_hooks_key_names_its_connection_and_has_no_other_scope(
    scopes: list[Scope], connection: str | None
) -> None:
    with pytest.raises(Rejected, match="scope hook alone"):
        make_key("acme", scopes, connection_id=connection)


async def test_a_suppliers_key_is_bound_to_the_supplier_and_good_for_nothing_else() -> None:
    store = Keys()
    key, text = make_key("acme", [Scope.SUPPLIER], supplier_id="chipworks")
    await store.add(key)
    caller = await Authenticator(ApiKeys(store)).authenticate(calling(text))
    assert (caller.tenant_id, caller.supplier_id, caller.operator) == ("acme", "chipworks", False)
    for scope in (Scope.READ, Scope.INGEST, Scope.ADMINISTER):
        with pytest.raises(Problem, match=f"scope {scope.value}"):
            caller.require(scope)
    with pytest.raises(Problem, match="another tenant"):
        caller.tenant("other")


async def test_a_suppliers_key_for_every_tenant_makes_no_operator() -> None:
    store = Keys()
    key, text = make_key(EVERY_TENANT, [Scope.SUPPLIER], supplier_id="chipworks")
    await store.add(key)
    caller = await Authenticator(ApiKeys(store), "token").authenticate(calling(text))
    assert not caller.operator
    assert caller.supplier_id == "chipworks"


@pytest.mark.parametrize(
    ("tenant", "scopes", "supplier"),
    [
        ("acme", [Scope.SUPPLIER], None),
        ("acme", [Scope.SUPPLIER], ""),
        ("acme", [Scope.SUPPLIER, Scope.READ], "chipworks"),
        ("acme", [Scope.READ], "chipworks"),
        (EVERY_TENANT, [Scope.READ], None),
        (EVERY_TENANT, [Scope.ADMINISTER], None),
    ],
)
def test_no_other_key_names_a_supplier_or_every_tenant(
    tenant: str, scopes: list[Scope], supplier: str | None
) -> None:
    with pytest.raises(Rejected, match="supplier"):
        make_key(tenant, scopes, supplier_id=supplier)
