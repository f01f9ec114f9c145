"""What the probes bring home, as types. No judgement is in it, and no secret. Pure."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from ringlight.doctor.proc_net import Listener
from ringlight.errors import RingError

__all__ = [
    "Address",
    "Answered",
    "Delivered",
    "Dialed",
    "Named",
    "Outcome",
    "Relayed",
    "Secured",
    "Upgraded",
    "read_target",
]

Outcome: TypeAlias = Literal["open", "refused", "swallowed", "no-route", "forbidden"]
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """An address that somebody gave, in its parts.

    Attributes:
        text: As it was given, without user, password and query: these may be secret.
        scheme: `http`, `https`, `ws` or `wss`; what else it says stays as it is.
        host: Empty where there is none.
        port: 0 where it is no number.
        path: Of the URL.
        token: The room token of the query; empty without one.
    """

    text: str
    scheme: str
    host: str
    port: int
    path: str
    token: str = field(default="", repr=False)

    @property
    def is_secure(self) -> bool:
        """Whether it is spoken to by TLS."""
        return self.scheme in ("https", "wss")

    @property
    def is_socket(self) -> bool:
        """Whether a WebSocket is wanted."""
        return self.scheme in ("ws", "wss")

    @property
    def netloc(self) -> str:
        """Host and port, as a Host field has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The address of the server for plain requests."""
        return f"{'https' if self.is_secure else 'http'}://{self.netloc}"


def read_target(url: str) -> Address:
    """Take an address apart. Never raises: what is wrong with it is judged elsewhere."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return Address(url.partition("?")[0][:200], url.partition(":")[0], "", 0, "")
    scheme = parts.scheme.lower()
    given = {name: value for name, _, value in (pair.partition("=") for pair in parts.query.split("&"))}
    host = parts.hostname or ""
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    number = _PORTS.get(scheme, 0) if port is None else port
    return Address(shown[:200], scheme, host, number, parts.path, given.get("token", ""))


@dataclass(frozen=True, slots=True)
class Named:
    """A name was looked up; `addresses` is empty where it is not known.

    Attributes:
        answered: Whether any DNS server answered, within the time that it gets.
    """

    host: str
    addresses: tuple[str, ...] = ()
    answered: bool = True

    @property
    def why_not(self) -> str:
        """Why there is no address, where there is none."""
        if not self.answered:
            return f"no DNS server has told where {self.host} is"
        return f"the name {self.host} is not known"


@dataclass(frozen=True, slots=True)
class Dialed:
    """A TCP connection was tried.

    Attributes:
        outcome: `open`; `refused` by the machine; `swallowed`, when nothing came back; `no-route`; `forbidden` here.
        seconds: How long it took.
        is_ours: Whether the host is this machine.
        listeners: Who listens on the port, where the host is this machine; `None` where that cannot be told.
        tried: The addresses.
    """

    outcome: Outcome
    seconds: float = 0.0
    is_ours: bool = False
    listeners: tuple[Listener, ...] | None = None
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secured:
    """A TLS handshake was tried, with all that a browser checks.

    Attributes:
        outcome: `trusted`, or what is wrong with the certificate; `plain` where the other side speaks no TLS.
        names: Those that the certificate holds.
        since: From when it is good, in seconds since 1970; `None` where it was not read.
        until: Until when.
        issuer: Who signed it.
        why: What else the TLS library said.
    """

    outcome: Literal["trusted", "name", "expired", "issuer", "plain", "failed"]
    names: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    issuer: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A plain HTTP request was sent.

    Attributes:
        status: `None` where no answer came.
        media_type: Of the answer.
        server: What it calls itself.
        code: A fault that the body names, as Ringlight's do.
        is_ringlight: Whether the answer is one of a Ringlight server.
        allowed_origin: `Access-Control-Allow-Origin`.
        error: Why there was no answer.
        speaks_tls: Whether the port wants TLS although the address says otherwise; asked only after an error.
    """

    status: int | None
    media_type: str = ""
    server: str = ""
    code: str = ""
    is_ringlight: bool = False
    allowed_origin: str = ""
    error: RingError | None = None
    speaks_tls: bool = False


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A WebSocket was asked for, and listened to for a moment.

    Attributes:
        status: Of the answer; 101 where it opened, `None` where none came in time.
        server: What the answer calls its server.
        via: What the answer says of proxies.
        without_origin: The status without an Origin, where one was sent and refused; else `None`.
        close_code: With which it was closed within a moment; `None` where it stayed open. 1006: without a close frame.
        close_reason: What came with it.
        heard: A fault that a frame named.
        error: Why nothing of it came about.
    """

    status: int | None
    server: str = ""
    via: str = ""
    without_origin: int | None = None
    close_code: int | None = None
    close_reason: str = ""
    heard: str = ""
    error: RingError | None = None


@dataclass(frozen=True, slots=True)
class Relayed:
    """A STUN or TURN server was asked.

    Attributes:
        url: Its address, as the settings have it.
        mapped: Ours, as it sees it; `None` where it does not say.
        relayed: What a TURN server lends.
        refused: The number of its error; `None` without one, 0 for an answer that cannot be read.
        reason: Its words.
        why: Why no answer came, or no packet through what it lends.
        passed: Whether a packet of ours came through what it lends, and one back; `None` where that could not be tried.
    """

    url: str
    mapped: tuple[str, int] | None = None
    relayed: tuple[str, int] | None = None
    refused: int | None = None
    reason: str = ""
    why: str = ""
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery was sent to a webhook receiver.

    Attributes:
        url: Where to.
        signed: Whether it was signed, so that it should be taken.
        status: `None` where no answer came in time.
        seconds: How long it took.
    """

    url: str
    signed: bool
    status: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Viewed:
    """A live view was opened for a moment, as anybody does who watches.

    Attributes:
        error: Why it did not open, or broke off.
        picture: Bytes of the first whole picture; 0 without one.
        first_packet: Milliseconds to the first packet; `None` without one.
        notes: What the view noted, with the fault that it got over.
        complaints: Of the messages that we sent: the method, the fault, and what is wrong with it.
        sent: How many messages those were.
        seconds: For how long it ran.
    """

    error: RingError | None = None
    picture: int = 0
    first_packet: float | None = None
    notes: tuple[tuple[str, str], ...] = ()
    complaints: tuple[tuple[str, str, str], ...] = ()
    sent: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Called:
    """The Partner API was called for the list of devices.

    Attributes:
        error: Why it gave none.
        alone: Whether the token is an access token alone, which nothing renews.
        devices: Name of each device, and whether it is online; `None` where that is not known.
        limit: Calls that are allowed in a second, as the answer says.
        remaining: How many of them are left.
        ours: How many calls this run had made by then.
        others: Programs of this machine that speak with the same host.
    """

    error: RingError | None = None
    alone: bool = False
    devices: tuple[tuple[str, bool | None], ...] = ()
    limit: int | None = None
    remaining: int | None = None
    ours: int = 0
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the app and its links.

    Attributes:
        accounts: How many linked accounts the store has.
        expires_in: Seconds until the access token ends; below 0 it has ended; `None` where there is none.
        unused: Seconds since the pair was given; `None` where there is none.
        is_refresh: Whether what is set as access token is a refresh token of the store.
        error: Why the store could not be read.
        where: The store and the account that are used for calls; `None` uses what the settings have.
    """

    accounts: int = 0
    expires_in: float | None = None
    unused: float | None = None
    is_refresh: bool = False
    error: RingError | None = None
    where: tuple[str | Path, str] | None = field(default=None, repr=False)
