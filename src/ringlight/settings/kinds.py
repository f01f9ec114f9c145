"""Kinds of options, and how each is read from text."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic_settings import NoDecode

from ringlight.secrets import Secret

__all__ = ["Area", "Port", "Seconds", "SecretList", "SecretText", "TextList", "Week", "as_list", "as_web_address"]

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Week = Annotated[float, Field(gt=0, le=31 * 86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]


def _as_secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    raise ValueError("expected text")


def as_list(value: object) -> object:
    """Take a list as it is, and text as its parts between commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


SecretText = Annotated[Secret, PlainValidator(_as_secret)]


def _as_secrets(value: object) -> list[Secret]:
    parts = as_list(value)
    if not isinstance(parts, list):
        raise ValueError("expected a list of texts")  # noqa: TRY004 - pydantic takes ValueError only
    return [_as_secret(part) for part in parts]


SecretList = Annotated[list[Secret], NoDecode, PlainValidator(_as_secrets)]
TextList = Annotated[list[str], NoDecode]


def as_web_address(value: Secret | None) -> Secret | None:
    """Judge an address of the web that may be a secret, as with some services it is the key."""
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


class Area(BaseModel):
    """Options that belong together."""

    model_config = ConfigDict(extra="forbid", frozen=True)
