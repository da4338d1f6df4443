"""When something is read from the CRM."""

from datetime import UTC, datetime
from typing import Annotated, Self

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, model_validator

from leadbus.connector.capabilities import Kind
from leadbus.connector.settings.section import Section

_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def _cron(expression: str) -> str:
    try:
        next(CronSim(expression, _SOME_TIME))
    except (CronSimError, StopIteration) as error:
        raise ValueError("not a cron expression of five fields, such as 0 6,18 * * *") from error
    return expression


class Schedule(Section):
    """When something is read from the CRM: every so many seconds, or at times of day (cron)."""

    merged = False  # its members exclude each other

    every_seconds: int | None = Field(
        None, ge=1, le=86_400, description="Read changes this often, in seconds."
    )
    cron: Annotated[str, AfterValidator(_cron)] | None = Field(
        None,
        json_schema_extra={"allowed": "a cron expression of five fields"},
        description="Read changes at these times, in the connection's time zone.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.every_seconds is None) == (self.cron is None):
            raise ValueError("give either every_seconds or cron")
        return self


def _every(seconds: int) -> Schedule:
    return Schedule(every_seconds=seconds)


class Schedules(Section):
    """When each kind of record is read; a kind without a schedule is not read."""

    lead: Schedule | None = Field(_every(30), description="Leads: status, owner, fields, conversion.")
    contact: Schedule | None = Field(_every(30), description="Contacts.")
    target: Schedule | None = Field(_every(300), description="Targets: people on lists, not yet leads.")
    account: Schedule | None = Field(_every(300), description="Accounts (companies).")
    user: Schedule | None = Field(_every(300), description="The CRM's users, who can own leads.")
    opportunity: Schedule | None = Field(_every(30), description="Opportunities.")
    activity: Schedule | None = Field(_every(60), description="Tasks, calls, meetings and notes.")
    list: Schedule | None = Field(_every(1_800), description="Target lists and who is on them.")
    comparison: Schedule | None = Field(
        Schedule(cron="0 3 * * *"),
        description="Everything is read again and compared, which finds what changes did not tell.",
    )

    def of(self, kind: Kind) -> Schedule | None:
        """The schedule of a kind of record."""
        found: Schedule | None = getattr(self, kind)
        return found

    @property
    def any(self) -> bool:
        """Whether anything is read at all."""
        return any(getattr(self, name) is not None for name in type(self).model_fields)
