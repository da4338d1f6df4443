"""Alerts fire when they should and only then: Prometheus' own tool runs the rules over made-up series."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROMTOOL = shutil.which("promtool")
TESTS = sorted((Path(__file__).parent / "alerts").glob("*.yaml"))
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")


def rules() -> dict[str, Any]:
    manifest = yaml.safe_load((ROOT / "deploy/k8s/components/prometheus/rules.yaml").read_text())
    found: dict[str, Any] = manifest["spec"]
    return found


def promtool(*arguments: str | Path) -> str:
    run = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(rules()))
    count = sum(len(group["rules"]) for group in rules()["groups"])
    assert f"{count} rules found" in promtool("check", "rules", file)


@pytest.mark.parametrize("tested", TESTS, ids=lambda path: path.stem)
def test_an_alert_fires_when_it_should_and_only_then(tested: Path, tmp_path: Path) -> None:
    hexadecimal = re.findall(r"^ *values: .*(?<!\+)\b0x\d+", tested.read_text(), re.MULTILINE)
    assert hexadecimal == [], "0x30 is one 48; 0+0x30 is thirty-one zeros"
    spec = rules()
    for group in spec["groups"]:
        for rule in group["rules"]:
            rule.pop("annotations", None)  # promtool would have every test repeat them
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec))
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(tested.read_text()) | {"rule_files": ["rules.yaml"]}))
    assert "SUCCESS" in promtool("test", "rules", file)
