"""The HTTP side of /rest/<version>/..."""

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..door import Door
from ..faults import DiedWriting, Happening, Rule
from ..front import Answer, Front, not_found
from ..site import Protocols, Settings
from ..store import Store
from . import query
from .api import Api, Who
from .bulk import Answered, bulk
from .errors import BAD_TOKEN, ApiError, invalid, need_login, no_method, not_authorized
from .hooks import Hooks
from .oauth import OAuth
from .routing import Route, find

_NOBODY = Who({"id": "", "is_admin": 0}, ZoneInfo("UTC"))


class RestEndpoint:
    """Serves all versions of the site."""

    def __init__(
        self, store: Store, door: Door, front: Front, protocols: Protocols, settings: Settings
    ) -> None:
        self._store, self._front = store, front
        self._protocols, self._settings = protocols, settings
        self._oauth = OAuth(store, door, settings)
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        if protocols.rest:
            store.watcher = Hooks(store)

    async def serve(self, request: Request) -> Response:
        if not self._protocols.rest:
            return not_found()
        try:
            version = request.path_params["version"]
            self._check(version)
            parts = [part for part in request.path_params["path"].split("/") if part]
            route = self._route(request.method, parts)
            arguments = query.parse(parse_qsl(request.url.query, keep_blank_values=True))
            arguments |= _body(request.headers.get("content-type", ""), await request.body())
        except ApiError as refused:
            return _refused(refused)
        token = _token(request, arguments)
        exchange = _Exchange(self, self._api(version, route, arguments, request.headers), route, token)
        self._front.calls[route.happening.operation] += 1
        turn = self._turns.setdefault(token, asyncio.Semaphore(self._settings.parallel))
        async with turn:
            return await self._front.serve(exchange, request)

    def answer(self, api: Api, route: Route, token: str) -> Any:
        """Raises ApiError, DiedWriting."""
        if route.name == "oauth2/token":
            return self._oauth.token(api.arguments)
        who = self._oauth.who(token)
        api.who = dataclasses.replace(who, traceparent=api.headers.get("traceparent"))
        if route.name == "oauth2/logout":
            return self._oauth.logout(token)
        return bulk(api, self._run) if route.handler is None else route.handler(api)

    def strike(self, kind: str, token: str, happening: Happening) -> ApiError | None:
        """What a fault answers in modern REST's own words."""
        if kind == "session_lost":
            self._oauth.end(token)
        if kind == "token_expired":
            self._oauth.expire(token)
        return {
            "http_500": ApiError("fatal_error"),
            "maintenance": ApiError("maintenance", "SugarCRM is in maintenance mode."),
            "session_lost": ApiError("invalid_grant", BAD_TOKEN),
            "token_expired": need_login(),
            "access_denied": not_authorized("access", happening.module or "this record"),
            "refused_login": need_login("You must specify a valid username and password."),
        }.get(kind)

    def _run(
        self,
        outer: Api,
        method: str,
        version: str,
        parts: list[str],
        arguments: dict[str, Any],
        headers: dict[str, str],
    ) -> Answered:
        """One request of a bulk."""
        self._check(version)
        route = self._route(method, parts)
        if route.handler is None:
            raise no_method(len(parts))
        happening = dataclasses.replace(route.happening, alias=outer.happening.operation)
        api = dataclasses.replace(
            outer, version=version, happening=happening, path=route.path, arguments=arguments, headers=headers
        )
        contents = route.handler(api)
        return api.status, contents

    def _check(self, version: str) -> None:
        if version not in self._protocols.rest:
            raise ApiError("incorrect_version", f"The requested API version {version} is not available")

    def _route(self, method: str, parts: list[str]) -> Route:
        route = find(method, parts, self._store.modules)
        if route is None:
            raise no_method(len(parts))
        return route

    def _api(self, version: str, route: Route, arguments: dict[str, Any], headers: Mapping[str, str]) -> Api:
        return Api(
            self._store,
            self._front.faults,
            self._protocols,
            self._settings,
            version,
            route.happening,
            route.path,
            arguments,
            headers,
            _NOBODY,
        )


class _Exchange:
    def __init__(self, endpoint: RestEndpoint, api: Api, route: Route, token: str) -> None:
        self._endpoint, self._api, self._route, self._token = endpoint, api, route, token

    @property
    def happening(self) -> Happening:
        return self._route.happening

    def strike(self, rule: Rule) -> Response | None:
        refusal = self._endpoint.strike(rule.kind, self._token, self.happening)
        return _refused(refusal) if refusal else None

    def answer(self) -> Answer:
        try:
            contents = self._endpoint.answer(self._api, self._route, self._token)
            response: Response = JSONResponse(contents, self._api.status)
        except ApiError as refused:
            response = _refused(refused)
        except DiedWriting:
            response = _refused(ApiError("fatal_error"))
        return Answer(response, self._api.tally.rows_written)


def _refused(refused: ApiError) -> Response:
    return JSONResponse(refused.body, refused.status)


def _token(request: Request, arguments: Mapping[str, Any]) -> str:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = request.headers.get("oauth-token") or (bearer.strip() if scheme.lower() == "bearer" else "")
    return given or str(arguments.get("oauth_token", ""))


def _body(content_type: str, body: bytes) -> dict[str, Any]:
    """JSON, or a form if it says so. Raises invalid_parameter for what is neither."""
    if not body:
        return {}
    if content_type.startswith("application/x-www-form-urlencoded"):
        return query.parse(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    try:
        read = json.loads(body)
    except ValueError:
        raise invalid("body") from None
    if not isinstance(read, dict):
        raise invalid("body")
    return read
