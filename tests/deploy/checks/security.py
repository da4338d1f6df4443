"""Pod Security's profile "restricted", as Kubernetes documents it (Pod Security Standards), and more."""

from collections.abc import Iterator

from checks.rendering import Manifest, Rendered, called, containers_of, pod_of

_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_MAY_BE_ADDED = {"NET_BIND_SERVICE"}
_SECCOMP = {"RuntimeDefault", "Localhost"}
_MADE_BY_STRIMZI = {
    "KafkaNodePool": ("kafkaContainer", "initContainer"),
    "Kafka": ("topicOperatorContainer", "userOperatorContainer"),
}


def pods_are_restricted(rendered: Rendered) -> Iterator[str]:
    for workload in rendered.workloads():
        pod = pod_of(workload)
        for name in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.get(name):
                yield f"{called(workload)} has {name}"
        context = pod.get("securityContext", {})
        if context.get("sysctls"):
            yield f"{called(workload)} sets sysctls"
        for volume in pod.get("volumes", []):
            if kinds := volume.keys() - _VOLUMES - {"name"}:
                yield f"{called(workload)}: a volume of the kind {', '.join(kinds)}"
        for container in containers_of(workload):
            own = {**context, **container.get("securityContext", {})}
            if own.get("runAsNonRoot") is not True or not own.get("runAsUser"):
                yield f"{called(workload)} may run as root"
            if own.get("seccompProfile", {}).get("type") not in _SECCOMP:
                yield f"{called(workload)} has no seccomp profile"
            if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
                yield f"{called(workload)} may gain privileges"
            capabilities = own.get("capabilities", {})
            if "ALL" not in capabilities.get("drop", []) or {*capabilities.get("add", [])} - _MAY_BE_ADDED:
                yield f"{called(workload)} keeps capabilities"
            if any(port.get("hostPort") for port in container.get("ports", [])):
                yield f"{called(workload)} takes a port of its node"


def pods_that_strimzi_makes_are_restricted(rendered: Rendered) -> Iterator[str]:
    """By default its operator makes what `baseline` allows, and the namespace would take no broker."""
    for kind, containers in _MADE_BY_STRIMZI.items():
        for document in rendered.of(kind):
            spec = document["spec"]
            template = (spec["entityOperator"] if kind == "Kafka" else spec).get("template", {})
            for container in containers:
                own = {**_context(template, "pod"), **_context(template, container)}
                if not (
                    own.get("runAsNonRoot")
                    and own.get("allowPrivilegeEscalation") is False
                    and own.get("seccompProfile", {}).get("type") in _SECCOMP
                    and "ALL" in own.get("capabilities", {}).get("drop", [])
                ):
                    yield f"{called(document)}: {container} is not restricted, so its pods are refused"


def _context(template: Manifest, part: str) -> Manifest:
    found: Manifest = template.get(part, {}).get("securityContext", {})
    return found


def pods_have_no_more_than_they_need(rendered: Rendered) -> Iterator[str]:
    for workload in rendered.workloads():
        pod = pod_of(workload)
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{called(workload)} is given a token of the API server"
        for container in containers_of(workload):
            if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
                yield f"{called(workload)} can write its own image"
        for volume in pod.get("volumes", []):
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{called(workload)}: the volume {volume['name']} has no limit"
        for container in containers_of(workload):
            for variable in container.get("env", []):
                if "secretKeyRef" in variable.get("valueFrom", {}):
                    yield f"{called(workload)}: {variable['name']} is a secret in the environment"
            if any("secretRef" in whole for whole in container.get("envFrom", [])):
                yield f"{called(workload)} has secrets in its environment"


def the_namespace_enforces_it(rendered: Rendered) -> Iterator[str]:
    (namespace,) = rendered.of("Namespace")
    if namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
        yield f"{called(namespace)} does not enforce it"
    for document in rendered.documents:
        own = document["metadata"].get("namespace")
        if document["kind"] != "Namespace" and own != namespace["metadata"]["name"]:
            yield f"{called(document)} is in another namespace"


CHECKS = (
    pods_are_restricted,
    pods_that_strimzi_makes_are_restricted,
    pods_have_no_more_than_they_need,
    the_namespace_enforces_it,
)
