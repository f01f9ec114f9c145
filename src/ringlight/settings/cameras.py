"""Options of cameras: how a view opens, what viewers get, and the other ways out of it."""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator

from ringlight.secrets import Secret
from ringlight.settings.kinds import Area, Port, Seconds, SecretText, TextList, as_list, as_web_address

Renewal = Literal["auto", "never", "while-watched", "ask"]


class LiveViewSettings(Area):
    """Deadlines of one live view, each for a phase of its own."""

    http_timeout: Seconds = Field(15.0, description="Seconds for one HTTP answer from Ring.")
    socket_timeout: Seconds = Field(10.0, description="Seconds to open the signaling WebSocket.")
    session_timeout: Seconds = Field(10.0, description="Seconds from the offer to session_created.")
    answer_timeout: Seconds = Field(10.0, description="Seconds from the offer to the SDP answer.")
    camera_timeout: Seconds = Field(
        30.0,
        description="Seconds from the answer until the camera is connected; a cold battery camera needs 10.",
    )
    path_timeout: Seconds = Field(15.0, description="Seconds for ICE and DTLS to Ring's media server.")
    tcp_after: Seconds = Field(
        2.0, description="Seconds that video has to get through by UDP before it is tried over TCP as well."
    )
    media_timeout: Seconds = Field(
        15.0, description="Seconds from the open path and a connected camera to the first packet."
    )
    stall_timeout: Seconds = Field(10.0, description="Seconds without a packet until video counts as stopped.")
    ping_every: Seconds = Field(5.0, description="Seconds between pings until Ring names its own interval.")
    pong_timeout: Seconds = Field(15.0, description="Seconds without any pong until the session counts as lost.")
    activation_limit: Seconds = Field(
        70.0,
        description="Seconds after which Ring ends a view that was not activated; an end without a reason then is "
        "named so.",
    )
    ready_retries: int = Field(
        6, ge=0, le=50, description="How often to offer again when the camera is not ready (reason 26)."
    )
    retries: int = Field(
        3,
        ge=0,
        le=50,
        description="How often a view that could not be opened, or broke off early, is tried again after a pause.",
    )
    retry_within: Seconds = Field(
        30.0, description="Seconds after the first failure in which such a view is tried again."
    )
    reopen_retries: int = Field(
        8, ge=0, le=50, description="How often a view that ran and broke off is opened again while somebody watches."
    )
    reopen_within: Seconds = Field(60.0, description="Seconds after the break in which it is opened again.")
    healthy_after: Seconds = Field(
        30.0, description="Seconds of running video after which earlier failures count no more."
    )
    renew_after: Seconds = Field(
        540.0, description="Seconds of a running view after which the next one is opened; Ring ends them at 600."
    )
    audio: bool = Field(True, description="Ask the camera for sound as well.")
    hevc: bool = Field(
        False,
        description="Offer HEVC to the camera too. One that makes it then sends it as it is, which most browsers "
        "cannot show; otherwise Ring turns it into H.264.",
    )


class MediaSettings(Area):
    """The port for viewers, and what is kept for those who join late."""

    port: Port = Field(0, description="Port that all viewers share, UDP and TCP; 0 picks a free one.")
    tcp: bool = Field(True, description="Let viewers come over TCP too, where their network blocks UDP.")
    announce: TextList = Field(
        default_factory=list,
        description="Addresses under which browsers reach this machine; empty: all of its own.",
    )
    key_frame_cache: int = Field(
        1500, ge=50, le=20_000, description="Packets kept since the last key frame, for those who join late."
    )

    past: float = Field(
        0.0,
        ge=0,
        le=600,
        description="Seconds of a running view that are kept in memory, for recordings that begin before they are "
        "asked for; at 1.5 Mbit/s a second takes 0.2 MB. 0 keeps what came since the last key frame.",
    )
    past_memory: float = Field(
        32.0, ge=1, le=4000, description="Megabytes that this may take for one camera; what is older goes first."
    )

    _split = field_validator("announce", mode="before")(as_list)

    @field_validator("announce")
    @classmethod
    def _judge(cls, values: list[str]) -> list[str]:
        for value in values:
            try:
                ip_address(value)
            except ValueError:
                raise ValueError(f"{value[:60]!r} is no IP address; browsers need one such as 192.0.2.7") from None
        return values


class RecordingSettings(Area):
    """Where recordings go and how much they may take."""

    dir: Path | None = Field(
        None, description="Where recordings made over the API are kept; empty: `recordings` in the state directory."
    )
    keep_free: float = Field(
        200.0, ge=0, description="Megabytes of the disk that recordings leave free; at this they end in order."
    )
    bit_rate: float = Field(
        2.0, gt=0, le=100, description="Mbit/s that a camera is taken to send, until its own rate has been seen."
    )
    at_once: int = Field(4, ge=1, le=100, description="How many recordings may run at once over the API.")
    longest: Seconds = Field(3600.0, description="Seconds after which a recording made over the API ends.")
    total: float = Field(10_000.0, gt=0, description="Megabytes that all recordings made over the API may take.")


class RtspSettings(Area):
    """RTSP, for video recorders and players that know no WebRTC."""

    port: Port = Field(
        0, description="TCP port for RTSP, beside the server's own on the same address; usually 8554. 0 is off."
    )
    udp: bool = Field(True, description="Let players take video by UDP; without, it comes through their connection.")


class PlayerSettings(Area):
    """Players by RTSP and over HTTP (`live.mp4`, HLS)."""

    most: int = Field(64, ge=1, le=10_000, description="How many may watch at once, all of them together.")
    segment: float = Field(
        2.0, ge=0.5, le=10, description="Seconds of an HLS segment at least; it ends at the next key frame."
    )
    window: int = Field(6, ge=3, le=60, description="How many HLS segments a playlist lists.")
    idle: float = Field(
        20.0,
        ge=5,
        le=600,
        description="Seconds after which HLS that nobody asks for ends, and leaves the camera's view; players look "
        "every few seconds.",
    )


class OneCamera(Area):
    """What is set for one camera: `[cameras.front-door]`, by its id in addresses."""

    publish: SecretText | None = Field(
        None,
        description="WHIP address of a media server that gets the live view for as long as Ringlight runs. A camera "
        "on battery is published only with `publish_on_battery`.",
    )
    publish_token: SecretText | None = Field(None, description="The token (Bearer) that this media server asks for.")
    publish_on_battery: bool = Field(
        False, description="Publish the camera although it runs on battery, which is empty in hours then."
    )

    partner_device: str | None = Field(
        None,
        description="The camera's id in the Partner API, so that a press of its bell that Ring tells by webhook rings "
        "in its rooms at once.",
    )

    _judge = field_validator("publish")(as_web_address)


class CameraSettings(Area):
    """When a camera's view opens and closes; and a table for each camera that has settings of its own."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, OneCamera]

    linger: float = Field(
        5.0, ge=0, le=600, description="Seconds that a view stays open after the last viewer has left."
    )
    renewal: Renewal = Field(
        "auto",
        description="Beyond Ring's time limit: `never`, `while-watched`, `ask` who watches, or `auto`: "
        "while-watched on line power, ask on battery.",
    )
    renewal_of: dict[str, Renewal] = Field(
        default_factory=dict, description="The same for single cameras, by their id in addresses (`front-door`)."
    )

    @property
    def single(self) -> dict[str, OneCamera]:
        """The settings of single cameras, by their id in addresses; in the environment `front_door` is the same."""
        return {name.lower().replace("_", "-"): one for name, one in (self.__pydantic_extra__ or {}).items()}


def _as_broker(value: Secret | None) -> Secret | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value.reveal())
        usable = parts.scheme in ("mqtt", "mqtts") and parts.port != 0
    except ValueError:
        usable = False
    if not usable:  # the value is not repeated: it may hold a password
        raise ValueError("expected mqtt://[user:password@]host[:port], or mqtts://…")
    return value


class MqttSettings(Area):
    """Home automation: cameras over MQTT, found by Home Assistant on its own."""

    url: SecretText | None = Field(
        None, description="The broker: `mqtt://user:password@host:1883`, or `mqtts://…` with TLS; empty is off."
    )
    prefix: str = Field(
        "ringlight", pattern=r"^[A-Za-z0-9_/-]{1,60}$", description="What all topics of cameras begin with."
    )
    discovery: str = Field(
        "homeassistant", pattern=r"^[A-Za-z0-9_/-]{1,60}$", description="Home Assistant's discovery prefix."
    )
    every: Seconds = Field(
        5.0, ge=1, description="Seconds between two looks into the cameras' history; that costs a camera nothing."
    )
    stills_on_battery: bool = Field(
        False, description="Let cameras on battery take a picture for each event too, which costs charge."
    )

    _judge = field_validator("url")(_as_broker)
