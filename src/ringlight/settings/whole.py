"""All options together, and their reading: `ringlight.toml`, the environment, options of the command line."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_state_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from ringlight.errors import fault_error
from ringlight.secrets import Secret
from ringlight.settings.access import OidcSettings
from ringlight.settings.calls import PartnerSettings, ResilienceSettings
from ringlight.settings.cameras import (
    CameraSettings,
    LiveViewSettings,
    MediaSettings,
    MqttSettings,
    PlayerSettings,
    RecordingSettings,
    RtspSettings,
)
from ringlight.settings.kinds import Area, Port, SecretList, SecretText, TextList, Week, as_list
from ringlight.settings.logs import LogSettings
from ringlight.settings.retention import RetentionSettings
from ringlight.settings.rooms import RoomSettings


class ServerSettings(Area):
    """Where the server listens."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(8000, description="TCP port to listen on; 0 picks a free one.")
    node_url: str | None = Field(
        None,
        pattern=r"^(https?://[^/\s?#]+)?(/[^\s?#]*)?$",
        description="With several servers over one Redis: where viewers reach this one of them, best as a path of the "
        "address that browsers use (`/node-a`), which the proxy in front leads here. Then each camera is held by one "
        "server. Empty: this server's own on a loopback address, otherwise cameras are not shared.",
    )
    alone_for: float = Field(
        600.0,
        ge=0,
        le=86_400,
        description="Seconds that a server which does not reach Redis goes on to show cameras; so long two servers may "
        "have a session with the same camera. 0: rather none than two.",
    )
    session_life: Week = Field(604_800.0, description="Seconds that a browser stays logged in.")
    trusted_proxies: TextList = Field(
        default_factory=list,
        description="Networks of proxies in front of this server, separated by commas (`127.0.0.1,10.0.0.0/8`): what "
        "they say of a caller's address and of https is believed; empty: nobody is.",
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        "x-forwarded-for",
        description="The header in which they name the caller: `x-forwarded-for` (https by `x-forwarded-proto`), or "
        "`forwarded` of RFC 7239. The other one is not read.",
    )
    drain: float = Field(
        0.0,
        ge=0,
        le=300,
        description="Seconds from SIGTERM, at which `/ready` begins to answer 503, until rooms send everybody to come "
        "back later and the server ends; a load balancer has to notice in that time.",
    )

    _split_proxies = field_validator("trusted_proxies", mode="before")(as_list)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for one in value:
            ip_network(one, strict=False)  # its ValueError names what was seen
        return value


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
    sign_in: Literal["file", "database"] = Field(
        "file",
        description="Where the sign-in of a person's Ring account is kept: `file`, in the state directory; `database`, "
        "for several servers that share it: one of them renews it for all.",
    )
    secret_key: SecretText | None = Field(
        None, description="Long random text; needed to listen on other than loopback."
    )
    secrets_key: SecretList | None = Field(
        None,
        description="Long random text that seals what is secret on the disk; several, separated by commas, while one "
        "replaces another: the first seals, all open. Empty: `secrets_key_file`.",
    )
    secrets_key_file: Path | None = Field(
        None,
        description="A file with such keys, one a line; empty: `secrets.key` in the state directory, if there is one "
        "(`ringlight secrets init` makes it).",
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
        "limit together, and several servers have the same rooms and share cameras.",
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
    retention: RetentionSettings = RetentionSettings()
    mqtt: MqttSettings = MqttSettings()
    oidc: OidcSettings = OidcSettings()
    server: ServerSettings = ServerSettings()
    log: LogSettings = LogSettings()

    _split = field_validator("allowed_origins", "turn_url", mode="before")(as_list)

    @property
    def database(self) -> Secret:
        """The address of the database; it may hold a password."""
        return self.database_url or Secret(f"sqlite:///{self.state_dir / 'ringlight.db'}")

    def take_over(self, changed: dict[str, Any]) -> None:
        """Put these values in the place of areas and settings of the same names; whoever has this object sees them.

        For the reload alone: to everybody else, settings do not change.
        """
        self.__dict__.update(changed)

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
