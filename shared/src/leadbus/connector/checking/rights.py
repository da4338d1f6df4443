"""Which modules of a CRM a connection's settings need, and what its user may do there. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from leadbus.connector.capabilities import Capabilities, Kind
from leadbus.connector.checking.steps import step
from leadbus.connector.contract import Finding
from leadbus.connector.settings import ConnectionSettings

Right = Literal["read", "write"]
Rights = Mapping[str, frozenset[Right]]
_When = Callable[[ConnectionSettings], bool]


def _always(settings: ConnectionSettings) -> bool:
    return True


def _never(settings: ConnectionSettings) -> bool:
    return False


def _read(kind: Kind) -> _When:
    return lambda settings: settings.schedules.of(kind) is not None


@dataclass(frozen=True, slots=True)
class Need:
    """Of one kind of record: when it is read, when written, and why. later: to be written by and by."""

    why: str
    read: _When
    write: _When = _never
    later: str = ""


NEEDS: Mapping[Kind, Need] = {
    "lead": Need("Leads are matched by email, created and updated there.", _always, _always),
    "contact": Need("People may be contacts already, and can be recorded as such.", _always, _always),
    "target": Need("People may be targets already, and are matched there too.", _always, _always),
    "account": Need(
        "A contact's company is an account: it is looked up there, and created if there is none.",
        lambda settings: settings.record_as == "contact" or settings.schedules.account is not None,
        lambda settings: settings.record_as == "contact",
    ),
    "list": Need(
        "Target lists, and who is on them, are read.",
        _read("list"),
        lambda settings: any(rule.push.any for rule in settings.lists),
        later="It is needed as soon as people are to be put on target lists.",
    ),
    "user": Need("The CRM's users own leads; they are read to name the owner.", _read("user")),
    "opportunity": Need("Opportunities of marketing's leads are read back.", _read("opportunity")),
    "activity": Need("What salespeople do with leads is read back.", _read("activity")),
}
_ADDED = {
    "note": "Marketing events are written as notes.",
    "task": "Tasks are added for a lead's owner.",
    "call": "Calls are added for a lead's owner.",
}
_CAMPAIGNS = "Campaigns are made there, and who takes part is put in them."
_LATER = "It is needed as soon as people are to be put in campaigns."


@dataclass(frozen=True, slots=True)
class _Needed:
    module: str
    rights: tuple[Right, ...]
    why: str
    must: bool = True


def right_findings(settings: ConnectionSettings, capabilities: Capabilities, has: Rights) -> list[Finding]:
    """One finding per module, and a warning beside it where a right will be needed later."""
    needed = list(_needed(settings, capabilities))
    enough = {n.module for n in needed if not n.must and set(n.rights) <= has.get(n.module, frozenset())}
    return [_finding(n, capabilities, has) for n in needed if not (n.must and n.module in enough)]


def _needed(settings: ConnectionSettings, capabilities: Capabilities) -> Iterator[_Needed]:
    lists = capabilities.modules.get("list", ())
    campaigns: tuple[str, ...] = ()
    if settings.campaigns != "none" and capabilities.campaigns:
        # Where a campaign is a list itself, its members are kept on it; else on a list beside it.
        beside = () if capabilities.campaigns in lists else lists
        campaigns = (capabilities.campaigns, *beside)
    added = {module: _ADDED[type_] for type_, module in capabilities.activities.items()}
    for kind, need in NEEDS.items():
        rights: tuple[Right, ...] = ("read",) if need.read(settings) else ()
        rights += ("write",) if need.write(settings) else ()
        for module in capabilities.modules.get(kind, ()):
            if module in added:
                continue
            if rights:
                yield _Needed(module, rights, need.why)
            if need.later and module not in campaigns and "write" not in rights:
                yield _Needed(module, ("read", "write"), need.later, must=False)
    for module, why in added.items():
        yield _Needed(module, ("read", "write"), why)
    for module in campaigns:
        yield _Needed(module, ("read", "write"), _CAMPAIGNS)
    if not campaigns and capabilities.campaigns not in ("", *lists):
        yield _Needed(capabilities.campaigns, ("read", "write"), _LATER, must=False)


def _finding(need: _Needed, capabilities: Capabilities, has: Rights) -> Finding:
    module, wanted = need.module, " and ".join(need.rights)
    if set(need.rights) <= has.get(module, frozenset()):
        return Finding(True, f"The CRM's user may {wanted} {module}.")
    lacking = " or ".join(right for right in need.rights if right not in has.get(module, frozenset()))
    what = f"The CRM's user may not {lacking} {module}."
    if module not in has:
        what = f"For the CRM's user there is no module {module}."
    advice = step(capabilities, "rights", module=module, rights=wanted)
    return Finding(not need.must, what, need.why, advice)
