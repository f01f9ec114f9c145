"""The secret key of a server that was given none: made at its first start, and the same ever after."""

import secrets
from pathlib import Path

from ringlight.secrets import Secret
from ringlight.store.private_file import PrivateFile
from ringlight.store.sealing import Seal

__all__ = ["own_key"]

LOCK_PATIENCE = 10.0  # seconds


def own_key(state_dir: Path, seal: Seal | None = None) -> Secret:
    """Return the key, from a file that only its owner may read.

    Raises:
        SetupError: CFG-STATE-DIR.
    """
    file = PrivateFile(state_dir / "secret-key", seal)
    found = file.read(_parse)
    if found is None:
        with file.lock(LOCK_PATIENCE):
            found = file.read(_parse)
            if found is None:
                made = Secret(secrets.token_urlsafe(32))
                file.write(lambda: made.reveal().encode())
                found = made
    return found


def _parse(content: bytes) -> Secret:
    text = content.decode("ascii").strip()
    if len(text) < 32:
        raise ValueError("the key is too short")
    return Secret(text)
