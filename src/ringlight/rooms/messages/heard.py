"""What a page of `/ws/v2` sends, as types."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from ringlight.settings import Consentable

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Words = Annotated[str, Meta(max_length=4000)]
Name = Annotated[str, Meta(max_length=80)]
Number = Annotated[int, Meta(ge=0, lt=2**53)]
Milliseconds = Annotated[float, Meta(ge=0, le=3_600_000)]


class _Heard(msgspec.Struct, frozen=True, kw_only=True, tag_field="t"):
    """What a page sends. `rid` grows by each message that is to be answered with `ok` or `error`, and to count once.

    `seen` is the `seq` of the last event that the page has taken: nothing up to there has to be kept for it any more.
    """

    rid: Annotated[int, Meta(ge=1, lt=2**53)] | None = None
    seen: Number | None = None


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
