"""Token files of other programs, read into what a sign-in needs. Pure.

Their forms are in observed-protocol.md#how-others-keep-tokens.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from ringlight.errors import fault_error
from ringlight.secrets import Secret

__all__ = ["LONGEST", "Imported", "parse_token_file"]

LONGEST = 1024 * 1024  # bytes; the push credentials beside a token take a few KiB
_DEEPEST = 4  # how often one form may be wrapped in another
_TOKEN_NAMES = ("refresh_token", "rt", "refreshToken", "ring_token", "token")
_ID_NAMES = ("hid", "hardware_id")
_WORD = re.compile(r"[A-Za-z0-9._~+/=-]{20,8192}")  # a bare token; Ring's are JWTs of some hundred characters
_BASE64_OBJECT = re.compile(r"(?:ey|ew)[A-Za-z0-9+/_-]+={0,2}")  # how `{"` and `{` with a line break begin


@dataclass(frozen=True, slots=True)
class Imported:
    """What a token file holds.

    Attributes:
        refresh: The refresh token, good for one renewal.
        hardware_id: The installation that it was given to, or `None` where the file does not say.
    """

    refresh: Secret
    hardware_id: str | None


def parse_token_file(content: bytes) -> Imported:
    """Read a token file in whichever known form it is.

    Known are the JSON of python-ring-doorbell (Home Assistant, ring-doorbell-recorder), the base64 of
    ring-client-api (homebridge, ring-mqtt, scrypted, go2rtc) by itself or as a value of a JSON object, and
    a bare refresh token.

    Raises:
        AuthError: AUTH-IMPORT; the detail says what is wrong, and repeats nothing of the file.
    """
    if len(content) > LONGEST:
        raise fault_error("AUTH-IMPORT", f"longer than {LONGEST} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise fault_error("AUTH-IMPORT", "not text") from None
    return _read_text(text, None, _DEEPEST)


def _read_text(text: str, hardware_id: str | None, depth: int) -> Imported:
    text = text.strip()
    if not text:
        raise fault_error("AUTH-IMPORT", "empty")
    if text[0] in '{["':
        return _read_json(_decoded(text.encode()), hardware_id, depth)
    word = "".join(text.split())  # base64 may be broken into lines
    if _BASE64_OBJECT.fullmatch(word):
        # go2rtc takes base64 that holds no JSON without a word, and goes on with an empty hardware id.
        return _read_json(_unwrapped(word), hardware_id, depth)
    if len(text.split()) > 1 or not _WORD.fullmatch(word):
        raise fault_error("AUTH-IMPORT", "neither JSON, nor base64 of JSON, nor a token")
    return Imported(Secret(word), hardware_id)


def _read_json(value: object, hardware_id: str | None, depth: int) -> Imported:
    if not depth:
        raise fault_error("AUTH-IMPORT", "wrapped too often")
    if isinstance(value, str):
        return _read_text(value, hardware_id, depth - 1)
    if not isinstance(value, dict):
        raise fault_error("AUTH-IMPORT", "the JSON is no object")
    own = _id_of(value) or hardware_id
    for name in _TOKEN_NAMES:
        inner = value.get(name)
        if isinstance(inner, (str, dict)) and inner:
            return _read_json(inner, own, depth - 1)
    raise fault_error("AUTH-IMPORT", "the JSON names no refresh token")


def _id_of(value: Mapping[str, object]) -> str | None:
    for name in _ID_NAMES:
        found = value.get(name)
        if isinstance(found, str) and re.fullmatch(r"[!-~]{1,128}", found):
            return found
    return None


def _unwrapped(word: str) -> object:
    plain = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        content = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise fault_error("AUTH-IMPORT", "cut off or damaged base64") from None
    return _decoded(content)


def _decoded(content: bytes) -> object:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise fault_error("AUTH-IMPORT", "cut off or damaged JSON") from None
