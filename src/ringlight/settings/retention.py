"""Options of how long things are kept."""

from typing import Annotated

from pydantic import Field

from ringlight.settings.kinds import Area, Seconds

Days = Annotated[float, Field(gt=0, le=36_500)]
DAY = 86_400.0  # seconds


class RetentionSettings(Area):
    """How long things are kept, and how much of them. What is being written is never removed."""

    every: Seconds = Field(300.0, description="Seconds between two looks at what is old enough to be removed.")
    recordings_days: Days | None = Field(
        None, description="Days after which recordings made over the API are removed; empty: never."
    )
    recordings_total: float | None = Field(
        None,
        gt=0,
        description="Megabytes beyond which the oldest recordings are removed, to make room; empty: none are, and new "
        "ones are refused at `recordings.total`. Give less than that.",
    )
    webhooks_most: int = Field(
        200_000,
        ge=1000,
        description="How many webhooks that were handled, sent or given up are kept at most; `partner.webhook_kept` is "
        "for how long.",
    )
    dead_days: Days = Field(30.0, description="Days in which webhooks that were given up can be looked at.")
    rooms_days: Days = Field(
        30.0, description="Days after its end in which a room or a one-time link is told from one that never was."
    )
    audit_days: Annotated[float, Field(ge=1, le=36_500)] | None = Field(
        None,
        description="Days after which the record of rooms, and of who watched, is cut off at its beginning; empty: "
        "never. Look up what the law wants of you: for health care it is often six years and more.",
    )
    audit_most: int | None = Field(
        None, ge=1000, description="How many rows of it are kept at most; empty: all. The same law holds."
    )
