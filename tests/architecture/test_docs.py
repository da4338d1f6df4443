"""What is generated is what is committed, and published schemas only grow."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = ["asyncapi.json", "schemas/*.json", "openapi/*.json", "settings/*.md"]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    subprocess.run([sys.executable, ROOT / "docs/generate.py", folder], check=True, timeout=60)
    return folder


def files(folder: Path) -> dict[str, str]:
    paths = [path for pattern in GENERATED for path in folder.glob(pattern)]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def test_generated_documents_have_not_drifted(generated: Path) -> None:
    fresh, committed = files(generated), files(ROOT / "docs")
    assert len(fresh) > 12
    assert sorted(fresh) == sorted(committed)
    stale = [name for name, text in fresh.items() if committed[name] != text]
    assert stale == [], "run make docs"


def test_asyncapi_names_a_sender_for_every_topic_and_points_at_schemas_that_exist(generated: Path) -> None:
    described: dict[str, Any] = json.loads((generated / "asyncapi.json").read_text())
    sent = {
        o["channel"]["$ref"].rsplit("/", 1)[1]
        for o in described["operations"].values()
        if o["action"] == "send"
    }
    assert sent == set(described["channels"])
    for channel in described["channels"].values():
        (message,) = channel["messages"].values()
        assert (generated / message["payload"]["$ref"]).is_file()


def test_every_adr_is_one_page_and_numbered_without_gaps() -> None:
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    assert [path.name for path in records if len(path.read_text().splitlines()) > 45] == []
