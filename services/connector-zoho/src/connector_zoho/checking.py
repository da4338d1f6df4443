"""What signing in finds out, in findings for the person who sets the connection up."""

from collections.abc import Iterable, Mapping

from connector_zoho import faults, refusals
from connector_zoho.client import ZohoClient
from connector_zoho.organisations import EDITIONS, Organisation
from connector_zoho.settings import ZohoConnection
from leadbus.connector.contract import Finding, Limits
from leadbus.errors import AddressRefused, AuthRefused, LeadbusError, RateLimited, Unsupported

_WHY_TO_ANSWER = "Without an answer nothing can be written to the CRM or read from it."
_LATER = "Test again in a few minutes."
_SIGN_IN_AGAIN = (
    "Sign in with the browser: `leadbus connections sign-in <connection>` prints the address; or enter a new"
    " grant token of a self client (API console > Self Client > Generate Code)."
)
_ADVICE: Mapping[type[LeadbusError], str] = {
    refusals.NotSignedIn: _SIGN_IN_AGAIN,
    refusals.Mismatch: "Correct access.user and access.organisation, or sign in as that user to that"
    " organisation; a grant token serves once, so that another one is needed then.",
    refusals.ClientRefused: "Copy the client id and secret from Zoho's API console (api-console.zoho.com, or"
    " .eu, ... by data centre), and enter there the redirect URI that the sign-in's address names.",
    AuthRefused: _SIGN_IN_AGAIN,
    faults.NotReached: "Check the data centre; if it is right, ask whoever runs the network whether Leadbus"
    " may call Zoho.",
    AddressRefused: "The CRM (Setup > Security Control > Allowed IPs) or a firewall on the way may let in"
    " certain addresses only: let Leadbus in, then test again.",
    RateLimited: "Nothing is wrong: test again later.",
    Unsupported: "Ask an administrator of the CRM to allow its user what is missing, then test again.",
}


async def findings(client: ZohoClient, connection: ZohoConnection) -> list[Finding]:
    """Up to the first that does not serve; never raises."""
    access = connection.access
    found: list[Finding] = []
    try:
        await client.session.access()
        found.append(Finding(True, f"{access.accounts_server} lets Leadbus in; Zoho CRM speaks REST v8."))
        facts = await client.organisation()
        client.require_match(facts)
        found.append(Finding(True, f"The user is {facts.user_email}, the organisation {facts.zgid}."))
        found += [
            _edition(facts, await client.limits()),
            *_time_zone(facts, connection),
            *_pushes(connection),
        ]
    except LeadbusError as error:
        found.append(refusal(error))
    return found


def refusal(error: LeadbusError) -> Finding:
    """The finding that a sign-in is which failed."""
    what = str(error)
    if isinstance(error, refusals.Mismatch) and error.typed:
        what += f" In the settings it is {error.typed}; signed in is {error.found or 'one without a name'}."
    return Finding(
        False,
        what,
        _WHY_TO_ANSWER,
        next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), _LATER),
        blocked=isinstance(error, AddressRefused),
        refused=isinstance(error, AuthRefused),
    )


def _edition(facts: Organisation, limits: Limits) -> Finding:
    edition = EDITIONS.get(facts.edition)
    if edition is None:
        return Finding(
            True,
            f"The organisation's edition is one that Leadbus does not know; it makes {limits.calls} calls at"
            " once.",
        )
    left = f"; {limits.credits_left} are left now" if limits.credits_left is not None else ""
    return Finding(
        True,
        f"The edition is {edition.name}: {limits.credits_a_day} API credits in 24 hours{left};"
        f" Leadbus makes {limits.calls} calls at once.",
    )


def _time_zone(facts: Organisation, connection: ZohoConnection) -> Iterable[Finding]:
    if facts.time_zone and facts.time_zone != connection.time_zone:
        yield Finding(
            True,
            f"The organisation's time zone is {facts.time_zone}, the connection's is {connection.time_zone}.",
            "Schedules, and days where notes are made per day, follow the connection's.",
            f"Set time_zone to {facts.time_zone} unless the difference is meant.",
        )


def _pushes(connection: ZohoConnection) -> Iterable[Finding]:
    if connection.push_to is None:
        yield Finding(
            True,
            "No hook_url is given: what changes in the CRM is read on schedule only, not at once.",
            "The CRM pushes its changes to the connection's hook, if it has one.",
            f"Run `leadbus keys create {connection.tenant_id} --scope hook --connection"
            f" {connection.connection_id}`, and enter the address that it prints as hook_url.",
        )
