"""`leadbus prepare`: what a service needs is made, and nothing else is begun."""

import pytest

from leadbus import runner
from leadbus.errors import Transient
from leadbus.service import Managed, Service
from leadbus.settings import ConfigurationError
from leadbus.telemetry import Telemetry


class Recorded:
    """A service of three parts that note what happens to them."""

    def __init__(self, *failures: Exception) -> None:
        self.notes: list[str] = []
        self._failures = list(failures)

    def service(self) -> Service:
        stages = [[self._part("MongoDB"), self._part("topics", fails=True)], [self._part("consumer")]]
        return Service("tested", "127.0.0.1", 0, Telemetry("tested", {}), stages)

    def _part(self, name: str, *, fails: bool = False) -> Managed:
        async def start() -> None:
            if fails and self._failures:
                raise self._failures.pop()
            self.notes.append(f"{name} started")

        async def stop() -> None:
            self.notes.append(f"{name} stopped")

        return Managed(name, start, stop)


MADE = ["MongoDB started", "MongoDB stopped", "topics started", "topics stopped"]


async def test_only_the_first_stage_is_started_and_it_is_stopped_again() -> None:
    recorded = Recorded()
    await recorded.service().prepare()
    assert sorted(recorded.notes) == MADE


async def test_it_waits_for_a_server_that_is_away() -> None:
    recorded = Recorded(Transient("not yet"))
    await recorded.service().prepare()
    assert sorted(recorded.notes) == MADE


async def test_it_ends_where_waiting_does_not_help() -> None:
    recorded = Recorded(ConfigurationError("marketing.events has 3 partitions instead of 12."))
    with pytest.raises(ConfigurationError, match="3 partitions"):
        await recorded.service().prepare()
    assert {"MongoDB stopped", "topics stopped"} <= set(recorded.notes)


@pytest.mark.parametrize(
    ("failure", "code"),
    [(None, runner.OK), (ConfigurationError("no"), runner.MISUSED), (RuntimeError(), runner.CRASHED)],
)
async def test_the_exit_code_tells_how_it_ended(failure: Exception | None, code: int) -> None:
    services = [Recorded(*([failure] if failure else [])).service(), Recorded().service()]
    assert await runner.prepare_each(services) == code


def test_an_unknown_service_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.prepare(["scorer"], {}) == runner.MISUSED
    assert "There is no service scorer" in capsys.readouterr().err
