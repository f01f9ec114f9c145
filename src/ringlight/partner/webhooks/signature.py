"""Who sent it, and when: the signature over the raw body, and the freshness of the time that it covers. Pure."""

import hashlib
import hmac

from ringlight.errors import fault_error
from ringlight.partner.webhooks.events import Event, parse
from ringlight.secrets import Secret

__all__ = ["HEADER", "MAX_AGE", "MAX_AHEAD", "Verifier", "signature_of"]

HEADER = "X-Signature"
MAX_AHEAD = 300.0  # seconds that Ring's clock may be ahead of ours
# The last of Ring's seven attempts comes 1 h 12 min 36 s after the first, and what it has given up is kept for 72 h
# and can be asked for until then. Whatever is refused as too old is lost, so the limit lies beyond that.
MAX_AGE = 75 * 3600.0  # seconds


class Verifier:
    """Tells Ring's deliveries from others.

    Args:
        keys: The app's HMAC signature key, as the text that the developer portal shows: it looks like Base64 and is
            not to be decoded. Several while one replaces another; any of them will do.
        max_age: Seconds after which a delivery is too old. Within them a replay is known by its `request_id`.
        max_ahead: Seconds that the signed time may lie in the future.

    Raises:
        SetupError: CFG-INVALID, there is no key or an empty one.
    """

    def __init__(self, *keys: str | Secret, max_age: float = MAX_AGE, max_ahead: float = MAX_AHEAD) -> None:
        self.use(*keys)
        self.max_age, self.max_ahead = max_age, max_ahead

    def use(self, *keys: str | Secret) -> None:
        """Use these keys from now on, in place of those before.

        Raises:
            SetupError: CFG-INVALID, there is no key or an empty one.
        """
        found = tuple(key if isinstance(key, Secret) else Secret(key) for key in keys)
        if not found or not all(key.reveal() for key in found):
            raise fault_error("CFG-INVALID", "partner.hmac_keys: a key is missing or empty")
        self._keys = found

    def verify(self, body: bytes, signature: str | None, *, now: float) -> Event:
        """Return what a delivery tells, if Ring has signed it and it is fresh.

        Args:
            body: The body as it came, byte by byte: once decoded and encoded again, no signature fits.
            signature: The field `X-Signature`; `None` where there is none.
            now: The time of day in seconds since 1970.

        Raises:
            WebhookRefused: HOOK-UNSIGNED, HOOK-SIGNATURE, HOOK-FORM, HOOK-OLD or HOOK-FUTURE.
        """
        if not signature:
            raise fault_error("HOOK-UNSIGNED")
        if not self.is_signed(body, signature):
            raise fault_error("HOOK-SIGNATURE")
        event = parse(body)
        age = now - event.time
        if age > self.max_age:
            raise fault_error("HOOK-OLD", f"{age:.0f} s old, {self.max_age:g} are allowed")
        if -age > self.max_ahead:
            raise fault_error("HOOK-FUTURE", f"{-age:.0f} s ahead, {self.max_ahead:g} are allowed")
        return event

    def is_signed(self, body: bytes, signature: str) -> bool:
        """Whether the signature is of one of the keys. Takes as long whichever it is."""
        given = signature.strip().lower().encode(errors="replace")
        fitting = 0
        for key in self._keys:
            fitting |= hmac.compare_digest(signature_of(body, key).encode(), given)
        return bool(fitting)


def signature_of(body: bytes, key: str | Secret) -> str:
    """Return what `X-Signature` has to be."""
    text = key.reveal() if isinstance(key, Secret) else key
    return "sha256=" + hmac.digest(text.encode(), body, hashlib.sha256).hex()
