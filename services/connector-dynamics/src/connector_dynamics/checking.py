"""What signing in finds out, in findings for the person who sets the connection up."""

from collections.abc import Iterable, Mapping

from connector_dynamics import faults, products
from connector_dynamics.probing import Probing
from connector_dynamics.settings import DynamicsConnection
from leadbus.connector.contract import Finding
from leadbus.errors import AddressRefused, AuthRefused, LeadbusError, RateLimited, Unsupported

_WHY_TO_ANSWER = "Without an answer nothing can be written to the CRM or read from it."
_LATER = "Test again in a few minutes."
_CHECK_ADDRESS = (
    "Enter the organisation web service URL as the CRM shows it under Settings > Customizations > Developer"
    f" Resources; for Dynamics 365 the address at which people open it. Supported are {products.SUPPORTED}."
)
_ADVICE: Mapping[type[LeadbusError], str] = {
    faults.NotAMember: "Put it right in the CRM, then test again.",
    AuthRefused: "Correct what is refused, then test again; each further try could lock the user out.",
    faults.NotReached: "Check the address. If it is right, ask whoever runs the server or its firewall to let"
    " Leadbus in: the address must be open to where Leadbus calls from. Then test again.",
    AddressRefused: "Ask whoever runs the CRM's web server or firewall to let Leadbus in, then test again.",
    faults.Untrusted: "Have the certificate replaced by whoever runs the server, then test again.",
    faults.NotOurs: "Enter the address of an organisation of a supported product, then test again.",
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
        return [_refusal(error)]
    who = f" The user is {info.user_name}." if info.user_name else ""
    which = f" The organisation is {info.organisation}." if info.organisation else ""
    return [
        Finding(True, f"The address answers as {info.product}, version {info.version}.{which}"),
        Finding(True, f"The CRM accepts the sign-in.{who}"),
        Finding(True, f"{info.protocol} It makes {organisation.calls} calls at once."),
        *_warnings(connection),
    ]


def _refusal(error: LeadbusError) -> Finding:
    return Finding(
        False,
        str(error),
        _WHY_TO_ANSWER,
        next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), _LATER),
        blocked=isinstance(error, AddressRefused),
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
