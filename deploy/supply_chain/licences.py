"""Under which licence each package is, and whether that may be in an image of ours."""

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from supply_chain.bill import name_of


@dataclass(frozen=True, slots=True)
class Rules:
    """allowed: SPDX identifiers. meant: SPDX by what else metadata say (a classifier). told: SPDX by package,
    where its metadata say nothing that a machine reads; read in its sources by a person."""

    allowed: Set[str]
    meant: Mapping[str, str]
    told: Mapping[str, str]

    def takes(self, expression: str) -> bool:
        """Whether an SPDX expression is allowed: one of its alternatives, with all that it adds up.

        One with parentheses is not read here and not allowed: it is for `told`.
        """
        return any(
            all(part in self.allowed for part in choice.split(" AND ")) for choice in expression.split(" OR ")
        )


def licences_of(component: Mapping[str, Any], rules: Rules) -> tuple[str, ...]:
    """SPDX expressions, or words that are none; empty = nobody says."""
    if name := rules.told.get(name_of(component)):
        return (name,)
    return tuple(dict.fromkeys(rules.meant.get(word, word) for word in _said(component)))


def not_allowed(components: Collection[Mapping[str, Any]], rules: Rules) -> list[str]:
    """A sentence for each package whose licence, or one of several, is not allowed."""
    found = []
    for component in components:
        licences = licences_of(component, rules)
        if not licences or not all(map(rules.takes, licences)):
            said = ", ".join(licences) or "nothing that its metadata say"
            found.append(f"{component['name']} {component['version']} is under {said}.")
    return found


def _said(component: Mapping[str, Any]) -> Iterator[str]:
    for entry in component.get("licenses", ()):
        licence = entry.get("license", {})
        word = entry.get("expression") or licence.get("id") or licence.get("name", "")
        # The whole text of a licence, or the name of its file, beside or in place of its name.
        if word and not word.startswith("declared license") and word != "License :: OSI Approved":
            yield word
