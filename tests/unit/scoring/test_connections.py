"""The connections in memory, and who of them hears of a prospect."""

from typing import Any

import pytest

from scoring.connections import Connections
from scoring.qualification import handed_to, synced


def ids(connections: Any) -> list[str]:
    return sorted(connection.connection_id for connection in connections)


def test_a_tenant_sees_its_own_connections_only(scene: Any) -> None:
    connections = Connections()
    connections.apply(scene.connection("a"))
    connections.apply(scene.connection("b", tenant_id="umbrella"))
    assert ids(connections.for_tenant("acme")) == ["a"]
    assert ids(connections.for_tenant("umbrella")) == ["b"]
    assert connections.for_tenant("nobody") == ()


def test_the_last_word_on_a_connection_holds_and_wakes_who_waits(scene: Any) -> None:
    connections = Connections()
    connections.apply(scene.connection("a", threshold=50))
    connections.changed.clear()
    connections.apply(scene.connection("a", threshold=10))
    assert [c.threshold for c in connections.for_tenant("acme")] == [10]
    assert connections.changed.is_set()


def test_a_deleted_or_forgotten_connection_is_gone(scene: Any) -> None:
    connections = Connections()
    connections.apply(scene.connection("a"))
    connections.apply(scene.connection("b"))
    connections.apply(scene.connection("a", deleted=True))
    connections.forget("b")
    assert list(connections) == []
    assert connections.for_tenant("acme") == ()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, True),
        ({"on": False}, True),
        ({"supplier_id": "s1"}, True),
        ({"supplier_id": "s2"}, False),
        ({"lead_distribution": False}, False),
    ],
)
def test_a_lead_goes_to_connections_that_take_its_supplier(
    scene: Any, settings: dict[str, Any], told: bool
) -> None:
    assert handed_to({"s1"}, [scene.connection("c1", **settings)]) == ({"c1"} if told else set())
    assert handed_to((), [scene.connection("c1", **settings)]) == set()


def test_once_synced_a_connection_stays_so_while_it_does_marketing_automation(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=1, lead_distribution=False),)
    prospect = scene.turns(
        [[scene.event("1", "form_submission"), scene.event("2", "email_unsubscribe", at=1)]]
    )
    off = scene.connection(on=False, threshold=99, lead_distribution=False)
    without = scene.connection(marketing_automation=False, lead_distribution=False)
    assert prospect.score <= 1_000
    assert synced(prospect, [off]) == {"c1"}
    assert synced(prospect, [without]) == set()
