"""Debian's Prometheus as a process of its own, with the rules that are deployed, in a hurry."""

import math
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

ROOT = Path(__file__).parents[2]
SERVER = shutil.which("prometheus")
RULES = ROOT / "deploy/k8s/components/prometheus/rules.yaml"
WINDOW = "10s"
"""In place of Grafana's `$__rate_interval`: ten scrapes."""


class Prometheus:
    """Asks each job's addresses every second; `with` starts it and ends it. Nothing here waits."""

    def __init__(self, folder: Path, jobs: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        rules = yaml.safe_load(RULES.read_text())["spec"]
        for group in rules["groups"]:
            group["interval"] = "1s"
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in jobs.items()
            ],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))

    def __enter__(self) -> Self:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [
            str(SERVER),
            f"--config.file={self._folder}/prometheus.yaml",
            f"--storage.tsdb.path={self._folder}/data",
            f"--web.listen-address={address}",
        ]
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        self._client = httpx.Client(base_url=f"http://{address}", trust_env=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait()
        self._log.close()

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def answers(self, query: str, **variables: str) -> list[Any]:
        """What it says now: a value per series; none also while it is starting. variables: of a dashboard."""
        return self._asked("/api/v1/query", query, variables, {})

    def seen(self, query: str, since: float, **variables: str) -> list[float]:
        """What a graph over the time from `since` (Unix) until now would show: numbers, none that is NaN."""
        span = {"start": since, "end": time.time(), "step": 2.0}
        found = self._asked("/api/v1/query_range", query, variables, span)
        values = [float(value) for series in found for _, value in series["values"]]
        return [value for value in values if not math.isnan(value)]

    def groups(self, kind: str) -> list[Any]:
        """Its groups of rules, with how each fares. kind: `alert` or `record`."""
        found: list[Any] = self._client.get("/api/v1/rules", params={"type": kind}).json()["data"]["groups"]
        return found

    def _asked(
        self, path: str, query: str, variables: Mapping[str, str], more: Mapping[str, float]
    ) -> list[Any]:
        for name, value in {"__rate_interval": WINDOW, **variables}.items():
            query = query.replace(f"${name}", value)
        assert self._process.poll() is None, self.log
        try:
            response = self._client.get(path, params={"query": query, **more})
        except httpx.TransportError:
            return []
        if response.status_code == 503:
            return []
        assert response.status_code == 200, (query, response.text)
        found: list[Any] = response.json()["data"]["result"]
        return found
