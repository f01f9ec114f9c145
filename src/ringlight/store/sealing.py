"""Secrets as they lie on the disk: sealed with AES-256-GCM, by a key that the settings name or a file has.

A sealed value says which key it needs, so that two are in use while one replaces the other; and its place is part of
what is authenticated, so that a value cannot be put in another's place. What was written before there was a key is
read as it is, and sealed when it is written again, or by `ringlight secrets rotate`.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ringlight.errors import RingError, fault_error
from ringlight.secrets import Secret

if TYPE_CHECKING:
    from ringlight.settings import Settings

__all__ = ["KEY_FILE", "Seal", "is_sealed", "key_file", "keys_in", "seal_of", "unsealed"]

KEY_FILE = "secrets.key"
SHORTEST = 32  # characters of a key
_BEGINS = "sealed:1:"
_NONCE = 12  # bytes


def is_sealed(kept: str) -> bool:
    """Whether a value is sealed."""
    return kept.startswith(_BEGINS)


class Seal:
    """Seals and opens.

    Args:
        keys: The first seals, all open.
        again: Reads the keys anew, for a value whose key is not known: another process may have changed them.

    Raises:
        SetupError: CFG-SECRETS-KEY, there is none, or one is too short.
    """

    def __init__(self, keys: Sequence[Secret], again: Callable[[], Sequence[Secret]] | None = None) -> None:
        self._again = again
        self._keys = _derived(keys)
        self.current = next(iter(self._keys))

    def __repr__(self) -> str:
        return f"Seal({self.current!r})"

    def close(self, text: str, place: str) -> str:
        """Return a text as it is kept in a place."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only who has a key pays for it

        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self._keys[self.current]).encrypt(nonce, text.encode(errors="surrogatepass"), place.encode())
        return f"{_BEGINS}{self.current}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, kept: str, place: str) -> str:
        """Return the text that is kept in a place; one that is not sealed is returned as it is.

        Raises:
            SetupError: STORE-SEALED, by another key, for another place, or changed.
        """
        if not is_sealed(kept):
            return kept
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

        name, _, encoded = kept.removeprefix(_BEGINS).partition(":")
        key = self._keys.get(name)
        if key is None and self._again is not None:
            self._keys = _derived(self._again()) | self._keys
            key = self._keys.get(name)
        if key is None:
            raise fault_error("STORE-SEALED", f"{place} needs the key {name[:16]}, known are {', '.join(self._keys)}")
        try:
            raw = base64.urlsafe_b64decode(encoded)
            return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], place.encode()).decode(errors="surrogatepass")
        except (InvalidTag, ValueError):
            raise fault_error("STORE-SEALED", f"{place} was changed, or is another place's") from None

    def needs_closing(self, kept: str) -> bool:
        """Whether a value is not sealed by the first key."""
        return not kept.startswith(f"{_BEGINS}{self.current}:")


def unsealed(kept: str, place: str) -> str:
    """Return a value where there is no key.

    Raises:
        SetupError: STORE-SEALED.
    """
    if is_sealed(kept):
        raise fault_error("STORE-SEALED", f"{place} needs the key {kept.removeprefix(_BEGINS)[:16].partition(':')[0]}")
    return kept


def key_file(settings: "Settings") -> Path:
    """Return where the file with the keys is, or would be."""
    return settings.secrets_key_file or settings.state_dir / KEY_FILE


def keys_in(path: Path) -> list[Secret]:
    """Return the keys of a file: a line each, the one that seals first.

    Raises:
        SetupError: CFG-SECRETS-KEY.
    """
    try:
        lines = path.read_text("ascii").split()
    except (OSError, UnicodeError) as error:
        raise _unusable(f"{path}: {type(error).__name__}") from None
    return [Secret(line) for line in lines]


def seal_of(settings: "Settings") -> Seal | None:
    """Return what seals, as the settings say; `None` where nothing is to be sealed.

    Raises:
        SetupError: CFG-SECRETS-KEY.
    """
    if settings.secrets_key:
        return Seal(settings.secrets_key)
    path = key_file(settings)
    try:
        if settings.secrets_key_file is None and not path.exists():
            return None
    except OSError as error:
        raise _unusable(f"{path}: {type(error).__name__}") from None
    return Seal(keys_in(path), lambda: keys_in(path))


def _derived(keys: Sequence[Secret]) -> dict[str, bytes]:
    if not keys:
        raise _unusable("there is none")
    found = {}
    for key in keys:
        text = key.reveal().encode(errors="surrogatepass")
        if len(text) < SHORTEST:
            raise _unusable(f"one has {len(text)} characters, at least {SHORTEST} are needed")
        derived = hmac.digest(text, b"ringlight secrets at rest", hashlib.sha256)
        found[hashlib.sha256(b"name of " + derived).hexdigest()[:8]] = derived
    return found


def _unusable(why: str) -> RingError:
    return fault_error("CFG-SECRETS-KEY", why)
