"""Each check finds what it is there for: one fault is planted at a time, and it alone is told of."""

from collections.abc import Callable
from typing import Any

import pytest
from checks import faults
from checks.rendering import Manifest, Rendered, containers_of, pod_of, render

Plant = Callable[[Rendered], object]


def of(rendered: Rendered, kind: str, name: str) -> Manifest:
    found = rendered.named(kind, name)
    assert found is not None
    return found


def scoring(rendered: Rendered) -> Manifest:
    return of(rendered, "Deployment", "scoring")


def container(rendered: Rendered) -> Manifest:
    return containers_of(scoring(rendered))[0]


def pod(rendered: Rendered) -> Manifest:
    return pod_of(scoring(rendered))


def settings(rendered: Rendered) -> Manifest:
    data: Manifest = rendered.settings()["data"]
    return data


def scaled(rendered: Rendered) -> Manifest:
    spec: Manifest = of(rendered, "ScaledObject", "scoring")["spec"]
    return spec


def another_scaler(rendered: Rendered) -> None:
    spec = {"scaleTargetRef": {"name": "scoring"}, "minReplicas": 2, "maxReplicas": 3}
    rendered.documents.append(
        {
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "second", "namespace": "leadbus"},
            "spec": spec,
        }
    )


def without(rendered: Rendered, kind: str, name: str) -> None:
    rendered.documents.remove(of(rendered, kind, name))


def mounted(rendered: Rendered, name: str) -> Manifest:
    found: Manifest = next(v for v in pod(rendered)["volumes"] if v["name"] == name)
    return found


def put(where: Callable[[Rendered], Any], key: Any, value: Any) -> Plant:
    return lambda rendered: where(rendered).__setitem__(key, value)


def drop(where: Callable[[Rendered], Any], key: Any) -> Plant:
    return lambda rendered: where(rendered).__delitem__(key)


def spec(kind: str, name: str = "scoring") -> Callable[[Rendered], Manifest]:
    return lambda rendered: of(rendered, kind, name)["spec"]


def context(rendered: Rendered) -> Manifest:
    found: Manifest = container(rendered)["securityContext"]
    return found


PLANTED: dict[str, tuple[Plant, str]] = {
    # what the API server would refuse, and schemas do not
    "a name": (put(lambda r: of(r, "Service", "scoring")["metadata"], "name", "Scoring_"), "is no name"),
    "twice": (lambda r: r.documents.append(of(r, "Service", "scoring")), "is there twice"),
    "labels": (
        put(lambda r: scoring(r)["spec"]["template"]["metadata"]["labels"], "app.kubernetes.io/name", "x"),
        "does not select its own pods",
    ),
    "a Service of another's pods": (
        put(lambda r: spec("Service")(r)["selector"], "app.kubernetes.io/name", "feedback"),
        "does not select the pods of the Deployment of its name",
    ),
    "a Service of a Job's pods": (
        put(spec("Service"), "selector", {"app.kubernetes.io/part-of": "leadbus"}),
        "and no others",
    ),
    "request over limit": (
        put(lambda r: container(r)["resources"]["requests"], "memory", "2Gi"),
        "more memory than its limit",
    ),
    "a quantity": (
        put(lambda r: container(r)["resources"]["limits"], "memory", "512MB"),
        "is no quantity of memory",
    ),
    "no resources": (drop(container, "resources"), "what it needs"),
    "a mount without volume": (
        lambda r: container(r)["volumeMounts"].append({"name": "lost", "mountPath": "/lost"}),
        "the volume lost is not both",
    ),
    "two mounts at one place": (
        lambda r: container(r)["volumeMounts"].append({"name": "tmp", "mountPath": "/etc/leadbus/common"}),
        "two volumes at one place",
    ),
    "a Service's port": (
        put(lambda r: spec("Service")(r)["ports"][0], "targetPort", "web"),
        "have no port web",
    ),
    "a probe's port": (
        put(lambda r: container(r)["livenessProbe"]["httpGet"], "port", "web"),
        "livenessProbe asks a port web",
    ),
    "a monitor's port": (
        put(lambda r: spec("PodMonitor", "leadbus")(r)["podMetricsEndpoints"][0], "port", "metrics"),
        "has no port metrics",
    ),
    "a monitor of nothing": (
        put(spec("PodMonitor", "leadbus"), "selector", {"matchLabels": {"app": "leadbus"}}),
        "PodMonitor leadbus selects nothing",
    ),
    "a way in to nowhere": (lambda r: without(r, "Service", "ingest"), "leads to no port"),
    "a policy's port": (
        put(lambda r: spec("NetworkPolicy", "every-pod")(r)["egress"][1]["ports"][0], "port", 99_999),
        "99999 is no port",
    ),
    "a policy's named port": (
        put(lambda r: spec("NetworkPolicy", "metrics")(r)["ingress"][0]["ports"][0], "port", "metrics"),
        "has no port metrics",
    ),
    "a policy for nobody": (
        put(lambda r: spec("NetworkPolicy", "metrics")(r)["podSelector"], "matchLabels", {"app": "x"}),
        "NetworkPolicy metrics selects nothing",
    ),
    "a policy without names": (
        lambda r: spec("NetworkPolicy", "every-pod")(r)["egress"].pop(0),
        "names, by UDP: no policy lets port 53 through",
    ),
    "a policy without mails": (
        lambda r: spec("NetworkPolicy", "crms")(r)["egress"][0]["ports"].remove(
            {"protocol": "TCP", "port": 25}
        ),
        "mail servers, by smtp: no policy lets port 25 through",
    ),
    "a policy that shuts Prometheus out": (
        lambda r: without(r, "NetworkPolicy", "metrics"),
        "Prometheus: no policy lets port http through",
    ),
    "certificates that cannot be renewed": (
        lambda r: without(r, "NetworkPolicy", "certificates"),
        "whoever issues certificates: no policy lets port 8089 through",
    ),
    "a policy that opens our networks": (
        lambda r: spec("NetworkPolicy", "crms")(r)["egress"][0]["to"][0]["ipBlock"].pop("except"),
        "the cloud's metadata: a policy lets port 80 through",
    ),
    "a way to what is not public": (
        drop(lambda r: spec("NetworkPolicy", "public")(r)["podSelector"], "matchExpressions"),
        "Deployment scoring and the gateway: a policy lets port http through",
    ),
    "no policy by default": (lambda r: without(r, "NetworkPolicy", "default-deny"), "is open"),
    # what is named and is not there
    "a Secret": (
        put(lambda r: mounted(r, "common")["secret"], "secretName", "lead-bus"),
        "there is no Secret lead-bus",
    ),
    "a Secret's key": (
        put(
            lambda r: mounted(r, "kafka-user")["secret"],
            "items",
            [{"key": "passphrase", "path": "passphrase"}],
        ),
        "has no key passphrase",
    ),
    "a user": (lambda r: without(r, "KafkaUser", "scoring"), "there is no Secret scoring"),
    "a ConfigMap": (
        lambda r: container(r)["envFrom"].append({"configMapRef": {"name": "other"}}),
        "there is no ConfigMap other",
    ),
    "a ServiceAccount": (lambda r: without(r, "ServiceAccount", "scoring"), "no ServiceAccount scoring"),
    "a file": (
        put(settings, "KAFKA_SASL_PASSWORD_FILE", "/etc/leadbus/password"),
        "/etc/leadbus/password, which is not mounted",
    ),
    "how KEDA signs in": (
        lambda r: without(r, "TriggerAuthentication", "kafka-lag"),
        "no TriggerAuthentication kafka-lag",
    ),
    "KEDA's password": (lambda r: without(r, "KafkaUser", "keda"), "there is no Secret keda"),
    "a host without TLS": (
        lambda r: spec("Ingress", "leadbus")(r)["tls"][0]["hosts"].pop(),
        "is without TLS",
    ),
    # what services are told
    "settings whose name stays": (
        put(lambda r: container(r)["envFrom"][0]["configMapRef"], "name", "kafka-lag"),
        "goes on with the settings that it has",
    ),
    "an unknown setting": (put(settings, "KAFKA_BOOTSTRAP_SERVER", "kafka:9092"), "no service knows"),
    "another service's setting": (
        lambda r: container(r)["env"].append({"name": "INGEST_PORT", "value": "8080"}),
        "scoring does not know INGEST_PORT",
    ),
    "a value": (put(settings, "KAFKA_SECURITY_PROTOCOL", "TLS"), "KAFKA_SECURITY_PROTOCOL"),
    "no user's name": (
        lambda r: container(r).__setitem__(
            "env", [v for v in container(r)["env"] if v["name"] != "KAFKA_SASL_USERNAME"]
        ),
        "KAFKA_SASL_USERNAME is not set",
    ),
    "a port": (
        put(lambda r: container(r)["ports"][0], "containerPort", 8080),
        "listens on 8081 and declares",
    ),
    "an undeclared reference": (
        lambda r: container(r)["env"].append({"name": "MONGODB_DATABASE", "value": "$(STAGE)"}),
        "$(STAGE) is not declared",
    ),
    "another command": (put(container, "args", ["run", "feedback"]), "does not run scoring"),
    "another image": (put(container, "image", "leadbus/feedback:0.1.0"), "image of another service"),
    "another version": (put(container, "image", "leadbus/scoring:latest"), "another version"),
    "a Job less": (lambda r: without(r, "Job", "prepare-scoring"), "not every service has its Job"),
    # Pod Security, and more
    "root": (put(lambda r: pod(r)["securityContext"], "runAsNonRoot", False), "may run as root"),
    "user 0": (put(lambda r: pod(r)["securityContext"], "runAsUser", 0), "may run as root"),
    "seccomp": (drop(lambda r: pod(r)["securityContext"], "seccompProfile"), "no seccomp profile"),
    "escalation": (put(context, "allowPrivilegeEscalation", True), "may gain privileges"),
    "privileged": (put(context, "privileged", True), "may gain privileges"),
    "capabilities": (put(context, "capabilities", {"drop": ["NET_RAW"]}), "keeps capabilities"),
    "a capability more": (
        put(context, "capabilities", {"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
        "keeps capabilities",
    ),
    "the host's network": (put(pod, "hostNetwork", True), "has hostNetwork"),
    "the host's port": (put(lambda r: container(r)["ports"][0], "hostPort", 80), "takes a port of its node"),
    "the host's files": (
        lambda r: pod(r)["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
        "a volume of the kind hostPath",
    ),
    "a writable root": (put(context, "readOnlyRootFilesystem", False), "can write its own image"),
    "a token": (drop(pod, "automountServiceAccountToken"), "a token of the API server"),
    "an unbounded volume": (put(lambda r: mounted(r, "tmp"), "emptyDir", {}), "has no limit"),
    "a secret in the environment": (
        lambda r: container(r)["env"].append(
            {
                "name": "SMTP_URL",
                "valueFrom": {"secretKeyRef": {"name": "leadbus-mail", "key": "SMTP_URL"}},
            }
        ),
        "SMTP_URL is a secret in the environment",
    ),
    "an open namespace": (
        put(
            lambda r: of(r, "Namespace", "leadbus")["metadata"]["labels"],
            "pod-security.kubernetes.io/enforce",
            "baseline",
        ),
        "does not enforce it",
    ),
    "brokers as Strimzi makes them": (drop(spec("KafkaNodePool", "brokers"), "template"), "pods are refused"),
    "its operators as Strimzi makes them": (
        drop(lambda r: spec("Kafka", "leadbus")(r)["entityOperator"], "template"),
        "userOperatorContainer is not restricted",
    ),
    "another namespace": (
        put(lambda r: of(r, "Service", "scoring")["metadata"], "namespace", "default"),
        "is in another namespace",
    ),
    # rollouts
    "old before new": (
        put(lambda r: scoring(r)["spec"]["strategy"], "rollingUpdate", {"maxUnavailable": 1, "maxSurge": 1}),
        "before another is ready",
    ),
    "never replaced": (
        put(lambda r: scoring(r)["spec"]["strategy"], "rollingUpdate", {"maxUnavailable": 0, "maxSurge": 0}),
        "can never be replaced",
    ),
    "no time to finish": (put(pod, "terminationGracePeriodSeconds", 30), "killed before it has finished"),
    "no readiness": (drop(container, "readinessProbe"), "readinessProbe does not ask /healthz/ready"),
    "no budget": (
        lambda r: without(r, "PodDisruptionBudget", "scoring"),
        "has no PodDisruptionBudget",
    ),
    "a budget that blocks": (
        put(lambda r: of(r, "PodDisruptionBudget", "scoring")["spec"], "minAvailable", 1),
        "keep a node from being drained",
    ),
    "an endless Job": (
        drop(spec("Job", "prepare-scoring"), "activeDeadlineSeconds"),
        "has no end",
    ),
    "a Job that is probed": (
        put(
            lambda r: containers_of(of(r, "Job", "prepare-scoring"))[0],
            "livenessProbe",
            {"exec": {"command": ["true"]}},
        ),
        "has probes",
    ),
    # scaling
    "nothing to scale": (put(lambda r: scaled(r)["scaleTargetRef"], "name", "scorer"), "to scale"),
    "two scalers": (another_scaler, "two scalers pull at scoring"),
    "replicas": (put(spec("Deployment"), "replicas", 2), "says its replicas though it is scaled"),
    "bounds": (put(scaled, "minReplicaCount", 13), "13 to 12 pods"),
    "more pods than partitions": (put(scaled, "maxReplicaCount", 24), "24 pods for 12 partitions"),
    "another's group": (
        put(lambda r: scaled(r)["triggers"][0]["metadata"], "consumerGroup", "scores"),
        "scores is another's group",
    ),
    "another topic": (
        put(lambda r: scaled(r)["triggers"][0]["metadata"], "topic", "marketing.event"),
        "there is no topic marketing.event",
    ),
    "another beginning": (
        drop(lambda r: scaled(r)["triggers"][0]["metadata"], "offsetResetPolicy"),
        "begin at the earliest",
    ),
    "a fast way down": (drop(scaled, "advanced"), "scales down fast"),
    "a frail topic": (
        put(spec("KafkaTopic", "marketing.events"), "replicas", 2),
        "KafkaTopic marketing.events loses records",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str) -> None:
    plant, told = PLANTED[fault]
    rendered = render("production")
    plant(rendered)
    found = faults(rendered)
    assert [sentence for sentence in found if told in sentence], found
