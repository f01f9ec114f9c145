"""Every option of Ringlight, declared once: default, unit and a sentence.

Read once at the start and passed down. Later sources win: `ringlight.toml`, the environment
(`RINGLIGHT_…`, `__` between levels), then options of the command line.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_state_path
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ringlight.errors import fault_error
from ringlight.secrets import Secret

__all__ = [
    "CameraSettings",
    "LiveViewSettings",
    "MediaSettings",
    "PlayerSettings",
    "RecordingSettings",
    "RtspSettings",
    "ServerSettings",
    "Settings",
    "load_settings",
]

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]


def _as_secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    raise ValueError("expected text")


def _as_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Renewal = Literal["auto", "never", "while-watched", "ask"]
SecretText = Annotated[Secret, PlainValidator(_as_secret)]
TextList = Annotated[list[str], NoDecode]


class _Area(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LiveViewSettings(_Area):
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


class MediaSettings(_Area):
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

    _split = field_validator("announce", mode="before")(_as_list)


class RecordingSettings(_Area):
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


class RtspSettings(_Area):
    """RTSP, for video recorders and players that know no WebRTC."""

    port: Port = Field(
        0, description="TCP port for RTSP, beside the server's own on the same address; usually 8554. 0 is off."
    )
    udp: bool = Field(True, description="Let players take video by UDP; without, it comes through their connection.")


class PlayerSettings(_Area):
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


class CameraSettings(_Area):
    """When a camera's view opens and closes."""

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


class ServerSettings(_Area):
    """Where the server listens."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(8000, description="TCP port to listen on; 0 picks a free one.")


class Settings(BaseSettings):
    """All options. See each area for its own."""

    model_config = SettingsConfigDict(env_prefix="RINGLIGHT_", env_nested_delimiter="__", extra="forbid", frozen=True)

    ring_url: str | None = Field(
        None, description="One base URL that stands for every host of Ring, as the simulator offers."
    )
    ring_signaling_url: str | None = Field(
        None,
        description="Another WebSocket address for signaling; only for tests, Ring has one for all regions.",
    )
    state_dir: Path = Field(
        default_factory=lambda: user_state_path("ringlight"),
        description="Where tokens are kept, and what was measured of batteries.",
    )
    secret_key: SecretText | None = Field(
        None, description="Long random text; needed to listen on other than loopback."
    )
    allowed_origins: TextList = Field(
        default_factory=list, description="Origins of other web pages that may use this server."
    )
    live_view: LiveViewSettings = LiveViewSettings()
    media: MediaSettings = MediaSettings()
    recordings: RecordingSettings = RecordingSettings()
    rtsp: RtspSettings = RtspSettings()
    players: PlayerSettings = PlayerSettings()
    cameras: CameraSettings = CameraSettings()
    server: ServerSettings = ServerSettings()

    _split = field_validator("allowed_origins", mode="before")(_as_list)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: options, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(config: Path | None = None, **options: Any) -> Settings:
    """Read file, environment and options, and judge them.

    Args:
        config: The file to read; `None` reads `ringlight.toml` in the working directory if there is one.
        options: Values from the command line, by the names of the fields; these win.

    Raises:
        SetupError: CFG-INVALID, naming the first setting that cannot be used.
    """
    if config is not None and not config.is_file():
        raise fault_error("CFG-INVALID", f"there is no file {config}")
    path = config or Path("ringlight.toml")
    configured = type("Settings", (Settings,), {"model_config": {**Settings.model_config, "toml_file": path}})
    try:
        return Settings.model_construct(**_checked(configured, options))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise fault_error("CFG-INVALID", f"{name}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise fault_error("CFG-INVALID", f"{path}: {error}") from error


def _checked(configured: type[Any], options: dict[str, Any]) -> dict[str, Any]:
    values = configured(**options)
    return {name: getattr(values, name) for name in Settings.model_fields}
