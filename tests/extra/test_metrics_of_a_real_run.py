"""In a real Prometheus that reads real services under traffic, dashboards, rules and scalers find data."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from real_prometheus import ROOT, SERVER, Prometheus

from observability.checking import queries_of
from observability.levels import LEVELS, PROMISED_SECONDS, WINDOWS
from sandbox.afterwards import Afterwards
from sandbox.cast import CONNECTIONS, TENANTS
from sandbox.judge.topics import Listener
from sandbox.place import Place
from sandbox.sample import Plan, Sample
from sandbox.services import NAMES
from sandbox.stack import Stack
from sandbox.upstream.account import Account
from sandbox.upstream.traffic import Size

K8S = ROOT / "deploy/k8s"
QUERIES = {
    path.stem: list(queries_of(json.loads(path.read_text())))
    for path in sorted((K8S / "components/grafana/dashboards").glob("*.json"))
}
"""By dashboard; one that has a variable ends with the question for its values."""
PLAN = Plan(size=Size(300, 30), per_second=60)
NOTHING_FAILED = {"sent_messages_total": "failed"}
"""Series by what they are chosen by: there are none where everything went well."""
ONLY_OF = {
    "leadbus_crm_credits": {"corona-zoho"},
    "leadbus_push_age": {"corona-zoho"},
}
"""Series that only some CRMs give rise to: here, one counts calls and pushes changes."""
WORKED_BY = {"connector-sugar": 3, "connector-zoho": 1, "connector-dynamics": 2}
"""How many connections of the sample's."""
LATE_SECONDS = 30
QUIET = {
    "LeadbusItemsNotAcknowledged",
    "LeadbusLagWithoutCommits",
    "LeadbusDeliveryWaits",
    "LeadbusOrganisationNotWorked",
    "LeadbusConnectionRefused",
    "LeadbusCreditsNearlyUsed",
    "LeadbusPushesSilent",
    "LeadbusMailsWait",
    "LeadbusServiceAway",
}
"""Alerts that have no reason to fire. Whether leads are late, too, depends on the machine."""

pytestmark = [
    pytest.mark.skipif(SERVER is None, reason="Prometheus is not installed (Debian: prometheus)"),
    pytest.mark.timeout(300),
]


@dataclass
class Watched:
    """prometheus: it has seen everything from `since` on. figures: the judge's."""

    prometheus: Prometheus
    since: float
    figures: dict[str, Any]


@pytest.fixture(scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    """The sample, small: leads in, scored, in five CRMs, and what came back from there."""
    folder = tmp_path_factory.mktemp("real")
    with Place(folder / "place", usual_ports=False) as place:
        async with Stack(place, lambda _: None) as stack:
            jobs = {name: stack.running.urls[name].removeprefix("http://") for name in NAMES}
            since = time.time()
            with Prometheus(folder / "prometheus", jobs) as prometheus:
                yield Watched(prometheus, since, await _lived(place, stack))


async def _lived(place: Place, stack: Stack) -> dict[str, Any]:
    kafka, tenants = stack.world.kafka.bootstrap_servers, [tenant.id for tenant in TENANTS]
    with Account(place.folder / "account.sqlite") as account:
        async with Listener(kafka, tenants, stack.topic_prefix) as listener:
            sample = Sample(stack, place, account, listener, lambda _: None)
            keys = await sample.set_up()
            await sample.plan(PLAN)
            await sample.connect()
            await sample.feed(PLAN, keys)
            await sample.until_quiet()
            await sample.sell(PLAN)
            await Afterwards(stack, place, account, listener).act()
            verdict = await sample.final()
    assert verdict.faults == []
    return verdict.figures


def connections_of(query: str) -> set[str]:
    """For which connections it must have data; one without a variable is asked once, whichever that is."""
    if "$connection" not in query:
        return {CONNECTIONS[0].id}
    some = [names for series, names in ONLY_OF.items() if series in query]
    return some[0] if some else {connection.id for connection in CONNECTIONS}


@pytest.mark.parametrize("board", QUERIES)
async def test_every_panel_shows_what_happened(watched: Watched, board: str) -> None:
    empty = [
        (query, connection)
        for query in QUERIES[board]
        for connection in connections_of(query)
        if not watched.prometheus.seen(query, watched.since, connection=connection)
    ]
    excused = [
        (query, connection)
        for query, connection in empty
        if any(series in query and value in query for series, value in NOTHING_FAILED.items())
    ]
    assert empty == excused


async def test_the_dashboard_of_connections_offers_each_of_them(watched: Watched) -> None:
    *_, offered = QUERIES["connection"]
    told = {row["metric"]["leadbus_connection_id"] for row in watched.prometheus.answers(offered)}
    assert told == {connection.id for connection in CONNECTIONS}


async def test_rules_are_evaluated_without_an_error(watched: Watched) -> None:
    groups = watched.prometheus.groups("alert") + watched.prometheus.groups("record")
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 20
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []


async def test_levels_are_kept_for_each_window(watched: Watched) -> None:
    kept = {
        (level.name, window): watched.prometheus.seen(level.recorded(window), watched.since)
        for level in LEVELS
        for window in WINDOWS
    }
    assert [name for name, values in kept.items() if not values] == []
    assert {value for (name, _), values in kept.items() if name == "acknowledged" for value in values} == {0}


async def test_the_share_that_was_late_is_what_the_judge_measured(watched: Watched) -> None:
    """Half of all leads took less than the judge's median, so only if that is late can half of them be."""
    late = watched.prometheus.seen(LEVELS[1].recorded("1h"), watched.since)[-1]
    latency = watched.figures["latency_ms"]
    if latency["p99"] < PROMISED_SECONDS * 1_000:
        assert late < 0.1
    if latency["p50"] > PROMISED_SECONDS * 1_000:
        assert late > 0.4


async def test_the_one_record_that_nobody_can_read_is_told_and_nothing_else(watched: Watched) -> None:
    alerts = [a for g in watched.prometheus.groups("alert") for r in g["rules"] for a in r["alerts"]]
    firing = [alert for alert in alerts if alert["state"] == "firing"]
    assert {alert["labels"]["alertname"] for alert in alerts} & QUIET == set()
    (dead,) = [alert for alert in firing if alert["labels"]["alertname"] == "LeadbusDeadLettersGrow"]
    assert dead["annotations"]["summary"] == "scoring could not read records of marketing.events."


async def test_scalers_get_one_number(watched: Watched) -> None:
    scaled = yaml.safe_load_all((K8S / "components/keda/scaledobjects.yaml").read_text())
    queries = [
        trigger["metadata"]["query"]
        for each in scaled
        for trigger in each["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    ]
    assert len(queries) == 3
    for query in queries:
        (answer,) = watched.prometheus.answers(query)
        assert float(answer["value"][1]) >= 0
        # Without `or vector(0)`, and however long a lead has waited: what is counted is there.
        everything = query.removesuffix(" or vector(0)").replace(f"> {LATE_SECONDS}", ">= 0")
        (known,) = watched.prometheus.answers(everything)
        (job,) = [name for name in NAMES if f'"{name}"' in query]
        assert float(known["value"][1]) == WORKED_BY[job]


async def test_every_organisation_is_worked_by_somebody(watched: Watched) -> None:
    """Connectors tell how many they have to work, and how many they do: two connections share one."""
    for series in ("leadbus_organisations", "leadbus_organisations_worked"):
        told = {r["metric"]["job"]: float(r["value"][1]) for r in watched.prometheus.answers(series)}
        assert told == {"connector-sugar": 2, "connector-zoho": 1, "connector-dynamics": 2}
