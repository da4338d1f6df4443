"""`make connector`: what it writes is clean and runs; its contract tests fail and say what is missing."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from sandbox.servers import Kafka, MongoDB

ROOT = Path(__file__).parents[3]
MAKE = ROOT / "tools/connector/make.py"
NAME = "hubspot"
COPIED = ("pyproject.toml", "deploy/k8s", "sandbox", "services/connector-sugar", "tests/conftest.py")


def _run(*command: object, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As much of this one as a new connector needs, with the new connector in it."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "shared").symlink_to(ROOT / "shared")
    for name in COPIED:
        source, copy = ROOT / name, folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    made = _run(MAKE, NAME, "--root", folder, cwd=folder)
    assert made.returncode == 0, made.stderr
    assert "make .venv" in made.stdout
    return folder


def _as_installed(checkout: Path) -> dict[str, str]:
    """The environment in which the new connector is installed, without pip."""
    source = checkout / f"services/connector-{NAME}/src"
    described = tomllib.loads((source.parent / "pyproject.toml").read_text())["project"]
    info = source / f"leadbus_connector_{NAME}-{described['version']}.dist-info"
    info.mkdir(exist_ok=True)
    names = f"Name: {described['name']}\nVersion: {described['version']}\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{names}")
    ((group, entries),) = described["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    paths = os.pathsep.join([str(source), str(checkout / "sandbox/src")])
    return {"PYTHONPATH": paths, "MYPYPATH": paths}


def test_a_new_connector_is_clean_by_every_tool(checkout: Path) -> None:
    places = [f"services/connector-{NAME}", f"sandbox/src/sandbox/{NAME}", f"tests/contract/{NAME}"]
    for how in (["check"], ["format", "--check"]):
        checked = _run("-m", "ruff", *how, *places, cwd=checkout)
        assert checked.returncode == 0, checked.stdout
    packages = ["-p", f"connector_{NAME}", "-p", f"sandbox.{NAME}"]
    typed = _run("-m", "mypy", *packages, cwd=checkout, **_as_installed(checkout))
    assert typed.returncode == 0, typed.stdout


def test_a_new_connector_stands_in_every_list(checkout: Path) -> None:
    resources = yaml.safe_load((checkout / "deploy/k8s/base/kustomization.yaml").read_text())["resources"]
    assert f"connector-{NAME}.yaml" in resources
    production = yaml.safe_load((checkout / "deploy/k8s/overlays/production/kustomization.yaml").read_text())
    assert f"leadbus/connector-{NAME}" in {image["name"] for image in production["images"]}
    linted = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert f"connector_{NAME}" in linted["root_packages"]
    lists = [names for c in linted["contracts"] for names in c.values() if isinstance(names, list)]
    for suffix in ("", ".translation"):
        with_sugar = [names for names in lists if f"connector_sugar{suffix}" in names]
        assert with_sugar
        assert all(f"connector_{NAME}{suffix}" in names for names in with_sugar)


def test_a_new_connector_runs_and_its_contract_tests_say_what_to_write(
    checkout: Path, kafka: Kafka, mongodb: MongoDB
) -> None:
    servers = {Kafka.variable: kafka.bootstrap_servers, MongoDB.variable: mongodb.url}
    tests = ["-m", "pytest", f"tests/contract/{NAME}", "-p", "no:cacheprovider", "-p", "no:xdist"]
    environ = {**_as_installed(checkout), **servers}
    two = "test_all_is_well or test_a_distributed_lead_becomes_one_record"
    ran = _run(*tests, "-q", "-k", two, cwd=checkout, **environ)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert f"{NAME.capitalize()}Adapter.sign_in is still to be written." in ran.stdout
    counted = re.search(r"^2 failed, (\d+) deselected", ran.stdout.splitlines()[-1])
    assert counted, ran.stdout
    assert int(counted[1]) > 80


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("sugar", "services/connector-sugar already"),
        ("servers", "sandbox/servers already"),
        ("cast", "sandbox/cast.py already"),
        ("Hubspot", "lower-case"),
        ("hub-spot", "lower-case"),
        ("class", "lower-case"),
        ("../x", "lower-case"),
    ],
)
def test_a_name_that_no_connector_can_have_is_refused_with_the_reason(
    tmp_path: Path, name: str, why: str
) -> None:
    for taken in ("services/connector-sugar", "sandbox/src/sandbox/servers"):
        (tmp_path / taken).mkdir(parents=True)
    (tmp_path / "sandbox/src/sandbox/cast.py").touch()
    before = sorted(tmp_path.rglob("*"))
    made = _run(MAKE, name, "--root", tmp_path, cwd=tmp_path)
    assert made.returncode == 1
    assert why in made.stderr
    assert sorted(tmp_path.rglob("*")) == before
