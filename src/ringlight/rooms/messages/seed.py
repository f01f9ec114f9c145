"""The messages of the seed's protocol, as types: what its front end sends, and what it reads."""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType


class Seed(msgspec.Struct, frozen=True):
    """A message of the seed's front end. It is passed on as it came, whatever its type."""

    type: Any = None
    offer: Raw | UnsetType = UNSET
    answer: Raw | UnsetType = UNSET
    candidate: Raw | UnsetType = UNSET


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


ToldSeed = UserJoined | UserLeft | SeedChat | SeedOffer | SeedAnswer | SeedCandidate | SeedRefusal
