"""What every part of the suite stands on: the fixtures, and that no case is quietly dropped."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from leadbus.testing.crm import CrmUnderTest, Promise
from leadbus.testing.house import House
from leadbus.testing.once import ONCE
from leadbus.testing.scene import Scene


class Promises:
    """Cases about a connector, to be inherited. Needs a fixture `house`.

    A subclass may add cases. It may override one, or set it to None, only as an expected failure with a
    reason: `test_x = expected_failure("the vendor ...")`. With `again=True` it leaves out what does not
    depend on the protocol (`once.ONCE`), because another class for the same CRM has run it.
    """

    promised: ClassVar[frozenset[str]] = frozenset()
    """Names of all cases that a subclass inherits."""

    def __init_subclass__(cls, *, again: bool = False, **how: Any) -> None:
        super().__init_subclass__(**how)
        inherited = {name for base in cls.__mro__[1:] for name in vars(base) if name.startswith("test_")}
        for name in sorted(inherited & vars(cls).keys()):
            if not _reason(vars(cls)[name]):
                raise TypeError(
                    f"{cls.__name__}.{name} overrides a case of the contract. A case that the CRM cannot pass"
                    f' is an expected failure with a reason: {name} = expected_failure("...").'
                )
        cls.promised = frozenset(inherited)
        for name in ONCE & inherited if again else ():
            setattr(cls, name, None)

    @abstractmethod
    def new_crm(self) -> CrmUnderTest:
        """A CRM of one's own that speaks the protocol in question; not yet started."""

    @pytest.fixture
    async def scene(self, house: House) -> AsyncIterator[Scene]:
        """A tenant of one's own with a CRM of its own."""
        scene = Scene(house, self.new_crm())
        await scene.start()
        try:
            yield scene
        finally:
            await scene.stop()


def expected_failure(reason: str) -> Any:
    """In place of a case that a CRM cannot pass, whatever its adapter does."""

    @pytest.mark.xfail(reason=reason, run=False)
    def case(self: Promises) -> None:
        pytest.fail(reason)

    return case


def needs(scene: Scene, *promises: Promise) -> None:
    """Ends the case as an expected failure where the CRM, or its protocol, cannot do this."""
    for promise in promises:
        if reason := scene.crm.lacks.get(promise):
            pytest.xfail(reason)


def _reason(case: Any) -> str:
    """Of an expected failure; empty for anything else."""
    marks = [mark for mark in getattr(case, "pytestmark", []) if mark.name == "xfail"]
    return str(marks[0].kwargs.get("reason") or "") if marks else ""
