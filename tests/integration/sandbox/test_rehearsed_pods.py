"""The rehearsal's kubelet, controller and Services, with a small program in place of Leadbus's."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sandbox.rehearsal.deployment import Deployment
from sandbox.rehearsal.manifests import Manifests, PodTemplate, rollout
from sandbox.rehearsal.pod import Pod, container_of
from sandbox.rehearsal.service import Service
from sandbox.rehearsal.translation import Identity
from sandbox.servers.process import free_port

PROGRAM = """
import os, signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

STARTED, MANNERS = time.monotonic(), os.environ["MANNERS"]

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        sick = MANNERS == "sick" and self.path == "/live" and time.monotonic() - STARTED > 0.6
        self.send_response(500 if sick else 200)
        self.end_headers()
        self.wfile.write(os.environ["POD"].encode())
    def log_message(self, *_): pass

signal.signal(signal.SIGTERM, signal.SIG_IGN if MANNERS == "stubborn" else lambda *_: sys.exit(0))
HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Answer).serve_forever()
"""
WRITTEN = """
metadata: {name: small, namespace: test}
spec:
  minReadySeconds: 0
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: {}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - env:
            - {name: HOST, value: 0.0.0.0}
            - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
          lifecycle: {preStop: {sleep: {seconds: 0.3}}}
          startupProbe: {httpGet: {path: /live, port: 0}, periodSeconds: 0.1, failureThreshold: 100}
          readinessProbe: {httpGet: {path: /ready, port: 0}, periodSeconds: 0.1}
          livenessProbe: {httpGet: {path: /live, port: 0}, periodSeconds: 0.1, failureThreshold: 2}
"""


class Small:
    """A Deployment of the program, and a Service before it."""

    def __init__(self, folder: Path, manners: str) -> None:
        self.port = free_port()
        written: Any = yaml.safe_load(WRITTEN)
        container = written["spec"]["template"]["spec"]["containers"][0]
        container["command"] = [Path(sys.executable).name, "-IS", "-c", PROGRAM]
        container["env"] += [{"name": "PORT", "value": str(self.port)}, {"name": "MANNERS", "value": manners}]
        for kind in ("startup", "readiness", "liveness"):
            container[f"{kind}Probe"]["httpGet"]["port"] = self.port
        self._folder, self._numbers = folder, count(1)
        template = PodTemplate(Manifests([]), written)
        self.deployment = Deployment(template, rollout(written), self._start)
        self.service = Service("127.0.9.100", self.port, self.port, lambda: self.deployment.pods)

    def _start(self, template: PodTemplate) -> Pod:
        number = next(self._numbers)
        identity = Identity(f"small-{number}", f"127.0.9.{number}", self._folder / str(number), {})
        programs = Path(sys.executable).parent
        return Pod(template, identity, container_of(template, identity, self._folder, programs))

    async def asked(self, times: int) -> list[str]:
        """Which pod answered each of so many calls; "" = none."""
        async with httpx.AsyncClient(trust_env=False, headers={"Connection": "close"}) as client:
            return [await self._ask(client) for _ in range(times)]

    async def _ask(self, client: httpx.AsyncClient) -> str:
        try:
            return (await client.get(f"{self.service.url}/ready")).text
        except httpx.TransportError:
            return ""


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[[str], Any]]:
    """Begins a small Deployment with such manners."""
    async with AsyncExitStack() as ends:

        async def begin(manners: str) -> Small:
            small = Small(tmp_path, manners)
            ends.push_async_callback(small.deployment.destroy)
            ends.push_async_callback(small.service.stop)
            await small.service.start()
            await small.deployment.begin()
            return small

        yield begin


async def test_a_rollout_serves_without_a_break_and_ends_with_new_pods(start: Callable[[str], Any]) -> None:
    small: Small = await start("good")
    await small.deployment.scale(2)
    assert set(await small.asked(4)) == {"small-1", "small-2"}
    rolling = asyncio.create_task(small.deployment.roll())
    most, answers = 0, []
    while not rolling.done():
        answers += await small.asked(1)
        most = max(most, len(small.deployment.pods))
    await rolling
    await small.deployment.gone()
    assert most == 3, "one above the wanted two"
    assert "" not in answers
    assert set(await small.asked(4)) == {"small-3", "small-4"}
    await small.deployment.scale(1)
    assert set(await small.asked(3)) == {"small-3"}, (
        "the youngest goes first, and is sent nothing from then on"
    )
    await small.deployment.gone()
    assert (small.deployment.faults, small.deployment.killed) == ([], 0)


async def test_a_killed_pod_is_restarted_where_it_was_and_that_is_no_fault(
    start: Callable[[str], Any],
) -> None:
    small: Small = await start("good")
    killing = asyncio.create_task(small.deployment.kill())
    await asyncio.sleep(0)
    assert await small.asked(1) == [""], "no pod is ready"
    await killing
    assert await small.asked(1) == ["small-1"]
    assert small.deployment.faults == []


async def test_a_pod_that_does_not_stop_is_killed_after_its_grace_time_which_is_a_fault(
    start: Callable[[str], Any],
) -> None:
    small: Small = await start("stubborn")
    await small.deployment.scale(0)
    await small.deployment.gone()
    assert small.deployment.killed == 1
    assert small.deployment.faults == ["small-1 did not end within its 1 seconds"]


async def test_a_pod_that_fails_its_liveness_probe_is_restarted_which_is_a_fault(
    start: Callable[[str], Any],
) -> None:
    small: Small = await start("sick")
    async with asyncio.timeout(30):
        while not small.deployment.faults:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.05)
    assert small.deployment.faults == ["small-1 failed its liveness probe"]
    await small.deployment.pods[0].until_available()
