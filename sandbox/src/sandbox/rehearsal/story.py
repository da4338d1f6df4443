"""Traffic flows while every Deployment is rolled and scaled and loses a pod; then comes the verdict."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.cast import BOREALIS, TENANTS
from sandbox.judge.topics import Listener
from sandbox.judge.verdict import Verdict
from sandbox.place import Place
from sandbox.rehearsal import stalls
from sandbox.rehearsal.cluster import Cluster
from sandbox.rehearsal.deployment import Deployment
from sandbox.sample import Plan, Sample
from sandbox.services import NAMES
from sandbox.showing import Show
from sandbox.upstream.account import Account
from sandbox.upstream.traffic import Size

Act = Callable[[Deployment], Awaitable[None]]

_SIZES = (4, 5, 1)
_BY_LAG = ("scoring", "feedback")
_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Form:
    """tenants: who take part. services: which are deployed. plan: of the traffic, again until all is done.

    settled: seconds that stand in for minReadySeconds; None = as written.
    """

    tenants: tuple[str, ...]
    services: tuple[str, ...]
    plan: Plan
    settled: float | None
    acts: Callable[[Cluster, Callable[[str], None]], Awaitable[None]]


async def _everything(cluster: Cluster, progress: Callable[[str], None]) -> None:
    """Each Deployment in turn."""
    for name, deployment in cluster.deployments.items():
        progress(f"{name} is rolled")
        await deployment.roll()
        before = 1
        for size in _SIZES:
            progress(f"{name} is scaled from {before} to {size}")
            await deployment.scale(size)
            before = size
        progress(f"a pod of {name} is killed with -9")
        await deployment.kill()
        await deployment.gone()


async def _a_release(cluster: Cluster, progress: Callable[[str], None]) -> None:
    """Everything is rolled at once, as `kubectl apply` has it, and that is not all that happens."""
    ingest, scoring, connector = (cluster.deployments[name] for name in SHORT.services)

    async def grow_and_shrink() -> None:
        await ingest.scale(2)
        await ingest.scale(1)
        await ingest.roll()

    progress("all are rolled at once; ingest is scaled from 1 to 2 to 1 before that")
    progress("a pod of connector-sugar is killed with -9 meanwhile")
    await asyncio.gather(grow_and_shrink(), scoring.roll(), connector.roll(), connector.kill())
    await asyncio.gather(ingest.gone(), scoring.gone(), connector.gone())


FULL = Form(tuple(t.id for t in TENANTS), NAMES, Plan(size=Size(300, 60), per_second=12), None, _everything)
SHORT = Form(
    (BOREALIS.id,),
    ("ingest", "scoring", "connector-sugar"),
    Plan(size=Size(20, 12), per_second=14, statuses=0),
    1.0,
    _a_release,
)


async def rehearse(form: Form) -> int:
    """On data of its own, which go if all went well; the exit status is 0 then."""
    folder = Path(tempfile.mkdtemp(prefix="leadbus-rehearsal-"))
    try:
        with Show() as show, Place(folder, usual_ports=False) as place:
            faults = await _run(form, place, show)
    except asyncio.CancelledError:
        shutil.rmtree(folder)
        raise
    if faults:
        print(f"The data of this run, with all logs, stay in {folder}.")
        return 1
    shutil.rmtree(folder)
    return 0


async def _run(form: Form, place: Place, show: Show) -> list[str]:
    show.line("Starting Kafka, MongoDB, the CRMs, and the local overlay's Jobs and Deployments")
    cluster = Cluster(
        place,
        tenants=form.tenants,
        services=form.services,
        settled=form.settled,
        progress=show.progress,
    )
    async with cluster:
        show.line(f"All pods are ready after {show.seconds:.0f} s.")
        groups = [name for name in _BY_LAG if name in form.services]
        with Account(place.folder / "account.sqlite") as account:
            async with (
                Listener(cluster.bootstrap_servers, form.tenants) as listener,
                stalls.Watch(cluster.bootstrap_servers, groups) as watch,
            ):
                sample = Sample(cluster, place, account, listener, show.progress)
                await _under_traffic(form, cluster, sample, show)
                verdict = await _verdict(form, sample, show)
            waited = _waited(cluster, account, sample, watch)
    return _tell(cluster, verdict, waited, show)


async def _under_traffic(form: Form, cluster: Cluster, sample: Sample, show: Show) -> None:
    keys = await sample.set_up()
    await sample.plan(form.plan)
    await sample.connect()
    story = asyncio.ensure_future(
        form.acts(cluster, lambda text: show.line(f"{show.seconds:4.0f} s: {text}"))
    )
    try:
        await sample.feed(form.plan, keys)
        while not story.done():
            await sample.plan(form.plan)
            await sample.feed(form.plan, keys)
        await story
    finally:
        story.cancel()
        await asyncio.gather(story, return_exceptions=True)


async def _verdict(form: Form, sample: Sample, show: Show) -> Verdict:
    show.line(f"{show.seconds:4.0f} s: everything is done; waiting until what is under way has arrived")
    if form.plan.statuses:
        await sample.until_quiet()
        await sample.sell(form.plan)
    return await sample.final()


def _waited(cluster: Cluster, account: Account, sample: Sample, watch: stalls.Watch) -> dict[str, float]:
    """The longest stall by service."""
    items = account.items()
    found = {"ingest": stalls.of_ingest(items), **watch.stalls}
    for tenant, seconds in stalls.of_crms(items, sample.tables).items():
        service = cluster.crms[tenant].connector
        found[service] = max(found.get(service, 0.0), seconds)
    return found


def _tell(cluster: Cluster, verdict: Verdict, waited: dict[str, float], show: Show) -> list[str]:
    """The tables; all faults."""
    rows = [
        (name, *deployment.counts.values(), f"{waited[name]:.1f}", deployment.killed)
        for name, deployment in cluster.deployments.items()
    ]
    columns = ("service", "rolls", "scalings", "kills", "longest stall, s", "SIGKILLs needed")
    show.table("What each service went through", columns, rows)
    figures = verdict.figures
    lost, doubled = len(verdict.lost), len(verdict.duplicates) + len(verdict.doubled)
    show.table(
        "What arrived",
        ("accepted", "leads", "CRM records", "lost", "doubled"),
        [(figures["accepted"], figures["distributed"], figures["crm_records"], lost, doubled)],
    )
    faults = [*verdict.faults, *cluster.faults]
    _list(faults, show)
    show.line(f"Done after {show.seconds:.0f} s; {len(faults)} faults.")
    told = {"lost": lost, "doubled": doubled, "faults": len(faults)}
    services = {
        name: {**d.counts, "stall_s": round(waited[name], 2), "sigkills": d.killed}
        for name, d in cluster.deployments.items()
    }
    show.line(json.dumps({**told, "accepted": figures["accepted"], "services": services}))
    return faults


def _list(faults: Iterable[str], show: Show) -> None:
    for fault in list(faults)[:_MOST_FAULTS]:
        show.line(f"WRONG: {fault}")
