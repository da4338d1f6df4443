"""Who has to be let through by the NetworkPolicies, and who must not: judged as a cluster's network would."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from checks.rendering import Manifest, Rendered, called, selects
from leadbus.connector.mailing.smtp import DEFAULT_PORTS

OUR_NAMESPACE = "leadbus"
_PART_OF = "app.kubernetes.io/part-of"


@dataclass(frozen=True)
class End:
    """A pod, by its namespace and labels, or a host by its address."""

    namespace: str = OUR_NAMESPACE
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True)
class Way:
    """From the pods with these labels to `other`, or back; the port's number, or its name within the pod."""

    what: str
    labels: Mapping[str, str]
    other: End
    port: int | str
    protocol: str = "TCP"
    inward: bool = False


_OURS = {_PART_OF: "leadbus"}
_CONNECTORS = {"app.kubernetes.io/component": "connector"}
_COLLECTOR = {"app.kubernetes.io/name": "collector"}
_BROKER = End(labels={"strimzi.io/cluster": "leadbus", "strimzi.io/name": "leadbus-kafka"})
_GATEWAY = End("gateway", {"app.kubernetes.io/name": "any-gateway"})
_KEEPER = {"acme.cert-manager.io/http01-solver": "true"}

NEEDED = (
    Way("names, by UDP", _OURS, End("kube-system", {"k8s-app": "kube-dns"}), 53, "UDP"),
    Way("names, by TCP", _OURS, End("kube-system", {"k8s-app": "kube-dns"}), 53),
    Way("names, from the node's own cache", _OURS, End(address="169.254.20.10"), 53, "UDP"),
    Way("Kafka", _OURS, _BROKER, 9093),
    Way("MongoDB", _OURS, End("mongodb"), 27017),
    Way("traces", _OURS, End(labels=_COLLECTOR), 4318),
    Way("spans", _COLLECTOR, End(labels=_OURS), "otlp", inward=True),
    Way("names, for the collector", _COLLECTOR, End("kube-system", {"k8s-app": "kube-dns"}), 53, "UDP"),
    Way("where traces are kept", _COLLECTOR, End("observability"), 4318),
    Way("CRMs", _CONNECTORS, End(address="203.0.113.7"), 443),
    Way("CRMs, by IPv6", _CONNECTORS, End(address="2001:db8::7"), 443),
    *(
        Way(f"mail servers, by {scheme}", _CONNECTORS, End(address="203.0.113.7"), port)
        for scheme, port in DEFAULT_PORTS.items()
    ),
    Way("Prometheus", _OURS, End("monitoring"), "http", inward=True),
    *(
        Way(f"the gateway to {name}", {"app.kubernetes.io/name": name}, _GATEWAY, "http", inward=True)
        for name in ("ingest", "feedback", "connector-sugar", "connector-zoho", "connector-dynamics")
    ),
    Way("whoever issues certificates", _KEEPER, _GATEWAY, 8089, inward=True),
)
FORBIDDEN = (
    Way("a database in one of our networks", _CONNECTORS, End(address="10.0.0.7"), 443),
    Way("the cloud's metadata", _CONNECTORS, End(address="169.254.169.254"), 80),
    Way("hosts of the Internet", {"app.kubernetes.io/name": "scoring"}, End(address="203.0.113.7"), 443),
    Way("the gateway", {"app.kubernetes.io/name": "scoring"}, _GATEWAY, "http", inward=True),
    Way("any other namespace", _OURS, End("default"), "http", inward=True),
)


def what_is_needed_is_let_through(rendered: Rendered) -> Iterator[str]:
    if any(rendered.of("NetworkPolicy")):
        for who, labels, way in _each(rendered, NEEDED):
            if not _lets(rendered, labels, way):
                yield f"{who} and {way.what}: no policy lets port {way.port} through"


def what_is_not_needed_is_not(rendered: Rendered) -> Iterator[str]:
    if any(rendered.of("NetworkPolicy")):
        for who, labels, way in _each(rendered, FORBIDDEN):
            if _lets(rendered, labels, way):
                yield f"{who} and {way.what}: a policy lets port {way.port} through"


def _each(rendered: Rendered, ways: tuple[Way, ...]) -> Iterator[tuple[str, Mapping[str, str], Way]]:
    """Each workload that a way is for, or the way's own labels where somebody else makes the pods."""
    for way in ways:
        meant = [w for w in rendered.workloads() if way.labels.items() <= _labels(w).items()]
        for workload in meant:
            if way.inward is False or workload["kind"] == "Deployment":
                yield called(workload), _labels(workload), way
        if not meant:
            yield "pods of others", way.labels, way


def _labels(workload: Manifest) -> Mapping[str, str]:
    found: Mapping[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def _lets(rendered: Rendered, labels: Mapping[str, str], way: Way) -> bool:
    kind, others, peers = ("Ingress", "ingress", "from") if way.inward else ("Egress", "egress", "to")
    policies = [
        policy["spec"]
        for policy in rendered.of("NetworkPolicy")
        if kind in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], labels)
    ]
    rules = [rule for policy in policies for rule in policy.get(others, [])]
    return any(_port(rule, way) and any(_peer(p, way.other) for p in rule.get(peers, [])) for rule in rules)


def _port(rule: Manifest, way: Way) -> bool:
    return any(
        port["port"] == way.port and port.get("protocol", "TCP") == way.protocol
        for port in rule.get("ports", [])
    )


def _peer(peer: Manifest, other: End) -> bool:
    if block := peer.get("ipBlock"):
        return bool(other.address) and _within(other.address, block)
    if other.address:
        return False
    namespace = {"kubernetes.io/metadata.name": other.namespace}
    there = (
        selects(peer["namespaceSelector"], namespace)
        if "namespaceSelector" in peer
        else other.namespace == OUR_NAMESPACE
    )
    return there and selects(peer.get("podSelector", {}), other.labels)


def _within(address: str, block: Manifest) -> bool:
    found = ip_address(address)
    networks = [ip_network(block["cidr"]), *map(ip_network, block.get("except", []))]
    inside = [found.version == network.version and found in network for network in networks]
    return inside[0] and not any(inside[1:])


CHECKS = (what_is_needed_is_let_through, what_is_not_needed_is_not)
