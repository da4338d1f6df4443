"""`make up` and `make demo`: start everything, feed the sample, show what arrived."""

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from sandbox.afterwards import Afterwards
from sandbox.cast import AURORA, CONNECTIONS, FOLLOWED, NORTH, TENANTS
from sandbox.crms.crm import Crm
from sandbox.judge.topics import Listener, by_connection
from sandbox.judge.verdict import Verdict, clients
from sandbox.place import Place
from sandbox.sample import Plan, Sample
from sandbox.showing import Show
from sandbox.stack import Stack
from sandbox.tracing import BACK, THERE, journey, look_up, trace_id
from sandbox.upstream.account import Account

_MOST_FAULTS = 20
_CAME_BACK = "statuses, clients, opportunities"


async def demo(plan: Plan) -> int:
    """The sample in a folder of its own, which goes afterwards; the last line is the figures as JSON."""
    folder = Path(tempfile.mkdtemp(prefix="leadbus-demo-"))
    try:
        with Show() as show, Place(folder, usual_ports=False) as place:
            verdict = await _run(place, plan, show, stay=False)
    except asyncio.CancelledError:
        shutil.rmtree(folder)
        raise
    if verdict.faults:
        show.line(f"The data of this run, with all logs, stay in {folder}.")
    else:
        shutil.rmtree(folder)
    print(json.dumps(verdict.figures), flush=True)
    return 1 if verdict.faults else 0


async def up(plan: Plan, folder: Path) -> int:
    """The sample on kept data; stays up until it is cancelled."""
    with Show() as show, Place(folder) as place:
        await _run(place, plan, show, stay=True)
    return 0


async def _run(place: Place, plan: Plan, show: Show, *, stay: bool) -> Verdict:
    show.line("Starting Kafka, MongoDB, Zipkin, five CRMs and Leadbus (at first, servers are downloaded)")
    async with Stack(place, show.progress) as stack:
        for sentence in stack.world.chosen:
            show.line(sentence)
        show.line(f"Ready after {show.seconds:.1f} s.")
        kafka = stack.bootstrap_servers
        tenants = [tenant.id for tenant in TENANTS]
        with Account(place.folder / "account.sqlite") as account:
            async with Listener(kafka, tenants, stack.topic_prefix) as listener:
                sample = Sample(stack, place, account, listener, show.progress)
                afterwards = Afterwards(stack, place, account, listener)
                verdict = await _sample(sample, afterwards, plan, show)
                await _show(sample, afterwards, verdict, stack, show)
        if stay:
            _explain(stack, place, show)
            show.progress("Up. Ctrl-C stops it; the data stay.")
            while True:
                stack.check()
                await asyncio.sleep(1)
    return verdict


async def _sample(sample: Sample, afterwards: Afterwards, plan: Plan, show: Show) -> Verdict:
    keys = await sample.set_up()
    await sample.plan(plan)
    await sample.connect()
    show.line(f"Connected: {', '.join(c.id for c in CONNECTIONS)}. Feeding the sample traffic.")
    await sample.feed(plan, keys)
    show.line(f"Everything is posted ({show.seconds:.0f} s); waiting until it has arrived.")
    missing = (await sample.until_quiet()).waits
    arrived = f"{missing} things have not arrived" if missing else "It has arrived"
    show.line(f"{arrived} ({show.seconds:.0f} s); now a salesperson works.")
    await sample.sell(plan)
    await afterwards.act()
    return await sample.final()


async def _show(sample: Sample, afterwards: Afterwards, verdict: Verdict, stack: Stack, show: Show) -> None:
    figures = verdict.figures
    latency = figures["latency_ms"]
    meanings = {
        "accepted": "items acknowledged by ingest",
        "rejected": "items refused with a reason, all of them wrong on purpose",
        "duplicates_dropped": "items sent again with the same id, counted once",
        "scored": "prospects with a score",
        "qualified": "times that a prospect exceeded a connection's threshold",
        "distributed": "leads handed over by suppliers",
        "crm_records": "leads and contacts that Leadbus created in the CRMs",
        "crm_duplicate_emails": "second records of a person",
        "status_events": "lead statuses that came back",
        "opportunity_events": "opportunities that came back",
        "dead_letters": "unreadable records put aside, one per run on purpose",
        "lost": "accepted, and not in the CRM",
    }
    rows = [(name, figures[name], meaning) for name, meaning in meanings.items()]
    rows.append(("latency", f"{latency['p50']} ms, {latency['p99']} ms", "distribution to record: p50, p99"))
    show.table("What arrived", ("", "", ""), rows)
    where = [
        (name, len(tables.records), sum(r.ours for r in tables.records), sum(map(len, tables.notes.values())))
        for name, tables in sample.tables.items()
    ]
    show.table("Where", ("CRM", "people", "of them ours", "notes"), where)
    await _show_connections(sample, stack.crms, show)
    await afterwards.show(show)
    verdict.wrong += afterwards.faults
    for fault in verdict.faults[:_MOST_FAULTS]:
        show.line(f"WRONG: {fault}")
    if wanted := trace_id(sample.tables):
        await _show_trace("Trace of one lead", stack, wanted, show)
    await _show_journey(sample, stack, show)
    show.line(f"Done after {show.seconds:.0f} s; {len(verdict.faults)} faults.")


async def _show_connections(sample: Sample, crms: Mapping[str, Crm], show: Show) -> None:
    """Per connection: how its CRM is spoken with, and what went there and came back."""
    heard, protocols = sample.heard(), await sample.protocols()
    there = by_connection(heard.once("crm.deliveries"))
    back = (
        heard.once("crm.lead-status"),
        {(m["connection_id"], m["prospect_id"]): m for m in clients(heard, sample.tables)}.values(),
        heard.once("crm.opportunities"),
    )
    came_back = [by_connection(messages) for messages in back]
    rows = []
    for connection in CONNECTIONS:
        name, crm = connection.id, crms[connection.tenant].title
        outcomes = Counter(message["outcome"] for message in there[name])
        counts = ", ".join(str(len(messages[name])) for messages in came_back)
        rows.append((name, crm, outcomes["created"], outcomes["matched"], counts, protocols[name]))
    columns = ("connection", "CRM", "created", "matched", _CAME_BACK, "protocol")
    show.table("By which connection", columns, rows)


async def _show_journey(sample: Sample, stack: Stack, show: Show) -> None:
    """One person's, in a trace for each direction."""
    found = journey(sample.heard(), sample.tables, FOLLOWED)
    if found is None:
        return
    show.line(
        f"One person of {FOLLOWED}: prospect, lead {found.lead}, converted there, client here, opportunity"
    )
    await _show_trace("  the way there", stack, found.there, show)
    for trace in found.back:
        await _show_trace("  the way back", stack, trace, show, BACK)


async def _show_trace(
    title: str, stack: Stack, wanted: str, show: Show, hops: frozenset[str] = THERE
) -> None:
    if not stack.world.zipkin.url:
        show.line(f"{title}: {wanted}, where OTEL_EXPORTER_OTLP_ENDPOINT leads.")
        return
    trace = await look_up(stack.world.zipkin, wanted, hops)
    state = f"{trace.spans} spans in {', '.join(trace.services)}" if trace.spans else "not found"
    show.line(f"{title}: {trace.url} ({state})")


def _explain(stack: Stack, place: Place, show: Show) -> None:
    urls = stack.running.urls
    rows = [(f"{name}'s API", f"{url}/docs") for name, url in urls.items()]
    rows.append(("the inbox", stack.mail.page))
    rows.append(("traces", stack.world.zipkin.url or "where OTEL_EXPORTER_OTLP_ENDPOINT leads"))
    rows += [(f"the leads in {crm.title} ({name})", crm.page) for name, crm in stack.crms.items()]
    show.line("To look at:")
    for name, url in rows:  # no table: that would cut addresses where the terminal is narrow
        show.line(f"  {name:<{max(len(row[0]) for row in rows)}}  {url}")
    show.line("The CRMs are simulated and have no pages: links into them, as in mails, find nothing.")
    keys = place.kept_keys()
    email = "anna@example.com"
    fields = {"first_name": "Anna", "last_name": "Lindqvist", "company": "Initech"}
    lead = {"distribution_id": "d-1", "supplier_id": NORTH.id, "email": email, "fields": fields}
    show.line("Hand over a lead:")
    show.line(f"  curl -H 'Authorization: Bearer {keys[AURORA.id]}' -H 'Content-Type: application/json' \\")
    show.line(f"    -d '{json.dumps(lead)}' {urls['ingest']}/v1/distributions")
    show.line("Accept it by the link in the mail that the inbox then has. What its supplier reads:")
    show.line(f"  curl -H 'Authorization: Bearer {keys[NORTH.id]}' {urls['feedback']}/v1/distributions/d-1")
    show.line("Follow it with the leadbus command in another terminal:")
    for name, value in stack.shell_variables().items():
        show.line(f'  export {name}="{value}"')
    show.line(f"  .venv/bin/leadbus lead {email} --tenant {AURORA.id}")
    show.line("See what Leadbus would write of somebody, and why; docs/howto.md has more to try:")
    show.line(f"  .venv/bin/leadbus connections dry-run {CONNECTIONS[0].id} --email bob@example.com")
