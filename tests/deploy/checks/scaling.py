"""One scaler per Deployment, within what it can use: never more pods than partitions."""

from collections import Counter
from collections.abc import Iterator

from checks.rendering import Rendered, called


def every_scaler_scales_something(rendered: Rendered) -> Iterator[str]:
    scalers = [*rendered.of("HorizontalPodAutoscaler", "ScaledObject")]
    for scaler in scalers:
        target = scaler["spec"]["scaleTargetRef"]
        if rendered.named(target.get("kind", "Deployment"), target["name"]) is None:
            yield f"{called(scaler)}: there is no {target['name']} to scale"
    for name, count in Counter(s["spec"]["scaleTargetRef"]["name"] for s in scalers).items():
        if count > 1:
            yield f"two scalers pull at {name}"
    for scaler in scalers:
        deployment = rendered.named("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
        if deployment is not None and "replicas" in deployment["spec"]:
            yield f"{called(deployment)} says its replicas though it is scaled: each release would reset them"


def bounds_are_in_order(rendered: Rendered) -> Iterator[str]:
    for scaler, fewest, most in _bounds(rendered):
        if not 2 <= fewest <= most:
            yield f"{scaler}: {fewest} to {most} pods"


def no_more_pods_than_partitions(rendered: Rendered) -> Iterator[str]:
    topics = {topic["metadata"]["name"]: topic["spec"] for topic in rendered.of("KafkaTopic")}
    for scaled in rendered.of("ScaledObject"):
        name, spec = scaled["spec"]["scaleTargetRef"]["name"], scaled["spec"]
        read = [t["metadata"] for t in spec["triggers"] if t["type"] == "kafka"]
        for trigger in read:
            if trigger["consumerGroup"] != name:
                yield f"{called(scaled)}: {trigger['consumerGroup']} is another's group"
            if trigger.get("topic") not in topics:
                yield f"{called(scaled)}: there is no topic {trigger.get('topic')}"
            if trigger.get("offsetResetPolicy") != "earliest":
                yield f"{called(scaled)}: consumers begin at the earliest record, KEDA counts otherwise"
        partitions = max(
            (topics[t["topic"]]["partitions"] for t in read if t.get("topic") in topics), default=0
        )
        if spec["maxReplicaCount"] > partitions:
            yield f"{called(scaled)}: {spec['maxReplicaCount']} pods for {partitions} partitions"


def it_scales_down_slowly(rendered: Rendered) -> Iterator[str]:
    for scaled in rendered.of("ScaledObject"):
        advanced = scaled["spec"].get("advanced", {}).get("horizontalPodAutoscalerConfig", {})
        down = advanced.get("behavior", {}).get("scaleDown", {})
        steps = [policy for policy in down.get("policies", []) if policy["type"] == "Pods"]
        if down.get("stabilizationWindowSeconds", 0) < 300 or [p["value"] for p in steps] != [1]:
            yield f"{called(scaled)} scales down fast, and each step stops its group"


def topics_survive_a_broker(rendered: Rendered) -> Iterator[str]:
    for topic in rendered.of("KafkaTopic"):
        replicas = topic["spec"]["replicas"]
        if not 1 < int(topic["spec"]["config"].get("min.insync.replicas", 1)) < replicas:
            yield f"{called(topic)} loses records, or stands still, when one broker is away"


def _bounds(rendered: Rendered) -> Iterator[tuple[str, int, int]]:
    for scaler in rendered.of("HorizontalPodAutoscaler"):
        yield called(scaler), scaler["spec"].get("minReplicas", 1), scaler["spec"]["maxReplicas"]
    for scaler in rendered.of("ScaledObject"):
        yield called(scaler), scaler["spec"].get("minReplicaCount", 0), scaler["spec"]["maxReplicaCount"]


CHECKS = (
    every_scaler_scales_something,
    bounds_are_in_order,
    no_more_pods_than_partitions,
    it_scales_down_slowly,
    topics_survive_a_broker,
)
