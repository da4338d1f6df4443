"""How the suite itself is built."""

import pytest


def test_what_the_tests_of_a_folder_share_ends_with_them(request: pytest.FixtureRequest) -> None:
    """Fixtures of the scope `package` would live, and their services run, as long as the worker does."""
    folder = request.node.getparent(pytest.Package)
    assert folder is not None
    assert folder.nodeid == "tests/architecture"
