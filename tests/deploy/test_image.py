"""The Dockerfile, as far as it can be looked at without an engine."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from checks.rendering import ROOT, Rendered, containers_of, pod_of

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()


def test_the_linter_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run(
        [hadolint, ROOT / "deploy/Dockerfile"], capture_output=True, text=True, check=False, timeout=30
    )
    assert (run.returncode, run.stdout) == (0, "")


def test_its_base_is_pinned_and_is_the_only_one() -> None:
    assert re.search(r"^ARG BASE=python:3\.11-slim-\w+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert {line.split()[1] for line in re.findall(r"^FROM .*$", DOCKERFILE, re.MULTILINE)} == {"${BASE}"}


def test_it_runs_as_the_user_that_pods_name_and_gets_signals_itself(rendered: Rendered) -> None:
    (user, group) = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)[-1]
    for workload in rendered.services():
        context = pod_of(workload)["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (int(user), int(group))
        assert all("command" not in container for container in containers_of(workload))
    assert 'ENTRYPOINT ["/opt/leadbus/bin/leadbus"]' in DOCKERFILE.splitlines()


def test_what_it_copies_is_there_and_is_sent_to_the_engine() -> None:
    sources = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    sent = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert sources == ["constraints.txt", "shared", "services/${SERVICE}"]
    assert [source.partition("/")[0] for source in sources] == sent
    assert all((ROOT / name).exists() for name in sent)


def test_one_version_is_everywhere(rendered: Rendered) -> None:
    (told,) = re.findall(r"^ARG VERSION=(\S+)$", DOCKERFILE, re.MULTILINE)
    labels = {w["metadata"]["labels"]["app.kubernetes.io/version"] for w in rendered.services()}
    assert labels == {told} == {version("leadbus")}
