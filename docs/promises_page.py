"""What the guides promise, and what proves each of it on every CRM, as a page of documentation."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("promises.toml")

_HEAD = """# What is promised, and what proves it

Five integrations that are sold today, and what their guides promise:

{guides}

*proven*: the tests named pass in every `make test`. Those without a file are cases of the contract suite
(`shared/src/leadbus/testing`), which run against that CRM's simulator; those with one prove what is the same
for every CRM, or are about that CRM alone. *cannot*: the CRM cannot do it; why stands below.
Generated from `docs/promises.toml` (`make docs`).
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """See promises.toml for what its members are."""

    says: str
    guides: Sequence[str]
    kept: str
    proof: Sequence[str] = ()
    of: Sequence[str] = ()
    cannot: Mapping[str, str] = field(default_factory=dict)
    not_yet: str = ""

    def concerns(self, crm: str) -> bool:
        return crm in self.of or not self.of


@dataclass(frozen=True, slots=True)
class Theme:
    title: str
    promises: Sequence[Promise]


@dataclass(frozen=True, slots=True)
class Promised:
    """guides: their names by their keys."""

    guides: Mapping[str, str]
    themes: Sequence[Theme]

    @property
    def all(self) -> Iterator[Promise]:
        for theme in self.themes:
            yield from theme.promises


def promised() -> Promised:
    """What the file says. Raises TypeError for a member that it does not know."""
    data: dict[str, Any] = tomllib.loads(DATA.read_text(encoding="utf-8"))
    themes = [Theme(t["title"], [Promise(**p) for p in t["promise"]]) for t in data["theme"]]
    return Promised(data["guides"], themes)


def cannot(crm: str) -> Mapping[str, str]:
    """The connector's own sentences, by what it is about."""
    found: Mapping[str, str] = import_module(f"connector_{crm}.capabilities").CAPABILITIES.cannot
    return found


def promises_page(crms: Sequence[str]) -> str:
    """Markdown: a table for each theme, what is not there yet, and why some CRMs cannot."""
    found = promised()
    numbers = {key: str(number) for number, key in enumerate(found.guides, 1)}
    guides = "\n".join(f"{numbers[key]}. {name}" for key, name in found.guides.items())
    parts = [_HEAD.format(guides=guides)]
    for theme in found.themes:
        rows = [_row(promise, numbers, crms) for promise in theme.promises if not promise.not_yet]
        if rows:
            parts.append(f"## {theme.title}\n\n" + table(("promise", "of", "kept by", *crms, "proof"), rows))
    waiting = [p for p in found.all if p.not_yet]
    if waiting:
        rows = [(p.says, _of(p, numbers), p.not_yet) for p in waiting]
        parts.append("## Not yet\n\n" + table(("promise", "of", "why, and what there is"), rows))
    reasons = [(p.says, crm, cannot(crm)[key]) for p in found.all for crm, key in p.cannot.items()]
    if reasons:
        parts.append("## What a CRM cannot do\n\n" + table(("promise", "CRM", "why"), reasons))
    return "\n".join(parts)


def _row(promise: Promise, numbers: Mapping[str, str], crms: Sequence[str]) -> Sequence[str]:
    proof = "<br>".join(_proof(name) for name in promise.proof)
    return (
        promise.says,
        _of(promise, numbers),
        promise.kept,
        *(_standing(promise, crm) for crm in crms),
        proof,
    )


def _of(promise: Promise, numbers: Mapping[str, str]) -> str:
    return " ".join(sorted(numbers[key] for key in promise.guides))


def _standing(promise: Promise, crm: str) -> str:
    if not promise.concerns(crm):
        return "–"
    return "cannot" if crm in promise.cannot else "proven"


def _proof(name: str) -> str:
    path, _, case = name.rpartition("::")
    readable = case.removeprefix("test_").replace("_", " ")
    return f"[{readable}](../{path})" if path else readable


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )
