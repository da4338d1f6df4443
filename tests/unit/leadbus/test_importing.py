"""Services are imported without looking for garbage, and only that."""

import gc

import pytest

from leadbus.installed import importing


def broken() -> None:
    with importing():
        assert not gc.isenabled()
        raise ImportError("a service that is broken")


def test_nobody_looks_for_garbage_during_an_import_and_everybody_after_it_even_if_it_fails() -> None:
    with pytest.raises(ImportError):
        broken()
    assert gc.isenabled()
