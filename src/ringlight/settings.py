"""Every option of Ringlight, declared once: default, unit and a sentence.

Read once at the start and passed down. Later sources win: `ringlight.toml`, the environment
(`RINGLIGHT_…`, `__` between levels), then options of the command line.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

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
    "Consentable",
    "LiveViewSettings",
    "MediaSettings",
    "MqttSettings",
    "OneCamera",
    "PartnerSettings",
    "PlayerSettings",
    "RecordingSettings",
    "ResilienceSettings",
    "RoomSettings",
    "RtspSettings",
    "ServerSettings",
    "Settings",
    "load_settings",
]

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Week = Annotated[float, Field(gt=0, le=31 * 86_400)]
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


def _as_secrets(value: object) -> list[Secret]:
    parts = _as_list(value)
    if not isinstance(parts, list):
        raise ValueError("expected a list of texts")  # noqa: TRY004 - pydantic takes ValueError only
    return [_as_secret(part) for part in parts]


Consentable = Literal["video", "recording", "captions", "observer"]
SecretList = Annotated[list[Secret], NoDecode, PlainValidator(_as_secrets)]
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
    hevc: bool = Field(
        False,
        description="Offer HEVC to the camera too. One that makes it then sends it as it is, which most browsers "
        "cannot show; otherwise Ring turns it into H.264.",
    )


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

    @field_validator("announce")
    @classmethod
    def _judge(cls, values: list[str]) -> list[str]:
        for value in values:
            try:
                ip_address(value)
            except ValueError:
                raise ValueError(f"{value[:60]!r} is no IP address; browsers need one such as 192.0.2.7") from None
        return values


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


def _as_web_address(value: Secret | None) -> Secret | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value.reveal())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # The value is not repeated: with some services the address itself is the key.
    if not usable:
        raise ValueError("expected https://host[:port]/path")
    if parts.username is not None:
        raise ValueError("an address without user and password is expected; a token goes into `publish_token`")
    return value


class OneCamera(_Area):
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

    _judge = field_validator("publish")(_as_web_address)


class CameraSettings(_Area):
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


class ResilienceSettings(_Area):
    """How calls to the Partner API survive what happens to APIs."""

    automatic_retry: bool = Field(True, description="Repeat what failed for a passing reason.")
    token_refresh: bool = Field(True, description="Renew the token after a 401 and repeat the call once.")
    exponential_backoff: bool = Field(True, description="Let the pauses between repeats grow, and spread them.")
    circuit_breaker: bool = Field(True, description="Stop asking a service or a device that does not answer.")
    graceful_degradation: bool = Field(
        True, description="Give the last known good answer, marked as such, where there is no other."
    )
    user_notification: bool = Field(True, description="Tell people what stopped working, and when it works again.")

    total: Seconds = Field(30.0, description="Seconds for a whole call: waits, renewals, attempts and body.")
    attempts: int = Field(
        3, ge=1, le=50, description="How often a call is sent at most when it fails for passing reasons."
    )
    backoff_first: Seconds = Field(0.1, description="Upper end in seconds of the first pause after a failure.")
    throttle_first: Seconds = Field(
        1.0, description="Upper end in seconds of the first pause after a 429 that names none."
    )
    backoff_cap: Seconds = Field(20.0, description="Seconds that no pause of ours exceeds.")
    retry_after_cap: Seconds = Field(
        120.0, description="Longest pause in seconds named by Ring that is waited for; a longer one fails at once."
    )
    budget: int = Field(500, ge=0, le=1_000_000, description="Tokens of the budget from which retries are paid.")
    budget_failure: int = Field(14, ge=0, le=1_000_000, description="What a retry after a failure costs.")
    budget_throttle: int = Field(5, ge=0, le=1_000_000, description="What a retry after a 429 costs.")
    shedding: bool = Field(
        False, description="Turn calls away here when the service takes less than half of what is asked."
    )
    gate_rate: float = Field(92.0, gt=0, le=1e6, description="Calls per second and client id; Ring allows 100.")
    gate_burst: int = Field(
        4,
        ge=1,
        le=100_000,
        description="Calls that may leave at once after a rest; rate and burst stay below 100, by what is late on the "
        "way (4 calls are 43 ms).",
    )
    gate_processes: int = Field(
        4,
        ge=1,
        le=10_000,
        description="Among how many processes the limit is divided where the gate that they share has never been "
        "reached; later it is as many as were seen there in the last minute.",
    )
    breaker_ratio: float = Field(0.5, gt=0, le=1, description="Share of failed calls that opens a breaker.")
    breaker_window: Seconds = Field(30.0, description="Seconds over which that share is counted.")
    breaker_volume: int = Field(20, ge=1, le=100_000, description="Calls below which the share says nothing.")
    breaker_in_a_row: int = Field(5, ge=1, le=100_000, description="Failures in a row that open it as well.")
    breaker_open: Seconds = Field(5.0, description="Seconds until an open breaker lets one call try; doubles.")
    breaker_open_cap: Seconds = Field(60.0, description="Seconds that this wait never exceeds.")
    device_open: Seconds = Field(15.0, description="Seconds that a device which is offline is left alone; doubles.")
    device_open_cap: Seconds = Field(300.0, description="Seconds that this wait never exceeds.")
    devices: int = Field(2000, ge=1, le=1_000_000, description="Devices whose state is kept; the oldest goes.")
    stale_status: Seconds = Field(300.0, description="Seconds that a device's last known status may be given.")
    stale_devices: Week = Field(
        604_800.0, description="Seconds that last known devices, locations and capabilities may be given."
    )
    stale_users: Seconds = Field(86_400.0, description="Seconds that a last known user may be given.")
    stale_subscriptions: Seconds = Field(3600.0, description="Seconds that last known subscriptions may be given.")
    stale_entries: int = Field(
        2000, ge=1, le=1_000_000, description="Answers kept for when there is no other; the oldest goes."
    )
    refresh_advisory: Seconds = Field(300.0, description="Seconds before its end at which a token is renewed aside.")
    refresh_mandatory: Seconds = Field(30.0, description="Seconds before its end from which calls wait for a new one.")
    refresh_pause: Seconds = Field(5.0, description="Seconds after a failed renewal until the next one aside.")


class PartnerSettings(_Area):
    """The app at Ring's Partner API, its tokens and webhooks. How calls survive is in `resilience`."""

    client_id: str | None = Field(None, description="The app's client id, from Ring's developer console.")
    client_secret: SecretText | None = Field(None, description="The app's client secret.")
    app_name: str = Field("Ringlight", description="The app's name, for the pages of linking.")
    person: str = Field(
        "owner",
        description="How Ring's app shows whose link it is that this server has made: masked, as `m***a@shop.example`.",
    )
    access_token: SecretText | None = Field(
        None, description="An access token alone, as the Playground gives for 30 minutes; nothing renews it."
    )
    tokens: str | None = Field(
        None,
        description="Store of linked accounts: a file, `sqlite:///…`, `postgresql://…`, `keyring:`; empty: "
        "`partner-tokens.json` in the state directory.",
    )
    account: str | None = Field(
        None, description="Id of the linked account to use; empty: the only one that the store has."
    )
    connections: int = Field(20, ge=1, le=1000, description="Connections to the Partner API at a time.")
    connect_timeout: Seconds = Field(5.0, description="Seconds to open a connection to the Partner API.")
    read_timeout: Seconds = Field(15.0, description="Seconds from one piece of its answer to the next.")
    write_timeout: Seconds = Field(15.0, description="Seconds from one piece of a request to the next.")
    pool_timeout: Seconds = Field(5.0, description="Seconds until one of our connections becomes free.")

    view_stall: Seconds = Field(
        3.0, description="Seconds without a picture after which a live view has ended; Ring does not say so."
    )
    view_ahead: Seconds = Field(
        12.0,
        description="Seconds before the time limit of a live view (30 on battery, 60 on line power) at which the "
        "next one is opened beside it; a camera sends its first picture after 3 to 5.",
    )

    hmac_keys: SecretList = Field(
        default_factory=list,
        description="The app's HMAC signature keys, as the developer portal shows them; with one, the server takes "
        "webhooks. Two while one replaces the other.",
    )
    accounts: TextList = Field(
        default_factory=list, description="Ring's ids of the accounts whose webhooks are taken; empty: of all."
    )
    webhook_max_age: float = Field(
        270_000.0,
        ge=60,
        le=2_600_000,
        description="Seconds after which a webhook is too old; Ring repeats it for 1.2 hours and keeps it for 72 more.",
    )
    webhook_max_ahead: Seconds = Field(
        300.0, description="Seconds that a webhook's signed time may be ahead of this machine's clock."
    )
    webhook_kept: float = Field(
        0.0,
        ge=0,
        le=31_536_000,
        description="Seconds for which webhooks that were handled are kept; never less than one could come again.",
    )
    webhook_at_once: int = Field(
        16, ge=1, le=1000, description="How many webhooks are handled at the same time, each of another device."
    )
    webhook_attempts: int = Field(
        6, ge=1, le=50, description="How often a webhook is tried before it goes to the dead letters."
    )
    webhook_timeout: Seconds = Field(60.0, description="Seconds that a handler may take for a webhook.")

    _split = field_validator("accounts", mode="before")(_as_list)


class RoomSettings(_Area):
    """Who may enter rooms, and what one connection may ask of the server."""

    open: bool = Field(
        True, description="Let people in without a token; holds on a loopback address only, for development."
    )
    capacity: int = Field(6, ge=1, le=64, description="How many people may be in a room at once.")
    consent: Annotated[list[Consentable], NoDecode] = Field(
        default=["video"],
        description="What people without `admit` must consent to in a room that names nothing else: `video`, "
        "`recording`, `captions`, `observer`.",
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

    _split = field_validator("consent", mode="before")(_as_list)
    _judge = field_validator("webhook_url")(_as_web_address)


def _as_broker(value: Secret | None) -> Secret | None:
    if value is not None and not value.reveal().startswith(("mqtt://", "mqtts://")):
        raise ValueError("expected mqtt://[user:password@]host[:port], or mqtts://…")
    return value


class MqttSettings(_Area):
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


class ServerSettings(_Area):
    """Where the server listens."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(8000, description="TCP port to listen on; 0 picks a free one.")
    session_life: Week = Field(604_800.0, description="Seconds that a browser stays logged in.")
    drain: float = Field(
        0.0,
        ge=0,
        le=300,
        description="Seconds from SIGTERM, at which `/ready` begins to answer 503, until rooms send everybody to come "
        "back later and the server ends; a load balancer has to notice in that time.",
    )


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
    database_url: SecretText | None = Field(
        None,
        description="Address of the database for what outlives the process: `sqlite:///path` or `postgresql://…`; "
        "empty: `ringlight.db` in the state directory.",
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/\s]+",
        description="Address under which browsers and Ring reach this server, such as `https://cams.example`; empty: "
        "the one that a request was made for.",
    )
    allowed_origins: TextList = Field(
        default_factory=list, description="Origins of other web pages that may use this server."
    )
    turn_url: TextList = Field(
        default_factory=list,
        description="STUN and TURN servers that browsers are told of (`turn:host:3478?transport=udp`), "
        "separated by commas.",
    )
    turn_secret: SecretText | None = Field(
        None, description="What the TURN servers share with us to make passwords (coturn: `static-auth-secret`)."
    )
    redis_url: SecretText | None = Field(
        None,
        description="Redis (`redis://…`, `rediss://…` or `unix://…`) through which several processes keep to Ring's "
        "limit together, and several servers have the same rooms.",
    )
    live_view: LiveViewSettings = LiveViewSettings()
    media: MediaSettings = MediaSettings()
    recordings: RecordingSettings = RecordingSettings()
    rtsp: RtspSettings = RtspSettings()
    players: PlayerSettings = PlayerSettings()
    cameras: CameraSettings = CameraSettings()
    partner: PartnerSettings = PartnerSettings()
    resilience: ResilienceSettings = ResilienceSettings()
    rooms: RoomSettings = RoomSettings()
    mqtt: MqttSettings = MqttSettings()
    server: ServerSettings = ServerSettings()

    _split = field_validator("allowed_origins", "turn_url", mode="before")(_as_list)

    @property
    def database(self) -> Secret:
        """The address of the database; it may hold a password."""
        return self.database_url or Secret(f"sqlite:///{self.state_dir / 'ringlight.db'}")

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
    configured = settings_class(config)
    try:
        return Settings.model_construct(**_checked(configured, options))
    except ValidationError as error:
        raise fault_error("CFG-INVALID", describe(error)[0]) from None
    except (OSError, ValueError) as error:
        raise fault_error("CFG-INVALID", f"{configured.model_config.get('toml_file')}: {error}") from error


def settings_class(config: Path | None = None) -> type[Settings]:
    """Return the settings as a class that reads this file; `None`: `ringlight.toml`, if there is one.

    Raises:
        SetupError: CFG-INVALID, there is no such file.
    """
    if config is not None and not config.is_file():
        raise fault_error("CFG-INVALID", f"there is no file {config}")
    path = config or Path("ringlight.toml")
    return type("Settings", (Settings,), {"model_config": {**Settings.model_config, "toml_file": path}})


def describe(error: ValidationError) -> list[str]:
    """Say of each setting that cannot be used which it is and why; values are left out, as they may be secrets."""
    return [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]


def _checked(configured: type[Any], options: dict[str, Any]) -> dict[str, Any]:
    values = configured(**options)
    return {name: getattr(values, name) for name in Settings.model_fields}
