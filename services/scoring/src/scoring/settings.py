"""Scoring's own settings."""

from pydantic import Field

from leadbus.settings import Settings


class ScoringSettings(Settings):
    """What scoring is told besides what every service is told."""

    port: int = Field(
        8081,
        validation_alias="SCORING_PORT",
        ge=0,
        le=65_535,
        description="The port of scoring's HTTP API; 0 = any that is free.",
    )
