"""The marks of tokens and of the audit (HMAC-SHA256, RFC 2104)."""

import hashlib
import hmac

__all__ = ["Mac"]


class Mac:
    """Marks with one key. To begin with the key is half of the work for a short text, and is done once.

    Args:
        key: Its bytes.
    """

    __slots__ = ("_begun",)

    def __init__(self, key: bytes) -> None:
        self._begun = hmac.new(key, digestmod=hashlib.sha256)

    def of(self, text: bytes) -> bytes:
        """Return the 32 bytes of a text's mark."""
        mac = self._begun.copy()
        mac.update(text)
        return mac.digest()
