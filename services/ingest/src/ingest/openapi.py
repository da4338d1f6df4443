"""The inputs' part of OpenAPI, from the same models that validate them."""

import re
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from ingest.hooks import ROUTE as HOOKS
from ingest.inputs import INPUTS, Input
from ingest.items import STATUSES
from ingest.reading import CLOUDEVENT, CLOUDEVENTS, JSON, NDJSON
from leadbus.problems import MEDIA_TYPE, SCHEMA

_REF = "#/components/schemas/"
_RESULT: dict[str, Any] = {
    "type": "object",
    "required": ["index", "status"],
    "properties": {
        "index": {"type": "integer", "description": "The item's place in the request, from 0."},
        "status": {"enum": list(STATUSES)},
        "event_id": {"type": "string"},
        "prospect_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("field", "reason", "code")},
            },
        },
    },
}
_RESULTS = {
    "type": "object",
    "properties": {"results": {"type": "array", "items": {"$ref": _REF + "Result"}}},
}
_CLOUDEVENT: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"enum": [i.cloud_event_type for i in INPUTS]},
        "time": {"type": "string", "format": "date-time"},
        "data": {"oneOf": [{"$ref": _REF + i.body.__name__} for i in INPUTS]},
    },
}
_ANSWERS = {
    "202": "Every item is accepted, or a duplicate of one that is.",
    "207": "Some items are accepted, others rejected; see the results.",
}
_PROBLEMS = {
    "401": "No API key, or not a good one.",
    "403": "The key lacks the scope ingest, is another tenant's, or is used from an address not authorised.",
    "413": "More than 5 MB, or more than 1,000 items.",
    "415": "A content type that is not taken.",
    "422": "Not JSON, or no item could be taken; results say why.",
    "429": "Faster than the key may; see Retry-After.",
    "503": "Not every item was acknowledged by Kafka; safe to send again with the same ids.",
}
_NO_HOOK = {"404": "There is no such hook, or its key was revoked.", "403": "From an address not authorised."}
_HOOK: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "get": ("For CRMs that look whether the URL answers.", {"200": "There is such a hook."}, _NO_HOOK),
    "post": (
        "What a CRM pushes, of any content type; published as it is on crm.notifications.",
        {"202": "Every in-sync replica has it."},
        {
            **_NO_HOOK,
            "413": "More than 1 MB.",
            "415": "A content encoding; send the body as it is.",
            "429": "Faster than the hook may be called; see Retry-After.",
            "503": "Kafka did not acknowledge it; safe to send again.",
        },
    ),
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 256},
    "description": "Items without an event_id get one from this and their place: a repetition counts once.",
}


def document_inputs(api: FastAPI) -> None:
    """Adds the inputs to what `/openapi.json` answers."""
    generated: Callable[[], dict[str, Any]] = api.openapi

    def merged() -> dict[str, Any]:
        if api.openapi_schema is None:
            document = generated()
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(_schemas())
            components["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"apiKey": []}]
            document.setdefault("paths", {}).update(_paths())
            api.openapi_schema = document
        return api.openapi_schema

    api.openapi = merged  # type: ignore[method-assign]


def _schemas() -> dict[str, Any]:
    _, generated = models_json_schema([(i.body, "validation") for i in INPUTS], ref_template=_REF + "{model}")
    schemas: dict[str, Any] = generated["$defs"]
    for schema in schemas.values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)  # bodies are read with extra="forbid"
    return {**schemas, "Result": _RESULT, "Results": _RESULTS, "CloudEvent": _CLOUDEVENT, "Problem": SCHEMA}


def _paths() -> dict[str, Any]:
    paths = {i.path: {"post": _operation(i.name, i.summary, _contents(i))} for i in INPUTS}
    cloud_events = _operation(
        "cloudevents", "CloudEvents 1.0 of any input; the type decides.", _cloud_events()
    )
    hook = {method: _hook_operation(method, *told) for method, told in _HOOK.items()}
    return {**paths, "/v1/cloudevents": {"post": cloud_events}, HOOKS: hook}


def _hook_operation(
    method: str, summary: str, answers: dict[str, str], problems: dict[str, str]
) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", HOOKS)
    operation: dict[str, Any] = {
        "operationId": f"{method}_hook",
        "summary": summary,
        "tags": ["Hooks"],
        "security": [],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ],
        "responses": {code: {"description": text} for code, text in answers.items()} | _described(problems),
    }
    if method == "post":
        operation["requestBody"] = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
    return operation


def _described(problems: dict[str, str]) -> dict[str, Any]:
    return {
        code: {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": _REF + "Problem"}}}}
        for code, text in problems.items()
    }


def _operation(name: str, summary: str, contents: dict[str, Any]) -> dict[str, Any]:
    results = {JSON: {"schema": {"$ref": _REF + "Results"}}}
    streamed = {NDJSON: {"schema": {"$ref": _REF + "Result"}}}
    answers = {code: {"description": text, "content": results} for code, text in _ANSWERS.items()}
    stream = {
        "200": {
            "description": "To a stream: a result per line as it comes, and at the end how many became what."
            " Read while you send, or send Prefer: return=minimal to be told only of what was not accepted.",
            "content": streamed,
        }
    }
    return {
        "operationId": f"post_{name}",
        "summary": summary,
        "tags": ["Inputs"],
        "parameters": [_IDEMPOTENCY],
        "requestBody": {"required": True, "content": contents},
        "responses": {**(stream if NDJSON in contents else {}), **answers, **_described(_PROBLEMS)},
    }


def _contents(input: Input) -> dict[str, Any]:
    one = {"$ref": _REF + input.body.__name__}
    many = {"type": "array", "maxItems": 1_000, "items": one}
    return {
        JSON: {"schema": {"oneOf": [one, many]}, "example": input.example},
        NDJSON: {"schema": one},
        **_cloud_events(),
    }


def _cloud_events() -> dict[str, Any]:
    one = {"$ref": _REF + "CloudEvent"}
    return {
        CLOUDEVENT: {"schema": one},
        CLOUDEVENTS: {"schema": {"type": "array", "maxItems": 1_000, "items": one}},
    }
