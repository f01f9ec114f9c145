"""The messages of both room protocols, as types. The only place that knows their shape.

What a socket brings is parsed here and trusted afterwards. Descriptions and candidates stay as they came (`Raw`): a
server has no business inside of them. Shapes and reasons: docs/reference/rooms-protocol.md.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.settings import Consentable

__all__ = ["CLOSE_CODES", "Seed", "parse", "parse_seed", "refusal", "seed_refusal"]

# How a socket ends for a fault: numbers of the private range (RFC 6455 section 7.4.2), near the HTTP status. The reason
# is the fault's code.
CLOSE_CODES = {
    fault.code: seen.number for fault in FAULTS.values() for seen in fault.seen if seen.at == "room" and seen.number
}

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Words = Annotated[str, Meta(max_length=4000)]
Name = Annotated[str, Meta(max_length=80)]
Number = Annotated[int, Meta(ge=0, lt=2**53)]
Milliseconds = Annotated[float, Meta(ge=0, le=3_600_000)]


class _Heard(msgspec.Struct, frozen=True, kw_only=True, tag_field="t"):
    """What a page sends. `rid` grows by each message that is to be answered with `ok` or `error`, and to count once."""

    rid: Annotated[int, Meta(ge=1, lt=2**53)] | None = None


class Hello(_Heard, frozen=True, kw_only=True, tag="hello"):
    """The first message. With `session` and `resume` a connection that broke goes on after event `seq`.

    Without a token (open mode) `room`, `role` and `name` say who comes where.
    """

    v: int
    token: Annotated[str, Meta(max_length=4096)] | None = None
    room: Annotated[str, Meta(max_length=200)] | None = None
    role: Id | None = None
    name: Name = ""
    session: Id | None = None
    resume: Annotated[str, Meta(max_length=200)] | None = None
    seq: Number = 0
    features: list[Id] = []
    client: Name = ""


class Signal(_Heard, frozen=True, kw_only=True, tag="signal"):
    """A description or a candidate for one person; without `to`, for all others and for who comes next."""

    to: Id | None = None
    description: Raw | UnsetType = UNSET
    candidate: Raw | UnsetType = UNSET


class Chat(_Heard, frozen=True, kw_only=True, tag="chat"):
    """Words for all others, or for one. `id` is the page's own, so that words which come another way too count once."""

    text: Words
    to: Id | None = None
    id: Id | None = None


class State(_Heard, frozen=True, kw_only=True, tag="state"):
    """Which of the sender's own media are on; the others are told."""

    audio: bool | None = None
    video: bool | None = None
    screen: bool | None = None


class Admit(_Heard, frozen=True, kw_only=True, tag="admit"):
    """Let one who waits in; without `id`, all."""

    id: Id | None = None


class Deny(_Heard, frozen=True, kw_only=True, tag="deny"):
    """Send one who waits away, with a reason in words."""

    id: Id
    reason: Name = ""


class SendBack(_Heard, frozen=True, kw_only=True, tag="send_back"):
    """Send one who is inside back to wait."""

    id: Id


class Lock(_Heard, frozen=True, kw_only=True, tag="lock"):
    """Let nobody new knock, or let them again."""

    on: bool


class End(_Heard, frozen=True, kw_only=True, tag="end"):
    """End the visit for all."""


class Leave(_Heard, frozen=True, kw_only=True, tag="bye"):
    """Leave for good: nobody has to wait for a return."""


class Ping(_Heard, frozen=True, kw_only=True, tag="ping"):
    """Ask for a `pong`; also the sign of life."""


class Consent(_Heard, frozen=True, kw_only=True, tag="consent"):
    """Give consent to something, or withdraw it; also while waiting."""

    what: Annotated[list[Consentable], Meta(min_length=1, max_length=8)]
    given: bool


class Quality(_Heard, frozen=True, kw_only=True, tag="quality"):
    """How the call is, in a word, as the page judges it; the others are not told.

    `loss` is 0 to 1. `connected_ms` is sent once for each person: from being let in to the first picture or sound.
    """

    words: Id
    loss: Annotated[float, Meta(ge=0, le=1)] | None = None
    rtt_ms: Milliseconds | None = None
    connected_ms: Milliseconds | None = None


Heard = (
    Hello | Signal | Chat | State | Admit | Deny | SendBack | Lock | End | Leave | Ping | Consent | Quality
)  # fmt: skip


class Seed(msgspec.Struct, frozen=True):
    """A message of the seed's front end. It is passed on as it came, whatever its type."""

    type: Any = None
    offer: Raw | UnsetType = UNSET
    answer: Raw | UnsetType = UNSET
    candidate: Raw | UnsetType = UNSET


class Description(msgspec.Struct, frozen=True):
    """As much of a description as a room must know: whether it asks or answers."""

    type: str


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
    """Somebody is not reachable; with `grace_s` a return is still awaited so long."""

    id: str
    reason: str
    grace_s: float = 0.0


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


class UserJoined(msgspec.Struct, frozen=True, tag_field="type", tag="user-joined"):
    """The seed's only message of its own. Exactly these fields."""

    user_type: str = msgspec.field(name="userType")
    total_users: int = msgspec.field(name="totalUsers")


class UserLeft(msgspec.Struct, frozen=True, tag_field="type", tag="user-left"):
    """Ours; the seed's front end ignores what it does not know."""

    user_type: str = msgspec.field(name="userType")
    total_users: int = msgspec.field(name="totalUsers")


class SeedChat(msgspec.Struct, frozen=True, tag_field="type", tag="chat"):
    """Words of somebody, for pages of the seed's kind."""

    user_type: str = msgspec.field(name="userType")
    text: str


class SeedOffer(msgspec.Struct, frozen=True, tag_field="type", tag="offer"):
    """A description of a page of the new kind, as the seed's front end reads it."""

    offer: Raw


class SeedAnswer(msgspec.Struct, frozen=True, tag_field="type", tag="answer"):
    """The same for an answer."""

    answer: Raw


class SeedCandidate(msgspec.Struct, frozen=True, tag_field="type", tag="ice-candidate"):
    """The same for a candidate; `null` ends them."""

    candidate: Raw


class SeedRefusal(msgspec.Struct, frozen=True, tag_field="type", tag="error", omit_defaults=True):
    """A refusal for pages of the seed's kind."""

    code: str
    message: str
    fix: str
    retry: str
    help: str
    detail: str | None = None


Told = Event | Welcome | Ok | Pong | Token | Ice | Refusal | Bye
ToldSeed = UserJoined | UserLeft | SeedChat | SeedOffer | SeedAnswer | SeedCandidate | SeedRefusal

encode = msgspec.json.Encoder().encode
_parse: Callable[[bytes], Heard] = msgspec.json.Decoder(Heard).decode
_parse_told: Callable[[bytes], Told] = msgspec.json.Decoder(Told).decode
_parse_told_seed: Callable[[bytes], ToldSeed] = msgspec.json.Decoder(ToldSeed).decode
_parse_seed = msgspec.json.Decoder(Seed).decode
_parse_description = msgspec.json.Decoder(Description).decode


def parse(frame: bytes) -> Heard:
    """Return the message of a `/ws/v2` frame.

    Raises:
        UsageError: ROOM-MESSAGE, saying where.
    """
    try:
        if not frame.isascii():  # which most are, and which is seen at once
            frame.decode()  # what is passed on as it came is never looked into, and must be text
        return _parse(frame)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _unreadable(error) from None


def parse_seed(frame: bytes) -> Seed:
    """Return what a room must know of a frame of the seed's front end.

    Raises:
        UsageError: ROOM-MESSAGE, the frame is no JSON object.
    """
    try:
        if not frame.isascii():
            frame.decode()
        return _parse_seed(frame)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _unreadable(error) from None


def parse_told(frame: bytes) -> Told:
    """Return what a server says on `/ws/v2`, as a page or a judge reads it.

    Raises:
        UsageError: ROOM-MESSAGE, saying where.
    """
    try:
        return _parse_told(frame)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _unreadable(error) from None


def parse_told_seed(frame: bytes) -> ToldSeed:
    """Return what comes to a page at the old address: words of the server, or of another page. Raises as above."""
    try:
        return _parse_told_seed(frame)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _unreadable(error) from None


def kind_of(description: Raw) -> str:
    """Return `offer`, `answer` or what else a description calls itself.

    Raises:
        UsageError: ROOM-MESSAGE, it is no description.
    """
    try:
        return _parse_description(description).type
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> RingError:
    if isinstance(error, msgspec.ValidationError):
        return fault_error("ROOM-MESSAGE", str(error)[:200])
    if isinstance(error, RecursionError):
        return fault_error("ROOM-MESSAGE", "nested too deeply")
    return fault_error("ROOM-MESSAGE", "not JSON in UTF-8")


def refusal(error: RingError, rid: int | None = None) -> bytes:
    """Return the frame that tells a page of the new kind of a fault."""
    fault = FAULTS[error.code]
    return encode(
        Refusal(
            code=fault.code, retry=fault.retry.value, message=fault.cause, fix=fault.fix,
            help=fault.page, rid=rid, detail=error.detail, retry_after_s=error.retry_after,
        )
    )  # fmt: skip


def seed_refusal(error: RingError) -> bytes:
    """Return the frame that tells a page of the seed's kind of a fault."""
    fault = FAULTS[error.code]
    return encode(SeedRefusal(fault.code, fault.cause, fault.fix, fault.retry.value, fault.page, error.detail))
