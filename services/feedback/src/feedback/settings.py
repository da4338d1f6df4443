"""Feedback's own settings."""

from pydantic import Field

from leadbus.settings import Settings


class FeedbackSettings(Settings):
    """What feedback is told besides what every service is told."""

    port: int = Field(
        8085,
        validation_alias="FEEDBACK_PORT",
        ge=0,
        le=65_535,
        description="The port of feedback's HTTP API; 0 = any that is free.",
    )
