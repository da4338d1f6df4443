"""OAuth2: one session per user and platform, refresh tokens that rotate."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ..door import Door, LockedOut, WrongPassword, md5
from ..site import Settings
from ..store import Row, Store
from .api import Who
from .errors import BAD_TOKEN, ApiError, missing, need_login

_ALWAYS_KNOWN = frozenset({"base", "mobile", "portal"})
_SUGARS_OWN_KEY = {"sugar": ""}
_WRONG = "You must specify a valid username and password."
_BY_ACCESS = "SELECT * FROM oauth_sessions WHERE access = ?"


@dataclass(slots=True)
class OAuth:
    store: Store
    door: Door
    settings: Settings

    def token(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a grant. Raises need_login, invalid_grant, invalid_client, invalid_parameter."""
        platform = str(given.get("platform") or "base")
        self._check_client(given)
        if given.get("grant_type") == "password":
            user = self._enter(given)
            self._check_platform(platform)
        elif given.get("grant_type") == "refresh_token":
            session = self.store.row(
                "SELECT * FROM oauth_sessions WHERE refresh = ?", (given.get("refresh_token"),)
            )
            if session is None or session["refresh_until"] <= self._now():
                raise ApiError("invalid_grant", "Invalid refresh token")
            user, platform = session["user_id"], session["platform"]
        else:
            raise missing("grant_type", self.settings.missing_parameter)
        return self._open(user, platform)

    def who(self, token: str) -> Who:
        """Raises need_login without a token or with one that is over, invalid_grant with an unknown one."""
        if not token:
            raise need_login()
        session = self.store.row(_BY_ACCESS, (token,))
        user = session and self.store.row(
            "SELECT * FROM users WHERE id = ? AND deleted = 0 AND status = 'Active'", (session["user_id"],)
        )
        if session is None or not user:
            raise ApiError("invalid_grant", BAD_TOKEN)
        if session["access_until"] <= self._now():
            raise need_login()
        return Who(user, zone(self.store, user["id"]), token)

    def logout(self, token: str) -> dict[str, bool]:
        self.end(token)
        return {"success": True}

    def end(self, token: str) -> None:
        """Both tokens of the session are dead."""
        self.store.execute("DELETE FROM oauth_sessions WHERE access = ?", (token,))

    def expire(self, token: str) -> None:
        """The access token is over, the refresh token is not."""
        self.store.execute("UPDATE oauth_sessions SET access_until = 0 WHERE access = ?", (token,))

    def _enter(self, given: Mapping[str, Any]) -> str:
        try:
            user = self.door.enter(str(given.get("username", "")), md5(str(given.get("password", ""))))
        except (WrongPassword, LockedOut):
            raise need_login(_WRONG) from None
        return str(user["id"])

    def _check_client(self, given: Mapping[str, Any]) -> None:
        keys = self.store.rows("SELECT key, secret FROM oauth_keys")
        known = _SUGARS_OWN_KEY | {row["key"]: row["secret"] for row in keys}
        secret = known.get(str(given.get("client_id", "")))
        if secret is None or (secret and secret != given.get("client_secret")):
            raise ApiError("invalid_client", "The client credentials are invalid")

    def _check_platform(self, platform: str) -> None:
        known = platform in _ALWAYS_KNOWN or self.store.value(
            "SELECT 1 FROM platforms WHERE name = ?", (platform,)
        )
        if not known and self.settings.disable_unknown_platforms:
            raise ApiError("invalid_parameter", "EXCEPTION_INVALID_PLATFORM")

    def _open(self, user: str, platform: str) -> dict[str, Any]:
        now = self._now()
        session: Row = {"access": _token(), "refresh": _token(), "download": _token()}
        self.store.execute("DELETE FROM oauth_sessions WHERE user_id = ? AND platform = ?", (user, platform))
        self.store.insert(
            "oauth_sessions",
            {
                **session,
                "user_id": user,
                "platform": platform,
                "access_until": now + self.settings.access_seconds,
                "refresh_until": now + self.settings.refresh_seconds,
            },
        )
        return {
            "access_token": session["access"],
            "expires_in": int(self.settings.access_seconds),
            "token_type": "bearer",
            "scope": None,
            "refresh_token": session["refresh"],
            "refresh_expires_in": int(self.settings.refresh_seconds),
            "download_token": session["download"],
        }

    def _now(self) -> float:
        return self.store.clock().timestamp()


def zone(store: Store, user: str) -> ZoneInfo:
    return ZoneInfo(store.value("SELECT timezone FROM preferences WHERE user_id = ?", (user,)) or "UTC")


def _token() -> str:
    return str(uuid.uuid4())
