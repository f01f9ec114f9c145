"""What a request shows of a key. Pure (RFC 6750, RFC 7617)."""

import base64
from typing import Final

from ringlight.secrets import Secret

__all__ = ["KEY_BEGINS", "shown_key"]

KEY_BEGINS: Final = "rlk_"  # so that a key is known for one where it turns up


def shown_key(header: str) -> Secret | None:
    """Return the key in an Authorization header, as Bearer or as Basic password; `None` where there is none."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() == "basic":  # what video players and scripts send for `user:password@`
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:  # no base64, or no text in it
            return None
    elif scheme.lower() != "bearer":
        return None
    return Secret(given) if given else None
