"""Whatever one thing names in another is there: ConfigMaps, Secrets, their keys, ServiceAccounts."""

from collections.abc import Iterator, Mapping

from checks.rendering import Rendered, called, containers_of, pod_of

# Strimzi's operator makes these: the cluster's certificate authority, and a Secret for each KafkaUser.
_OF_THE_CLUSTER = {"leadbus-cluster-ca-cert": {"ca.crt", "ca.p12", "ca.password"}}
_OF_A_USER = {"password", "sasl.jaas.config"}
# Made by whoever issues certificates.
_OF_INGRESS = {"leadbus-tls": {"tls.crt", "tls.key"}}

Keys = Mapping[str, set[str]]


def secrets_of(rendered: Rendered) -> Keys:
    """Every Secret that is there, or will be, with its keys."""
    return {
        **(_OF_THE_CLUSTER if any(rendered.of("Kafka")) else {}),
        **{user["metadata"]["name"]: _OF_A_USER for user in rendered.of("KafkaUser")},
        **{
            external["metadata"]["name"]: {row["secretKey"] for row in external["spec"]["data"]}
            for external in rendered.of("ExternalSecret")
        },
        **{s["metadata"]["name"]: {*s.get("data", {})} for s in rendered.of("Secret")},
    }


def config_of(rendered: Rendered) -> Keys:
    return {c["metadata"]["name"]: {*c.get("data", {})} for c in rendered.of("ConfigMap")}


def what_pods_name_is_there(rendered: Rendered) -> Iterator[str]:
    config, secrets = config_of(rendered), secrets_of(rendered)
    for workload in rendered.workloads():
        pod = pod_of(workload)
        if rendered.named("ServiceAccount", pod["serviceAccountName"]) is None:
            yield f"{called(workload)}: there is no ServiceAccount {pod['serviceAccountName']}"
        for volume in pod.get("volumes", []):
            if found := volume.get("secret"):
                keys = {item["key"] for item in found.get("items", [])}
                yield from _missing(called(workload), "Secret", secrets, found.get("secretName"), keys)
            if found := volume.get("configMap"):
                yield from _missing(called(workload), "ConfigMap", config, found.get("name"), set())
        for container in containers_of(workload):
            for whole in container.get("envFrom", []):
                if reference := whole.get("configMapRef"):
                    yield from _missing(called(workload), "ConfigMap", config, reference["name"], set())


def files_that_variables_name_are_mounted(rendered: Rendered) -> Iterator[str]:
    secrets, config = (
        secrets_of(rendered),
        {c["metadata"]["name"]: c["data"] for c in rendered.of("ConfigMap")},
    )
    for workload in rendered.workloads():
        volumes = {v["name"]: v.get("secret", {}).get("secretName") for v in pod_of(workload)["volumes"]}
        for container in containers_of(workload):
            shown = {
                f"{mount['mountPath']}/{key}"
                for mount in container.get("volumeMounts", [])
                for key in secrets.get(volumes.get(mount["name"]) or "", ())
            }
            told = {v["name"]: v.get("value", "") for v in container.get("env", [])}
            for whole in container.get("envFrom", []):
                told = {**config.get(whole["configMapRef"]["name"], {}), **told}
            for name, value in told.items():
                if name.endswith("_FILE") and value not in shown:
                    yield f"{called(workload)}: {name} names {value}, which is not mounted"


def what_keda_and_ingress_name_is_there(rendered: Rendered) -> Iterator[str]:
    config, secrets = config_of(rendered), secrets_of(rendered)
    for authentication in rendered.of("TriggerAuthentication"):
        for kind, member, known in (
            ("ConfigMap", "configMapTargetRef", config),
            ("Secret", "secretTargetRef", secrets),
        ):
            for row in authentication["spec"].get(member, []):
                yield from _missing(called(authentication), kind, known, row["name"], {row["key"]})
    for scaled in rendered.of("ScaledObject"):
        for trigger in scaled["spec"]["triggers"]:
            name = trigger.get("authenticationRef", {}).get("name")
            if name and rendered.named("TriggerAuthentication", name) is None:
                yield f"{called(scaled)}: there is no TriggerAuthentication {name}"
    for ingress in rendered.of("Ingress"):
        for tls in ingress["spec"]["tls"]:
            yield from _missing(called(ingress), "Secret", _OF_INGRESS, tls["secretName"], set())
        shown = {host for tls in ingress["spec"]["tls"] for host in tls["hosts"]}
        for rule in ingress["spec"]["rules"]:
            if rule["host"] not in shown:
                yield f"{called(ingress)}: {rule['host']} is without TLS"


def _missing(who: str, kind: str, known: Keys, name: str | None, keys: set[str]) -> Iterator[str]:
    if name not in known:
        yield f"{who}: there is no {kind} {name}"
    elif keys - known[name]:
        yield f"{who}: the {kind} {name} has no key {', '.join(sorted(keys - known[name]))}"


CHECKS = (
    what_pods_name_is_there,
    files_that_variables_name_are_mounted,
    what_keda_and_ingress_name_is_there,
)
