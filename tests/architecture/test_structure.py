"""The rules of the structure, so that the next part looks like the last one."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from leadbus.runner import build, installed

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir())
CONNECTORS = [name for name in SERVICES if name.startswith("connector-")]
CONNECTOR_FILES = (
    "connector.py",
    "client.py",
    "wire.py",
    "translation.py",
    "faults.py",
    "capabilities.py",
    "settings.py",
    "service.py",
)
ENVIRON = {"LEADBUS_SECRET_KEY": "A" * 43 + "=", "OTEL_SDK_DISABLED": "true"}


def source(service: str) -> Path:
    return ROOT / "services" / service / "src" / service.replace("-", "_")


def project(service: str) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((ROOT / "services" / service / "pyproject.toml").read_text())[
        "project"
    ]
    return found


def test_imports_keep_to_the_contracts() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_one_name_serves_as_folder_entry_point_service_and_deployment(service: str) -> None:
    described = project(service)
    assert described["name"] == f"leadbus-{service}"
    (built,) = build([service], ENVIRON)
    assert built.name == service
    assert built.telemetry.service == service
    manifests = yaml.safe_load_all((ROOT / "deploy/k8s/base" / f"{service}.yaml").read_text())
    assert {manifest["metadata"]["name"] for manifest in manifests} == {service, f"prepare-{service}"}


@pytest.mark.parametrize("service", SERVICES)
def test_the_address_in_the_metadata_is_the_port_that_the_service_takes(service: str) -> None:
    settings = source(service) / "settings.py"
    port = re.search(r"^\s+(80\d\d),$", settings.read_text(), re.MULTILINE)
    urls = project(service)["urls"]
    assert port is not None
    assert urls == {"local": f"http://127.0.0.1:{port[1]}"}


def test_every_service_folder_is_an_installed_service() -> None:
    assert sorted(installed()) == SERVICES


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_connector_has_the_same_files(connector: str) -> None:
    present = {path.name for path in source(connector).glob("*.py")}
    assert set(CONNECTOR_FILES) <= present


@pytest.mark.parametrize("connector", CONNECTORS)
def test_a_vendors_name_stays_in_its_connector(connector: str) -> None:
    vendor = connector.removeprefix("connector-")
    elsewhere = [ROOT / "shared/src", *(source(s) for s in SERVICES if s != connector)]
    code = [path for folder in elsewhere for path in folder.rglob("*.py") if "cli" not in path.parts]
    named = re.compile(
        rf"\b{vendor}\w*\(|import {vendor}|connector_{vendor}|[\"']{vendor}[\"']", re.IGNORECASE
    )
    assert [str(path) for path in code if named.search(path.read_text())] == []


def test_only_messages_decide_what_a_topic_carries() -> None:
    """No second partitioner, no other producer: all publishing goes through one module of each library."""
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("shared/src", "services")
        for path in (ROOT / folder).rglob("*.py")
        if re.search("AIOKafkaProducer|confluent_kafka", path.read_text())
    }
    assert users == {"shared/src/leadbus/publishing.py", "shared/src/leadbus/librdkafka.py"}


def test_files_are_small_enough_to_have_one_job() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for folder in ("shared", "services", "sandbox", "tests", "docs")
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_the_readme_is_short_and_shows_both_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) <= 150
    assert "make up" in readme
    assert "make test" in readme


def test_nothing_of_this_machine_and_no_registry_is_committed() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    telling = re.compile(r"https?://[^ \"]*(/simple[/\"]|/maven2|registry\.|\.whl)|(^|[^\w./-])/(work|root)/")
    found = []
    for name in files.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".txt", ".md", ".yaml", ".yml", ""} and path.is_file():
            text = path.read_text(errors="replace")
            found += [name for line in text.splitlines() if telling.search(line) and "telling =" not in line]
    assert found == []
