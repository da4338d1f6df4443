"""What signing in finds out, in findings for the person who sets the connection up."""

from collections.abc import Iterable, Mapping

from connector_dynamics import faults, products
from connector_dynamics.probing import Probing
from connector_dynamics.reaching import where
from connector_dynamics.settings import DynamicsConnection
from leadbus.connector.contract import Finding
from leadbus.errors import (
    AddressRefused,
    AuthRefused,
    LeadbusError,
    RateLimited,
    Unsupported,
)
from leadbus.security.addresses import HostUnknown

_WHY_TO_ANSWER = "Without an answer nothing can be written to the CRM or read from it."
_LATER = "Test again in a few minutes."
_CHECK_ADDRESS = (
    "Enter the organisation web service URL as the CRM shows it under Settings > Customizations > Developer"
    f" Resources; for Dynamics 365 the address at which people open it. Supported are {products.SUPPORTED}."
)
_ADVICE: Mapping[type[LeadbusError], str] = {
    faults.NotAMember: "Put it right in the CRM, then test again.",
    AuthRefused: "Correct what is refused, then test again; each further try could lock the user out.",
    HostUnknown: "Correct the name. One that only the company's own network knows must be made known outside"
    " (public DNS), and its server's port opened to the addresses that Leadbus calls from.",
    faults.NotReached: "Check host and port. If they are right, have whoever runs the server or its firewall"
    " open that port, for TCP connections from the addresses that Leadbus calls from. Then test again.",
    AddressRefused: "Have whoever runs the CRM's web server, firewall or proxy let calls in from the"
    " addresses that Leadbus calls from, then test again.",
    faults.Untrusted: "Have whoever runs the server install a certificate there, with its intermediate ones,"
    " from an authority that browsers know, made out to the address's host name. Then test again.",
    faults.NotEncrypted: "Enter the port at which the CRM is served by https, or have https set up there; a"
    " firewall that ends connections must let through those from the addresses that Leadbus calls from.",
    faults.NoDirectory: "Correct login_url in the settings, then test again.",
    faults.Inside: "Correct the address in the settings, then test again.",
    faults.NotOurs: "Enter the address of an organisation of a supported product, then test again.",
    faults.WebPage: "If it is a page of a firewall or proxy: have it let calls from the addresses that"
    f" Leadbus calls from through to the CRM, without a page of its own. Otherwise: {_CHECK_ADDRESS}",
    faults.NotServed: _CHECK_ADDRESS,
    RateLimited: "Nothing is wrong: test again later.",
    Unsupported: "Ask an administrator of the CRM to allow its user what is missing, then test again.",
}


async def findings(probing: Probing, connection: DynamicsConnection) -> list[Finding]:
    """Up to the first that does not serve; never raises."""
    try:
        organisation = await probing.open()
        info = await organisation.info()
    except LeadbusError as error:
        return [_refusal(error, connection)]
    who = f" The user is {info.user_name}." if info.user_name else ""
    which = f" The organisation is {info.organisation}." if info.organisation else ""
    return [
        Finding(True, f"The address answers as {info.product}, version {info.version}.{which}"),
        Finding(True, f"The CRM accepts the sign-in.{who}"),
        Finding(True, f"{info.protocol} It makes {organisation.calls} calls at once."),
        *_warnings(connection),
    ]


def _refusal(error: LeadbusError, connection: DynamicsConnection) -> Finding:
    answered = isinstance(error, faults.NotServed) or type(error) is AddressRefused
    return Finding(
        False,
        f"{error} That is what {where(connection.address)} answers." if answered else str(error),
        _WHY_TO_ANSWER,
        next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), _LATER),
        blocked=isinstance(error, AddressRefused | HostUnknown | faults.WebPage | faults.NotEncrypted),
        refused=isinstance(error, AuthRefused),
    )


def _warnings(connection: DynamicsConnection) -> Iterable[Finding]:
    access = connection.access
    if access.odata_url and access.odata_url.lower() not in {access.url.lower(), access.address.lower()}:
        yield Finding(
            True,
            "The OData service URL leads to another address than the organisation web service URL.",
            "Leadbus uses the organisation web service URL alone.",
            "Make sure that it is the one of the organisation that is meant.",
        )
    if connection.address.startswith("http://"):
        yield Finding(
            True,
            "The address begins with http: what is sent to the CRM and read from it is not encrypted.",
            "Whoever is on the way can read it.",
            "Have https set up on the CRM's web server, and enter the address with https.",
        )
