"""What `kubectl kustomize` makes of each overlay, once; lets the tests of this folder share `checks`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests are no packages

from checks.rendering import OVERLAYS, Rendered, render


@pytest.fixture(scope="session", params=OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    """Each overlay in turn."""
    return render(request.param)
