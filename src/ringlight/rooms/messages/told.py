"""What the server says on `/ws/v2`, as types."""

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ringlight.settings import Consentable


class _Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", omit_defaults=True):
    """What the server says."""


class _Event(_Told, frozen=True, kw_only=True):
    """What happened, numbered for each person on its own; a connection that broke gets what it missed."""

    seq: int = -1


class IceServer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry for `RTCPeerConnection`'s `iceServers`."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class You(msgspec.Struct, frozen=True, kw_only=True):
    """The one who is welcomed."""

    id: str
    role: str
    may: list[str]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a page may send: bytes in a message, messages in a second and at once."""

    bytes: int
    per_s: float
    burst: int


class Consents(msgspec.Struct, frozen=True, kw_only=True):
    """What the one who is welcomed must consent to here, and to what they did."""

    needed: list[str]
    given: list[str]


class Welcome(_Told, frozen=True, kw_only=True, tag="welcome", omit_defaults=False):
    """The connection is known. `rid` is the last message of the page that was taken; later ones it sends again."""

    v: int = 2
    session: str
    resume: str
    resumed: bool
    room: str
    state: str
    you: You
    rid: int
    ping_s: float
    limits: Limits
    ice: list[IceServer]
    ice_ttl_s: float | None
    consent: Consents


class Present(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody else. `polite` is whether the one who reads this yields to them when both offer at once.

    With `camera` it is none of the people but a camera, to be watched at `/whep/{camera}`.
    """

    id: str
    role: str
    name: str = ""
    polite: bool = False
    away: bool = False
    media: dict[str, bool] = {}
    camera: str = ""
    consents: list[str] = []


class Roster(_Event, frozen=True, kw_only=True, tag="roster"):
    """You are inside: all others who are."""

    state: str
    people: list[Present]


class Waiting(_Event, frozen=True, kw_only=True, tag="waiting"):
    """You wait; `position` counts from 1."""

    position: int


class Knock(_Event, frozen=True, kw_only=True, tag="knock"):
    """Somebody waits, and you may let them in."""

    id: str
    role: str
    name: str = ""
    waited_s: int = 0
    consents: list[str] = []


class KnockGone(_Event, frozen=True, kw_only=True, tag="knock_gone"):
    """Somebody no longer waits."""

    id: str


class Joined(_Event, frozen=True, kw_only=True, tag="joined"):
    """Somebody came in; `again` if it is a person whom you know, with a new page that knows nothing."""

    person: Present
    again: bool = False


class Left(_Event, frozen=True, kw_only=True, tag="left"):
    """Somebody is not reachable; with `grace_s` a return is still awaited so long.

    `code` is the fault that ended their connection, where it was one: ROOM-SILENT or ROOM-SLOW.
    """

    id: str
    reason: str
    grace_s: float = 0.0
    code: str = ""


class Back(_Event, frozen=True, kw_only=True, tag="back"):
    """Somebody whose connection broke goes on where it stopped."""

    id: str


class Signalled(_Event, frozen=True, kw_only=True, tag="signal"):
    """A description or a candidate of somebody."""

    from_: str = msgspec.field(name="from")
    description: Raw | UnsetType = UNSET
    candidate: Raw | UnsetType = UNSET


class Chatted(_Event, frozen=True, kw_only=True, tag="chat"):
    """Words of somebody."""

    from_: str = msgspec.field(name="from")
    text: str
    id: str | None = None


class MediaState(_Event, frozen=True, kw_only=True, tag="state"):
    """Which media of somebody are on."""

    id: str
    media: dict[str, bool]


class Consented(_Event, frozen=True, kw_only=True, tag="consent"):
    """Somebody gave consent, or withdrew it."""

    id: str
    what: list[Consentable]
    given: bool


class Other(_Event, frozen=True, kw_only=True, tag="other"):
    """A message of a seed front end that has no name here, as it came."""

    from_: str = msgspec.field(name="from")
    message: Raw


class Locked(_Event, frozen=True, kw_only=True, tag="locked", omit_defaults=False):
    """The room was locked or unlocked."""

    on: bool


class Ring(_Event, frozen=True, kw_only=True, tag="ring"):
    """Somebody presses the bell of a camera in the room."""

    id: str


class Notice(_Event, frozen=True, kw_only=True, tag="notice", omit_defaults=False):
    """Something about the service itself, with its row of the catalogue; with `on` false it is over."""

    code: str
    on: bool
    message: str
    fix: str


class Ok(_Told, frozen=True, kw_only=True, tag="ok"):
    """The message `rid` was taken."""

    rid: int


class Pong(_Told, frozen=True, kw_only=True, tag="pong"):
    """The server's time, in seconds since 1970."""

    at: float


class Token(_Told, frozen=True, kw_only=True, tag="token"):
    """A new token, for the next connection; the old one ends soon."""

    token: str
    expires_s: float


class Ice(_Told, frozen=True, kw_only=True, tag="ice", omit_defaults=False):
    """New credentials, for `setConfiguration`; the old ones end soon."""

    ice: list[IceServer]
    ice_ttl_s: float | None


class Refusal(_Told, frozen=True, kw_only=True, tag="error"):
    """Something was not done, with its row of the catalogue."""

    code: str
    retry: str
    message: str
    fix: str
    help: str
    rid: int | None = None
    detail: str | None = None
    retry_after_s: float | None = None


class Bye(_Told, frozen=True, kw_only=True, tag="bye"):
    """The socket ends; `action` says what the page does next: `leave`, `resume` or `rejoin` (after `delay_s`)."""

    reason: str
    action: str
    delay_s: float = 0.0


Event = (
    Roster | Waiting | Knock | KnockGone | Joined | Left | Back | Signalled | Chatted | MediaState | Consented | Other
    | Locked | Ring | Notice
)  # fmt: skip

Told = Event | Welcome | Ok | Pong | Token | Ice | Refusal | Bye
