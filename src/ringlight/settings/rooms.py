"""Options of rooms."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from ringlight.settings.kinds import Area, Seconds, SecretText, Week, as_list, as_web_address

Consentable = Literal["video", "recording", "captions", "observer"]


class RoomSettings(Area):
    """Who may enter rooms, and what one connection may ask of the server."""

    open: bool = Field(
        True, description="Let people in without a token; holds on a loopback address only, for development."
    )
    capacity: int = Field(6, ge=1, le=64, description="How many people may be in a room at once.")
    consent: Annotated[list[Consentable], NoDecode] = Field(
        default=["video"],
        description="What people without `admit` must consent to in a room that names nothing else: `video`, "
        "`observer`, `recording`, `captions`. The first two are enforced, the others kept for whoever records or "
        "writes along.",
    )
    waiting: int = Field(50, ge=1, le=1000, description="How many people may wait before a room.")
    grace: Seconds = Field(30.0, description="Seconds that the place of somebody whose connection broke is kept.")
    host_grace: Seconds = Field(
        120.0,
        description="Seconds after the last person who may admit has left until the others are sent back to wait.",
    )
    hello_timeout: Seconds = Field(5.0, description="Seconds that a new connection has to introduce itself.")
    ping_every: Seconds = Field(15.0, description="Seconds between the pings that a page is asked for.")
    silent_after: Seconds = Field(45.0, description="Seconds without any message until a connection counts as lost.")
    message_bytes: int = Field(
        65_536, ge=8192, le=1_048_576, description="Bytes in one message; an offer has some 6,000."
    )
    rate: float = Field(40.0, gt=0, description="Messages a second that one connection may send for long.")
    burst: int = Field(120, ge=10, description="Messages that one connection may send at once.")
    queue_bytes: int = Field(
        262_144, ge=65_536, description="Bytes that may wait for a slow connection before it is closed."
    )
    replay_messages: int = Field(256, ge=1, description="Events kept for one person, for a connection that broke.")
    replay_bytes: int = Field(262_144, ge=8192, description="Bytes that these may take.")
    offer_kept: Seconds = Field(
        600.0, description="Seconds that an offer nobody has answered is kept for somebody who comes later."
    )
    token_life: Seconds = Field(600.0, description="Seconds that a room token is good for; it is renewed in the call.")
    link_life: Week = Field(
        86_400.0, description="Seconds that a one-time link can be used, from when it opens, where it names no end."
    )
    webhook_url: SecretText | None = Field(
        None,
        description="Where webhooks of rooms are sent. It is yours to choose, so it may be in your own network; "
        "redirects are not followed.",
    )
    webhook_secret: SecretText | None = Field(
        None, description="What signs them: `whsec_` and Base64, or any text of 16 bytes and more."
    )
    turn_life: Seconds = Field(3600.0, description="Seconds that TURN credentials are good for.")
    empty_after: Seconds = Field(300.0, description="Seconds after which a room that nobody is in is forgotten.")
    bell_every: float = Field(
        2.0,
        ge=0,
        le=60,
        description="Seconds between two looks into the history of a camera for whose bell somebody waits in a room; "
        "0 leaves that to webhooks.",
    )
    sockets: int = Field(10_000, ge=1, description="How many room sockets may be open at once.")

    _split = field_validator("consent", mode="before")(as_list)
    _judge = field_validator("webhook_url")(as_web_address)
