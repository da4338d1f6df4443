"""Who may not do what: rights that the administrator took away, by user, module and action."""

from collections.abc import Set as AbstractSet

from .store import Store

ACTIONS = ("list", "view", "edit", "delete", "import", "export")


def deny(store: Store, user: str, module: str, *actions: str) -> None:
    """`actions` of `ACTIONS`, none = all; also an administrator can be kept out. ValueError for others."""
    if unknown := set(actions) - set(ACTIONS):
        raise ValueError(f"no such action: {', '.join(sorted(unknown))}")
    for action in actions or ACTIONS:
        store.execute("INSERT OR IGNORE INTO denials VALUES (?, ?, ?)", (user, module, action))


def allow(store: Store, user: str, module: str) -> None:
    """Takes back all denials."""
    store.execute("DELETE FROM denials WHERE user_id = ? AND module = ?", (user, module))


def denied(store: Store, user: str, module: str) -> AbstractSet[str]:
    rows = store.rows("SELECT action FROM denials WHERE user_id = ? AND module = ?", (user, module))
    return {row["action"] for row in rows}
