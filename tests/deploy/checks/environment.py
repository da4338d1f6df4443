"""What services are told: names that they know, values that they take, ports that they listen on."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from checks.rendering import Manifest, Rendered, called, containers_of
from leadbus.runner import installed
from leadbus.settings import ConfigurationError, Settings

# OpenTelemetry's own: the SDK reads them, and leadbus.telemetry.setup.
_STANDARD = {
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_METRICS_EXPORTER",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
}
_HASHED = re.compile(r".+-[0-9a-z]{10}")
_REFERENCE = re.compile(r"\$\(([A-Z_]+)\)")
_FROM_FILES = {
    "LEADBUS_SECRET_KEY": "A" * 43 + "=",
    "SMTP_URL": "smtp://mail.example.com",
    "MONGODB_URL": "mongodb://m",
}


@cache
def settings_of(service: str) -> type[Settings]:
    """The settings of a service: its package has one class of its own."""
    module = import_module(f"{service.replace('-', '_')}.settings")
    (found,) = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Settings) and kind.__module__ == module.__name__
    ]
    return found


def known_to(*services: str) -> set[str]:
    """The variables that any of these services reads."""
    fields = [f for service in services for f in settings_of(service).model_fields.values()]
    names = {str(field.validation_alias) for field in fields}
    return names | {f"{name}_FILE" for name in names} | _STANDARD


def variables_are_known(rendered: Rendered) -> Iterator[str]:
    everything = known_to(*installed())
    for config in rendered.of("ConfigMap"):
        if config is rendered.settings():
            for name in config["data"].keys() - everything:
                yield f"{called(config)}: no service knows {name}"
    for workload in rendered.services():
        for container in containers_of(workload):
            variables: list[Manifest] = container.get("env", [])
            used = {name for v in variables for name in _REFERENCE.findall(v.get("value", ""))}
            for name in {v["name"] for v in variables} - known_to(_service(container)) - used:
                yield f"{called(workload)}: {_service(container)} does not know {name}"
            for name in used - {v["name"] for v in variables}:
                yield f"{called(workload)}: $({name}) is not declared"


def values_are_taken(rendered: Rendered) -> Iterator[str]:
    """Files are looked at elsewhere; here each holds something that could stand in it."""
    for workload in rendered.services():
        for container in containers_of(workload):
            told = _told(rendered, container)
            environ = {
                name.removesuffix("_FILE"): _FROM_FILES.get(name.removesuffix("_FILE"), "any")
                if name.endswith("_FILE")
                else value
                for name, value in told.items()
                if name != "KAFKA_SSL_CA_FILE"
            }
            try:
                settings: Any = settings_of(_service(container)).of(environ)
                settings.brokers  # noqa: B018 - it says whether they fit together
            except ConfigurationError as error:
                yield f"{called(workload)}: {error}"
                continue
            ports = [port["containerPort"] for port in container.get("ports", [])]
            if workload["kind"] == "Deployment" and ports != [settings.port]:
                yield f"{called(workload)} listens on {settings.port} and declares {ports}"


def other_settings_are_other_pods(rendered: Rendered) -> Iterator[str]:
    """A ConfigMap that is changed under its name reaches no pod until something else restarts it, and what is
    rolled back then keeps it."""
    for workload in rendered.services():
        for container in containers_of(workload):
            for whole in container.get("envFrom", []):
                if not _HASHED.fullmatch(name := whole["configMapRef"]["name"]):
                    yield f"{called(workload)} goes on with the settings that it has when {name} changes"


def what_runs_is_what_it_is_named(rendered: Rendered) -> Iterator[str]:
    services = {*installed()}
    for kind, verb, prefix in (("Deployment", "run", ""), ("Job", "prepare", "prepare-")):
        names = {workload["metadata"]["name"] for workload in rendered.services(kind)}
        if names != {prefix + service for service in services}:
            yield f"not every service has its {kind}, or something else has"
        for workload in rendered.services(kind):
            service = workload["metadata"]["name"].removeprefix(prefix)
            (container,) = containers_of(workload)
            if container.get("args") != [verb, service] or "command" in container:
                yield f"{called(workload)} does not {verb} {service}"
            image, _, version = container["image"].rpartition(":")
            if not image.endswith(f"leadbus/{service}"):
                yield f"{called(workload)} has the image of another service: {image}"
            if version != workload["metadata"]["labels"]["app.kubernetes.io/version"]:
                yield f"{called(workload)} has another version than it is labelled with: {version}"


def _service(container: Manifest) -> str:
    return str(container["args"][1])


def _told(rendered: Rendered, container: Manifest) -> Mapping[str, str]:
    told: dict[str, str] = {}
    for whole in container.get("envFrom", []):
        config = rendered.named("ConfigMap", whole["configMapRef"]["name"])
        told |= config["data"] if config else {}
    return told | {v["name"]: v.get("value", "from-the-pod") for v in container.get("env", [])}


CHECKS = (
    variables_are_known,
    values_are_taken,
    other_settings_are_other_pods,
    what_runs_is_what_it_is_named,
)
