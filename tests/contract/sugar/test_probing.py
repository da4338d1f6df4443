"""What an address speaks is found out in few calls, and a wrong password is tried once in all."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from connector_sugar.client import Site
from connector_sugar.faults import Died, NotServed, advice
from connector_sugar.legacy import LegacySite
from connector_sugar.modern.sessions import Sessions
from connector_sugar.modern.site import ModernSite
from connector_sugar.probing import Probing
from connector_sugar.settings import SugarAccess
from leadbus.errors import AuthRefused, LeadbusError, Transient
from sandbox.sugar import SugarCRM, desk
from sandbox.sugar.site import EVERYTHING, SUGAR_7, SUGAR_12, SUITECRM_7, Protocols

NOTHING = Protocols((), (), ())
SOAP_ONLY = Protocols(("v2", "v4", "v4_1"), ())
OLD_SOAP = Protocols(("v2",), ())


class Memory:
    """Keeps tokens as long as a test lasts."""

    anew = False

    def __init__(self) -> None:
        self.token: str | None = None

    async def get(self) -> str | None:
        return self.token

    async def put(self, token: str) -> None:
        self.token = token


Open = Callable[..., Any]


@pytest.fixture
async def open_site() -> AsyncIterator[Open]:
    """Probes an address and closes what was opened."""
    opened: list[Site] = []

    async def open_one(url: str, **given: Any) -> Site:
        access = {"url": url, "user": "admin", "password": "admin", **given}
        site = await Probing(
            SugarAccess.model_validate(access), Memory(), Sessions(), read_timeout=5.0
        ).open()
        opened.append(site)
        return site

    yield open_one
    for site in opened:
        await site.close()


def logins(crm: SugarCRM) -> int:
    return sum(crm.calls[name] for name in ("login", "legacy login", "rest POST oauth2/token"))


@pytest.mark.parametrize(
    ("protocols", "dies", "kind", "choice"),
    [
        (EVERYTHING, (), ModernSite, "REST v11_27"),
        (SUGAR_12, (), ModernSite, "REST v11_16"),
        (SUGAR_7, (), ModernSite, "REST v11;"),
        (SUITECRM_7, (), LegacySite, "does not speak modern REST"),
        (SOAP_ONLY, (), LegacySite, "SOAP service v4_1 is used"),
        (OLD_SOAP, (), LegacySite, "SOAP service v2"),
        (SOAP_ONLY, ("v4_1.login",), LegacySite, "SOAP service v2"),
        (SUITECRM_7, ("v4_1.set_entry",), LegacySite, "REST"),
    ],
)
async def test_the_best_that_a_site_speaks_is_chosen_and_said(
    start_crm: Any,
    open_site: Open,
    protocols: Protocols,
    dies: tuple[str, ...],
    kind: type[Site],
    choice: str,
) -> None:
    async with start_crm(protocols=protocols, dies=dies) as crm:
        desk.register_platform(crm.store, "leadbus")
        site = await open_site(crm.url)
        assert isinstance(site, kind)
        info = await site.info()
        assert choice in info.choice
        assert (info.flavor, info.version) == (protocols.flavor, protocols.version)
        assert crm.calls.total() <= 9


@pytest.mark.parametrize(
    "form", ["", "/", "/web", "/service/v2/soap.php?wsdl", "/rest/v11_4", "/service/v4_1/rest.php"]
)
async def test_every_form_of_an_address_leads_to_the_best_protocol(
    start_crm: Any, open_site: Open, form: str
) -> None:
    async with start_crm() as crm:
        desk.register_platform(crm.store, "leadbus")
        assert isinstance(await open_site(crm.url + form), ModernSite)


@pytest.mark.parametrize("protocols", [EVERYTHING, SUITECRM_7, SOAP_ONLY])
async def test_a_wrong_password_is_tried_once_in_all(
    start_crm: Any, open_site: Open, protocols: Protocols
) -> None:
    async with start_crm(protocols=protocols) as crm:
        with pytest.raises(AuthRefused):
            await open_site(crm.url, password="wrong")
        assert logins(crm) == 1


async def test_an_unregistered_platform_ends_it_too(start_crm: Any, open_site: Open) -> None:
    async with start_crm() as crm:
        with pytest.raises(AuthRefused, match="platform"):
            await open_site(crm.url)
        assert logins(crm) == 1


async def test_sign_ins_that_die_by_every_protocol_are_told_as_that(start_crm: Any, open_site: Open) -> None:
    dies = ("v4_1.login", "v2.login", "v4.login")
    async with start_crm(protocols=SUITECRM_7, dies=dies) as crm:
        with pytest.raises(Died) as died:
            await open_site(crm.url)
        assert "PHP" in advice(died.value)


async def test_an_address_where_nothing_is_served_says_so(start_crm: Any, open_site: Open) -> None:
    async with start_crm(protocols=NOTHING) as crm:
        with pytest.raises(NotServed, match="no SugarCRM"):
            await open_site(crm.url)
        assert logins(crm) == 0


@pytest.mark.parametrize("fault", ["maintenance", "too_many_requests", "server_error_html"])
async def test_trouble_that_passes_chooses_no_lesser_protocol(
    start_crm: Any, open_site: Open, fault: Any
) -> None:
    async with start_crm() as crm:
        desk.register_platform(crm.store, "leadbus")
        crm.faults.add(fault, operation="rest GET ping", times=1)
        with pytest.raises(Transient):
            await open_site(crm.url)
        assert isinstance(await open_site(crm.url), ModernSite)


async def test_an_address_that_does_not_answer_is_tried_by_one_protocol(open_site: Open) -> None:
    with pytest.raises(LeadbusError, match="reached"):
        await open_site("http://127.0.0.1:9")
