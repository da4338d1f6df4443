"""Names, labels, ports, volumes and resources: what the API server would find, before it does."""

import re
from collections.abc import Iterator
from typing import Any

from checks.rendering import Manifest, Rendered, called, containers_of, pod_of, selects

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi)?")
_SIZES = {"m": 1e-3, None: 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_HIGHEST_PORT = 65_535
# Of pods that are in no manifest: cert-manager starts them while it gets a certificate.
_OF_OTHERS = {"acme.cert-manager.io/http01-solver"}


def names_are_names(rendered: Rendered) -> Iterator[str]:
    seen = set()
    for document in rendered.documents:
        if not _NAME.fullmatch(document["metadata"]["name"]):
            yield f"{called(document)}: that is no name"
        if called(document) in seen:
            yield f"{called(document)} is there twice"
        seen.add(called(document))


def deployments_select_their_own_pods(rendered: Rendered) -> Iterator[str]:
    for deployment in rendered.of("Deployment"):
        if rendered.selected(deployment["spec"]["selector"]) != [deployment]:
            yield f"{called(deployment)} does not select its own pods and no others"


def services_and_budgets_mean_one_deployment(rendered: Rendered) -> Iterator[str]:
    for document in rendered.of("Service", "PodDisruptionBudget"):
        selector = document["spec"]["selector"]
        wanted = {"matchLabels": selector} if document["kind"] == "Service" else selector
        if [called(w) for w in rendered.selected(wanted)] != [f"Deployment {document['metadata']['name']}"]:
            yield f"{called(document)} does not select the pods of the Deployment of its name and no others"


def services_lead_to_ports_that_exist(rendered: Rendered) -> Iterator[str]:
    for service in rendered.of("Service"):
        for workload in rendered.selected({"matchLabels": service["spec"]["selector"]}):
            for port in service["spec"]["ports"]:
                if not _has_port(workload, port["targetPort"]):
                    yield f"{called(service)}: its pods have no port {port['targetPort']}"


def probes_ask_ports_that_exist(rendered: Rendered) -> Iterator[str]:
    for workload in rendered.workloads():
        for container in containers_of(workload):
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                port = container.get(probe, {}).get("httpGet", {}).get("port")
                if port is not None and not _has_port(workload, port):
                    yield f"{called(workload)}: {probe} asks a port {port} that is not there"


def monitors_ask_ports_that_exist(rendered: Rendered) -> Iterator[str]:
    for monitor in rendered.of("PodMonitor"):
        workloads = [w for w in rendered.selected(monitor["spec"]["selector"]) if w["kind"] == "Deployment"]
        if not workloads:
            yield f"{called(monitor)} selects nothing"
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            for workload in workloads:
                if not _has_port(workload, endpoint["port"]):
                    yield f"{called(monitor)}: {called(workload)} has no port {endpoint['port']}"


def ways_in_lead_somewhere(rendered: Rendered) -> Iterator[str]:
    for ingress in rendered.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                service = rendered.named("Service", backend["name"])
                ports = [port["name"] for port in service["spec"]["ports"]] if service else []
                if backend["port"].get("name") not in ports:
                    yield f"{called(ingress)}: {rule['host']}{path['path']} leads to no port of a Service"


def volumes_are_mounted(rendered: Rendered) -> Iterator[str]:
    for workload in rendered.workloads():
        volumes = {volume["name"] for volume in pod_of(workload).get("volumes", [])}
        mounts = [m for container in containers_of(workload) for m in container.get("volumeMounts", [])]
        for name in volumes ^ {mount["name"] for mount in mounts}:
            yield f"{called(workload)}: the volume {name} is not both declared and mounted"
        if len({mount["mountPath"] for mount in mounts}) != len(mounts):
            yield f"{called(workload)} mounts two volumes at one place"


def resources_are_sane(rendered: Rendered) -> Iterator[str]:
    for workload in rendered.workloads():
        for container in containers_of(workload):
            resources: dict[str, dict[str, Any]] = container.get("resources", {})
            requests, limits = resources.get("requests", {}), resources.get("limits", {})
            if not {"cpu", "memory"} <= requests.keys() or "memory" not in limits:
                yield f"{called(workload)} does not say what it needs and what it may take of memory"
            for kind, amount in {**requests, **limits}.items():
                if _amount(amount) is None:
                    yield f"{called(workload)}: {amount} is no quantity of {kind}"
            for kind in requests.keys() & limits.keys():
                if (_amount(requests[kind]) or 0) > (_amount(limits[kind]) or 0):
                    yield f"{called(workload)} requests more {kind} than its limit"


def policies_mean_something(rendered: Rendered) -> Iterator[str]:
    for policy in rendered.of("NetworkPolicy"):
        spec = policy["spec"]
        of_others = _OF_OTHERS & spec["podSelector"].get("matchLabels", {}).keys()
        if not of_others and not rendered.selected(spec["podSelector"]):
            yield f"{called(policy)} selects nothing"
        rules = [*spec.get("ingress", []), *spec.get("egress", [])]
        for port in [port["port"] for rule in rules for port in rule.get("ports", [])]:
            if isinstance(port, int) and not 0 < port <= _HIGHEST_PORT:
                yield f"{called(policy)}: {port} is no port"
            if isinstance(port, str):
                for workload in rendered.selected(spec["podSelector"]):
                    if workload["kind"] == "Deployment" and not _has_port(workload, port):
                        yield f"{called(policy)}: {called(workload)} has no port {port}"
    for workload in rendered.workloads():
        if any(rendered.of("NetworkPolicy")) and not _is_closed(rendered, workload):
            yield f"{called(workload)} is open: no policy denies by default"


def _is_closed(rendered: Rendered, workload: Manifest) -> bool:
    labels = workload["spec"]["template"]["metadata"]["labels"]
    return any(
        selects(policy["spec"]["podSelector"], labels)
        and set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not {"ingress", "egress"} & policy["spec"].keys()
        for policy in rendered.of("NetworkPolicy")
    )


def _has_port(workload: Manifest, port: str | int) -> bool:
    ports = [p for container in containers_of(workload) for p in container.get("ports", [])]
    return any(port in (p.get("name"), p["containerPort"]) for p in ports)


def _amount(quantity: str | float) -> float | None:
    found = _QUANTITY.fullmatch(str(quantity))
    return float(found[1]) * _SIZES[found[2]] if found else None


CHECKS = (
    names_are_names,
    deployments_select_their_own_pods,
    services_and_budgets_mean_one_deployment,
    services_lead_to_ports_that_exist,
    probes_ask_ports_that_exist,
    monitors_ask_ports_that_exist,
    ways_in_lead_somewhere,
    volumes_are_mounted,
    resources_are_sane,
    policies_mean_something,
)
