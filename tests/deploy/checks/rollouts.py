"""Nothing is lost when pods are replaced, evicted or stopped."""

from collections.abc import Iterator

from checks.rendering import Rendered, called, containers_of, pod_of
from leadbus.runner import STOP_SECONDS
from leadbus.telemetry.setup import FAREWELL_SECONDS

_PROBES = {
    "startupProbe": "/healthz/live",
    "livenessProbe": "/healthz/live",
    "readinessProbe": "/healthz/ready",
}


def a_new_pod_is_ready_before_an_old_one_goes(rendered: Rendered) -> Iterator[str]:
    for deployment in rendered.services("Deployment"):
        strategy = deployment["spec"].get("strategy", {}).get("rollingUpdate", {})
        if strategy.get("maxUnavailable") != 0 or not strategy.get("maxSurge"):
            yield f"{called(deployment)} takes a pod away before another is ready, or can never be replaced"


def there_is_time_to_finish(rendered: Rendered) -> Iterator[str]:
    for deployment in rendered.services("Deployment"):
        pod = pod_of(deployment)
        before = sum(
            container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            for container in containers_of(deployment)
        )
        if pod.get("terminationGracePeriodSeconds", 30) <= before + STOP_SECONDS + FAREWELL_SECONDS:
            yield f"{called(deployment)} is killed before it has finished"


def health_is_asked_where_it_is_told(rendered: Rendered) -> Iterator[str]:
    for deployment in rendered.services("Deployment"):
        for container in containers_of(deployment):
            for probe, path in _PROBES.items():
                if container.get(probe, {}).get("httpGet", {}).get("path") != path:
                    yield f"{called(deployment)}: {probe} does not ask {path}"


def budgets_let_nodes_be_drained(rendered: Rendered) -> Iterator[str]:
    budgets = {budget["metadata"]["name"]: budget["spec"] for budget in rendered.of("PodDisruptionBudget")}
    for deployment in rendered.services("Deployment"):
        if deployment["metadata"]["name"] not in budgets:
            yield f"{called(deployment)} has no PodDisruptionBudget"
    for name, spec in budgets.items():
        if "minAvailable" in spec or not spec.get("maxUnavailable"):
            yield f"PodDisruptionBudget {name} can keep a node from being drained for ever"
        if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"PodDisruptionBudget {name} protects pods that do nothing"


def jobs_end(rendered: Rendered) -> Iterator[str]:
    for job in rendered.of("Job"):
        if pod_of(job).get("restartPolicy") not in ("OnFailure", "Never"):
            yield f"{called(job)} is started again for ever"
        if not {"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"} <= job["spec"].keys():
            yield f"{called(job)} has no end, or is never gone"
        if any(probe in container for container in containers_of(job) for probe in _PROBES):
            yield f"{called(job)} has probes, though it serves nothing"


CHECKS = (
    a_new_pod_is_ready_before_an_old_one_goes,
    there_is_time_to_finish,
    health_is_asked_where_it_is_told,
    budgets_let_nodes_be_drained,
    jobs_end,
)
