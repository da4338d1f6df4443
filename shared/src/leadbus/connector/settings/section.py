"""What every part of the settings is made of."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Settings refuse what they do not know, so that a misspelt one is noticed.

    merged: whether a change of a part of it leaves the rest of it as it was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    merged: ClassVar[bool] = True
