"""Options of the Partner API: the app, its webhooks, and how calls survive."""

from pydantic import Field, field_validator

from ringlight.settings.kinds import Area, Seconds, SecretList, SecretText, TextList, Week, as_list


class ResilienceSettings(Area):
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


class PartnerSettings(Area):
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

    _split = field_validator("accounts", mode="before")(as_list)
