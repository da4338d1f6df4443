"""`leadbus rules`: what gives points, what other rules would do, and applying them to history."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from leadbus.cli.calls import HOW, ask, console, errors
from leadbus.cli.groups import group
from leadbus.cli.settings_given import settings_in
from leadbus.errors import LeadbusError

HELP = f"""The rules by which prospects are scored.

  leadbus rules show > rules.yaml       those in force; change them there, then
  leadbus rules preview rules.yaml      how many prospects would exceed each threshold
  leadbus rules set rules.yaml          for the events to come
  leadbus rules apply-to-history        for what was counted before, too

{HOW}
"""
LOOK_SECONDS = 2

Tenant = Annotated[
    str | None, typer.Option(help="As operator: the tenant to act for.", envvar="LEADBUS_TENANT")
]
File = Annotated[Path, typer.Argument(help="The rules, as YAML or JSON; `show` prints those in force.")]


def register(root: typer.Typer) -> None:
    """Adds `rules show`, `set`, `history`, `preview` and `apply-to-history`."""
    commands = group(root, "rules", HELP)
    commands.command()(show)
    commands.command("set")(put)
    commands.command()(history)
    commands.command()(preview)
    commands.command()(apply_to_history)


def show(
    tenant: Tenant = None,
    version: Annotated[int | None, typer.Option(help="An earlier version, instead.", min=1)] = None,
) -> None:
    """Prints the rules in force as YAML, to be changed and given to `rules set`."""
    if version is None:
        rules = ask("scoring", "GET", "/v1/rules", params=_for(tenant))
    else:
        params = _for(tenant) | {"before": str(version + 1), "limit": "1"}
        found = ask("scoring", "GET", "/v1/rules/history", params=params)
        if not found or found[0]["version"] != version:
            raise LeadbusError(f"There is no version {version}; leadbus rules history lists them.")
        # As it was, but ready to replace what is in force now.
        in_force = ask("scoring", "GET", "/v1/rules", params=_for(tenant))
        rules = found[0]["rules"] | {"version": in_force["version"]}
    console.print(yaml.safe_dump(_lean(rules), sort_keys=False, allow_unicode=True), end="", soft_wrap=True)


def put(file: File, tenant: Tenant = None) -> None:
    """Puts the rules of a file in force for the events to come.

    The file says the version which they replace; if somebody has changed the rules since, nothing happens.
    """
    rules = ask("scoring", "PUT", "/v1/rules", params=_for(tenant), json=settings_in(file))
    console.print(f"Version {rules['version']} is in force for the events to come.")
    console.print("For what was counted before: leadbus rules apply-to-history")


def history(
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1, max=100)] = 20,
) -> None:
    """Lists who put which version in force, and when."""
    found = ask("scoring", "GET", "/v1/rules/history", params=_for(tenant) | {"limit": str(limit)})
    table = Table("version", "when", "by")
    for entry in found:
        at = datetime.fromisoformat(entry["at"]).astimezone()
        table.add_row(str(entry["version"]), at.strftime("%Y-%m-%d %H:%M:%S"), entry["author"])
    console.print(table)


def preview(file: File, tenant: Tenant = None) -> None:
    """Says how many prospects would exceed each connection's threshold by these rules. Nothing is changed."""
    rules = settings_in(file)
    counted, changes, later = 0, dict[str, dict[str, Any]](), list[str]()
    for page in _pages(rules, tenant):
        counted += page["prospects"]
        later = page["from_now_on"]
        for change in page["changes"]:
            known = changes.setdefault(change["connection_id"], change | dict.fromkeys(_COUNTS, 0))
            for name in _COUNTS:
                known[name] += change[name]
        if page["next"]:
            errors.print(f"{counted} prospects so far")
    table = Table("connection", "score", "threshold", "now", "then", "joining", "leaving")
    for name, change in sorted(changes.items()):
        counts = (str(change[each]) for each in _COUNTS)
        table.add_row(name, change["score"] or "main", str(change["threshold"]), *counts)
    console.print(table)
    console.print(f"Of {counted} prospects. Nothing is changed.")
    for name in later:
        console.print(f"{name}: counts from now on; what earlier events were about is not kept.")


def apply_to_history(
    tenant: Tenant = None,
    wait: Annotated[bool, typer.Option(help="Until it is done; it goes on without that, too.")] = True,
) -> None:
    """Values what was counted before by the rules in force: who exceeds a threshold by that is qualified."""
    version = ask("scoring", "GET", "/v1/rules", params=_for(tenant))["version"]
    if version == 0:
        raise LeadbusError("The defaults are in force; there is nothing to apply.")
    asked = ask("scoring", "POST", "/v1/rules/application", params=_for(tenant), json={"version": version})
    while wait and not asked["done"]:
        time.sleep(LOOK_SECONDS)
        asked = ask("scoring", "GET", "/v1/rules/application", params=_for(tenant))
        errors.print(f"{asked['prospects']} prospects so far")
        if asked["version"] != version:
            raise LeadbusError(f"Somebody has asked for version {asked['version']} meanwhile.")
    console.print(
        f"Version {version} is applied to {asked['prospects']} prospects."
        if asked["done"]
        else f"Version {version} is being applied."
    )


_COUNTS = ("now", "then", "joining", "leaving")


def _pages(rules: dict[str, Any], tenant: str | None) -> Iterator[dict[str, Any]]:
    after: str | None = ""
    while after is not None:
        params = _for(tenant) | ({"after": after} if after else {})
        page: dict[str, Any] = ask("scoring", "POST", "/v1/rules/preview", params=params, json=rules)
        yield page
        after = page["next"]


def _for(tenant: str | None) -> dict[str, str]:
    return {"tenant_id": tenant} if tenant else {}


def _lean(value: Any) -> Any:
    """Without what says nothing: nulls, and empty lists and tables; of machines, an empty list says a lot."""
    if isinstance(value, dict):
        lean = {name: each if name == "machines" else _lean(each) for name, each in value.items()}
        return {name: each for name, each in lean.items() if each not in (None, [], {})}
    return [_lean(each) for each in value] if isinstance(value, list) else value
