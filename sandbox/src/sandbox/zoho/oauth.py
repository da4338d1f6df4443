"""The accounts server: consent, grant codes, refresh tokens and access tokens.

Source: Zoho's documentation, except the status of `Access Denied` (reported by users; documented with 200).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .errors import ApiError
from .site import Site
from .store import Row
from .users import User

SCOPES = (
    "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.READ,ZohoCRM.org.READ,ZohoCRM.notifications.ALL,"
    "ZohoCRM.coql.READ,ZohoCRM.bulk.ALL,ZohoFiles.files.ALL,ZohoSearch.securesearch.READ"
)
ACCESS_SECONDS = 3_600
GRANT_SECONDS = 180.0
_WINDOW = 600.0
_TOKENS_IN_WINDOW = 10
_GRANTS_IN_WINDOW = 10
_LIVE_TOKENS = 15
_REFRESH_TOKENS = 20
DENIED = {
    "error": "Access Denied",
    "error_description": "You have made too many requests continuously. Please try again after some time.",
    "status": "failure",
}


class Refused(Exception):
    """What the accounts server says instead of a token; most of it with status 200."""

    def __init__(self, body: Mapping[str, Any], status: int = 200) -> None:
        super().__init__(body["error"])
        self.body, self.status = dict(body), status


def _refused(error: str) -> Refused:
    return Refused({"error": error})


@dataclass(frozen=True, slots=True)
class Token:
    """A live access token."""

    user: User
    client: str
    scopes: frozenset[str]

    def check(self, needed: str, module: str | None) -> None:
        """needed: `group.action`, such as `org.READ`; modules also have scopes of their own.

        Raises OAUTH_SCOPE_MISMATCH.
        """
        group, _, action = needed.partition(".")
        granted = {f"ZohoCRM.{group}.ALL", f"ZohoCRM.{group}.{action}"}
        if group == "search":
            granted = {"ZohoSearch.securesearch.READ"}
        elif module:
            granted |= {f"ZohoCRM.modules.{module.lower()}.{which}" for which in ("ALL", action)}
        if not self.scopes & granted:
            raise ApiError("OAUTH_SCOPE_MISMATCH")


@dataclass(slots=True)
class OAuth:
    """signs_in, consents: who is at the browser when a consent page opens, and what they say there."""

    site: Site
    signs_in: str
    consents: bool = True
    refused: int = 0

    # The browser

    def consent(self, given: Mapping[str, str]) -> str:
        """Where the browser is sent back to. Raises Refused for what ends on the accounts server."""
        client, redirect = given.get("client_id", ""), given.get("redirect_uri", "")
        self._check_client(client)
        if not redirect or not self._may_redirect(client, redirect):
            raise _refused("invalid_redirect_uri")
        if given.get("response_type") != "code":
            raise _refused("invalid_response_type")
        if not given.get("scope"):
            raise _refused("invalid_scope")
        answer = {"state": given["state"]} if "state" in given else {}
        if not self.consents:
            return _with(redirect, answer | {"error": "access_denied"})
        offline = given.get("access_type") == "offline"
        code = self.grant(self.signs_in, client, scope=given["scope"], redirect_uri=redirect, offline=offline)
        site = self.site
        answer |= {"code": code, "location": site.settings.location, "accounts-server": site.url}
        return _with(redirect, answer)

    def grant(
        self,
        email: str,
        client: str,
        *,
        scope: str = SCOPES,
        redirect_uri: str = "",
        offline: bool = True,
        seconds: float = GRANT_SECONDS,
    ) -> str:
        """A grant code, made by hand for a self client or by consent. Raises Refused, KeyError for nobody."""
        user = self.site.users.by_email(email)
        if user is None:
            raise KeyError(email)
        now, store = self._now(), self.site.store
        sql = "SELECT count(*) FROM grant_codes WHERE user = ? AND client = ? AND made > ?"
        if store.value(sql, (user.id, client, now - _WINDOW)) >= _GRANTS_IN_WINDOW:
            raise Refused(DENIED, 400)
        code = _token()
        store.execute(
            "INSERT INTO grant_codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (code, client, user.id, scope, redirect_uri, offline, now, now + seconds),
        )
        return code

    # Tokens

    def token(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a token request. Raises Refused."""
        try:
            client = given.get("client_id", "")
            self._check_client(client, given.get("client_secret", ""))
            kinds = {"authorization_code": self._exchange, "refresh_token": self._renew}
            kind = kinds.get(given.get("grant_type", ""))
            if kind is None:
                raise _refused("unsupported_grant_type")
            answer = kind(client, given)
        except Refused:
            self.refused += 1
            raise
        self.refused = 0
        return answer

    def revoke(self, refresh: str) -> dict[str, str]:
        """The refresh token and all its access tokens are dead. Raises Refused."""
        store = self.site.store
        store.execute("DELETE FROM access_tokens WHERE refresh = ?", (refresh,))
        if not store.execute("DELETE FROM refresh_tokens WHERE token = ?", (refresh,)):
            raise _refused("invalid_code")
        return {"status": "success"}

    def who(self, header: str) -> Token:
        """Of an Authorization header. Raises AUTHENTICATION_FAILURE, INVALID_TOKEN."""
        kind, _, token = header.partition(" ")
        if kind != "Zoho-oauthtoken" or not token:
            raise ApiError("AUTHENTICATION_FAILURE")
        sql = "SELECT * FROM access_tokens WHERE token = ? AND until > ?"
        row = self.site.store.row(sql, (token.strip(), self._now()))
        if row is None:
            raise ApiError("INVALID_TOKEN")
        user = self.site.users.get(row["user"])
        if user is None or not user.active:
            raise ApiError("AUTHENTICATION_FAILURE")
        return Token(user, row["client"], frozenset(row["scope"].replace(",", " ").split()))

    def expire(self, header: str) -> None:
        """The access token of an Authorization header is dead."""
        token = header.partition(" ")[2].strip()
        self.site.store.execute("UPDATE access_tokens SET until = 0 WHERE token = ?", (token,))

    def _exchange(self, client: str, given: Mapping[str, str]) -> dict[str, Any]:
        store = self.site.store
        row = store.row("SELECT * FROM grant_codes WHERE code = ?", (given.get("code"),))
        if row is None or row["client"] != client or row["used"] or row["until"] <= self._now():
            raise _refused("invalid_code")
        if row["redirect_uri"] and row["redirect_uri"] != given.get("redirect_uri"):
            raise _refused("invalid_redirect_uri")
        store.execute("UPDATE grant_codes SET used = 1 WHERE code = ?", (row["code"],))
        if not row["offline"]:
            return self._answer(self._access(None, client, row))
        refresh = _token()
        store.execute(
            "INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, ?)",
            (refresh, client, row["user"], row["scope"], self._now()),
        )
        self._forget_oldest(client, row["user"])
        return self._answer(self._access(refresh, client, row), refresh_token=refresh)

    def _renew(self, client: str, given: Mapping[str, str]) -> dict[str, Any]:
        refresh, store = given.get("refresh_token", ""), self.site.store
        row = store.row("SELECT * FROM refresh_tokens WHERE token = ?", (refresh,))
        if row is None or row["client"] != client:
            raise _refused("invalid_code")
        user = self.site.users.get(row["user"])
        if user is None or not user.active:
            raise _refused("invalid_code")
        sql = "SELECT count(*) FROM access_tokens WHERE refresh = ? AND made > ?"
        if store.value(sql, (refresh, self._now() - _WINDOW)) >= _TOKENS_IN_WINDOW:
            raise Refused(DENIED, 400)
        return self._answer(self._access(refresh, client, row))

    def _access(self, refresh: str | None, client: str, row: Row) -> Row:
        """A new access token; with more than 15 live ones the oldest is dead."""
        now, token, store = self._now(), _token(), self.site.store
        store.execute(
            "INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?, ?, ?)",
            (token, refresh, client, row["user"], row["scope"], now, now + ACCESS_SECONDS),
        )
        live = (
            "SELECT token FROM access_tokens WHERE refresh = ? AND until > ? ORDER BY made DESC, rowid DESC"
        )
        # Not deleted: the ten-minute window counts it all the same.
        store.execute(
            f"UPDATE access_tokens SET until = 0 WHERE token IN ({live} LIMIT -1 OFFSET {_LIVE_TOKENS})",
            (refresh, now),
        )
        return {"access_token": token, "scope": row["scope"].replace(",", " ")}

    def _answer(self, token: Row, **also: str) -> dict[str, Any]:
        domain = {"api_domain": self.site.url, "token_type": "Bearer", "expires_in": ACCESS_SECONDS}
        return {"access_token": token["access_token"], **also, "scope": token["scope"], **domain}

    def _forget_oldest(self, client: str, user: str) -> None:
        """More than 20 refresh tokens of a user and client: the first is dead."""
        sql = "SELECT token FROM refresh_tokens WHERE client = ? AND user = ? ORDER BY made DESC, rowid DESC"
        rows = self.site.store.rows(f"{sql} LIMIT -1 OFFSET {_REFRESH_TOKENS}", (client, user))
        for row in rows:
            self.revoke(row["token"])

    def _check_client(self, client: str, secret: str | None = None) -> None:
        known = self.site.store.value("SELECT secret FROM clients WHERE id = ?", (client,))
        if known is None:
            raise _refused("invalid_client")
        if secret is not None and secret != known:
            raise _refused("invalid_client_secret")

    def _may_redirect(self, client: str, uri: str) -> bool:
        """Anything while no address is registered (the sandbox's own mercy), then those alone."""
        rows = self.site.store.rows("SELECT uri FROM redirects WHERE client = ?", (client,))
        return not rows or uri in {row["uri"] for row in rows}

    def _now(self) -> float:
        return self.site.store.clock().timestamp()


def _with(uri: str, parameters: Mapping[str, str]) -> str:
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}"


def _token() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
