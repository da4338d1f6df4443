"""The standard fields of a person, as every part of the platform names them."""

from typing import Annotated

from pydantic import Field

from leadbus.messages.base import Line, Text, Value

CustomName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]


class Fields(Value):
    """What is known of a person. Every member may be absent; absent means unknown, never empty.

    birthday: YYYY-MM-DD. custom: a tenant's own fields by name.
    """

    first_name: Line | None = None
    last_name: Line | None = None
    title: Line | None = None
    company: Line | None = None
    phone: Line | None = None
    mobile: Line | None = None
    fax: Line | None = None
    street: Line | None = None
    city: Line | None = None
    state: Line | None = None
    postal_code: Line | None = None
    country: Line | None = None
    website: Line | None = None
    birthday: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    comments: Text | None = None
    custom: dict[CustomName, Text] = Field(default_factory=dict, max_length=200)

    def flat(self) -> dict[str, str]:
        """Known fields by name, custom ones as `custom.<name>`."""
        known = self.model_dump(exclude_none=True, exclude={"custom"})
        return known | {f"custom.{name}": value for name, value in self.custom.items()}

    @classmethod
    def from_flat(cls, flat: dict[str, str]) -> "Fields":
        """The inverse of `flat`."""
        custom = {k.removeprefix("custom."): v for k, v in flat.items() if k.startswith("custom.")}
        return cls.model_validate(
            {k: v for k, v in flat.items() if not k.startswith("custom.")} | {"custom": custom}
        )
