"""Teams of a record: one primary team, and a set of all of them."""

import hashlib
from typing import Any

from ..store import Row, Store, new_id
from .errors import invalid


def of(store: Store, row: Row) -> list[dict[str, Any]]:
    """`team_name` as modern REST shows it, the primary one first."""
    rows = store.rows(
        "SELECT t.id, t.name, t.name_2 FROM team_sets_teams s JOIN teams t ON t.id = s.team_id"
        " WHERE s.team_set_id = ? AND s.deleted = 0 ORDER BY t.id <> ?, t.name",
        (row["team_set_id"] or "", row["team_id"] or ""),
    )
    return [
        {
            "id": team["id"],
            "name": team["name"],
            "name_2": team["name_2"] or "",
            "primary": team["id"] == row["team_id"],
        }
        for team in rows
    ]


def columns(store: Store, team_name: Any) -> dict[str, str]:
    """team_id and team_set_id for a written `team_name`. Raises invalid_parameter for anything else."""
    if not isinstance(team_name, list) or not all(
        isinstance(team, dict) and team.get("id") for team in team_name
    ):
        raise invalid("team_name")
    if not team_name:
        return {}
    ids = [str(team["id"]) for team in team_name]
    primary = next((str(team["id"]) for team in team_name if team.get("primary")), ids[0])
    return {"team_id": primary, "team_set_id": make_set(store, ids)}


def make_set(store: Store, ids: list[str]) -> str:
    """The id of the set of these teams; a single team is a set under its own id."""
    distinct = sorted(set(ids))
    key = distinct[0] if len(distinct) == 1 else hashlib.sha256("\n".join(distinct).encode()).hexdigest()[:36]
    if store.value("SELECT 1 FROM team_sets_teams WHERE team_set_id = ?", (key,)) is None:
        now = store.now()
        for team in distinct:
            pair = {"id": new_id(), "team_set_id": key, "team_id": team, "date_modified": now, "deleted": 0}
            store.insert("team_sets_teams", pair)
    return key
