"""Ingest's own settings."""

from pydantic import Field

from leadbus.settings import Settings


class IngestSettings(Settings):
    """What ingest is told besides what every service is told."""

    port: int = Field(
        8080,
        validation_alias="INGEST_PORT",
        ge=0,
        le=65_535,
        description="The port of ingest's HTTP API; 0 = any that is free.",
    )
    public_url: str = Field(
        "",
        validation_alias="INGEST_PUBLIC_URL",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Where CRMs reach ingest from outside, for the URLs of hooks; empty = where it listens.",
    )
    items_per_second: int = Field(
        5_000,
        validation_alias="INGEST_ITEMS_PER_SECOND",
        ge=1,
        description="How many items one API key may post per second, on average over a few seconds.",
    )
    items_in_flight: int = Field(
        20_000,
        validation_alias="INGEST_ITEMS_IN_FLIGHT",
        ge=1_000,
        description="How many items may await Kafka's acknowledgement; beyond it, requests are answered 503.",
    )
    answer_seconds: float = Field(
        10.0,
        validation_alias="INGEST_ANSWER_SECONDS",
        gt=0,
        le=60,
        description="How long a request waits for Kafka's acknowledgement before it is answered 503.",
    )
