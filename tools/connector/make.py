"""Writes the beginning of a connector to another CRM: code that runs, and tests that say what it lacks.

`python tools/connector/make.py hubspot` (make connector name=hubspot). How to go on: docs/connectors.md.
"""

import argparse
import keyword
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from string import Template

ROOT = Path(__file__).parents[2]
TEMPLATE = Path(__file__).parent / "template"
FIRST_PORT = 8082
_ENDING = ".tmpl"
# Tools that know no globs have lists; an entry of the new connector stands beside Sugar's.
_LISTED = re.compile(r'"connector_sugar(\.\w+)?"')
_IN_A_LINE = re.compile(r'^(\s*)"connector_sugar(\.\w+)?",$')


class Refused(Exception):
    """A name that no connector can have; the text says why."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make connector name=…", description=__doc__)
    parser.add_argument("name", help="the CRM's short name: a lower-case word, such as hubspot")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout; default: this one")
    options = parser.parse_args()
    try:
        written = make(options.name, options.root)
    except Refused as refused:
        sys.exit(str(refused))
    for path in written:
        print(f"wrote {path.relative_to(options.root)}")
    print(_NEXT.substitute(name=options.name))


def make(name: str, root: Path) -> list[Path]:
    """The files written. Raises Refused, before anything is written."""
    _check(name, root)
    words = {"name": name, "Name": name.capitalize(), "NAME": name.upper(), "port": str(_free_port(root))}
    files = {
        root / str(source.relative_to(TEMPLATE)).replace("NAME", name).removesuffix(_ENDING): source
        for source in sorted(TEMPLATE.rglob(f"*{_ENDING}"))
    }
    if there := [path for path in files if path.exists()]:
        raise Refused(f"{there[0].relative_to(root)} exists already.")
    for path, source in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(source.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
    lists = {root / path: add for path, add in _LISTS.items()}
    for path, add in lists.items():
        path.write_text(add(path.read_text(encoding="utf-8"), name), encoding="utf-8")
    _tidy([path for path in files if path.suffix == ".py"], root)
    return [*files, *lists]


def _tidy(files: Sequence[Path], root: Path) -> None:
    """How long a line is, and what comes first, depends on the name."""
    for how in (["format"], ["check", "--fix", "--select", "I"]):
        subprocess.run([sys.executable, "-m", "ruff", *how, "--quiet", *files], cwd=root, check=True)


def _check(name: str, root: Path) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*", name) or keyword.iskeyword(name):
        raise Refused(f"{name!r} cannot be a connector's name: give one lower-case word, such as hubspot.")
    sandbox = root / "sandbox/src/sandbox"
    taken = (
        root / f"services/connector-{name}",
        sandbox / name,
        sandbox / f"{name}.py",
        root / f"tests/contract/{name}",
    )
    if there := [path for path in taken if path.exists()]:
        raise Refused(f"There is {there[0].relative_to(root)} already: choose another name.")


def _free_port(root: Path) -> int:
    """The one after the last that a service listens on by default."""
    texts = [path.read_text(encoding="utf-8") for path in root.glob("services/*/pyproject.toml")]
    ports = [int(port) for text in texts for port in re.findall(r"http://127\.0\.0\.1:(\d+)", text)]
    return max(ports, default=FIRST_PORT - 1) + 1


def _in_lists(text: str, name: str) -> str:
    """pyproject.toml with the new connector wherever Sugar's is listed."""
    lines = []
    for line in text.splitlines():
        if alone := _IN_A_LINE.match(line):
            lines += [line, f'{alone[1]}"connector_{name}{alone[2] or ""}",']
        else:
            lines.append(_LISTED.sub(lambda found: f'{found[0]}, "connector_{name}{found[1] or ""}"', line))
    return "\n".join(lines) + "\n"


def _in_resources(text: str, name: str) -> str:
    return f"{text.rstrip()}\n  - connector-{name}.yaml\n"


def _in_images(text: str, name: str) -> str:
    image = f"leadbus/connector-{name}"
    return f"{text.rstrip()}\n  - {{name: {image}, newName: registry.example.com/{image}}}\n"


_LISTS = {
    "pyproject.toml": _in_lists,
    "deploy/k8s/base/kustomization.yaml": _in_resources,
    "deploy/k8s/overlays/production/kustomization.yaml": _in_images,
}


_NEXT = Template("""
What is next:
  make .venv                            installs connector-$name
  make docs                             its settings, its API, its users and topics at Kafka, as they grow
  leadbus run connector-$name           it runs; a connection cannot be turned on yet, and says why
  .venv/bin/pytest tests/contract/$name -x    fails; the failure names the verb to write next
docs/connectors.md says in which order, and what the kit does for you.""")


if __name__ == "__main__":
    main()
