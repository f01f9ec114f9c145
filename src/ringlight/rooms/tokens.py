"""Room tokens: who may enter which room, as what, until when. Signed with the server's secret key (JWT, HS256)."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from ringlight.errors import fault_error
from ringlight.rooms.mac import Mac
from ringlight.rooms.people import ROLES, Claims
from ringlight.secrets import Secret

__all__ = ["Tokens"]

_AUDIENCE = "ringlight-room"
_HEADER = {"alg": "HS256"}
LEEWAY = 5.0  # seconds that the clocks of two servers may differ


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a room token says."""

    aud: str
    room: str
    sub: str
    role: str
    may: list[str]
    name: str
    iat: int
    exp: int


_read = msgspec.json.Decoder(_Said).decode


class Tokens:
    """Signs and checks.

    Args:
        secret: The server's secret key; the key of the tokens is derived from it and good for nothing else.
        life: Seconds that a token is good for.
    """

    def __init__(self, secret: Secret, life: float) -> None:
        # A key of its own: what signs tokens must not be what opens the API.
        derived = hmac.digest(secret.reveal().encode(errors="surrogatepass"), b"ringlight room tokens", hashlib.sha256)
        self._mac = Mac(derived)
        self._key = OctKey.import_key(derived)
        self._head = jwt.encode(_HEADER, {}, self._key).partition(".")[0] + "."
        self.life = life

    def sign(self, claims: Claims, now: float) -> Secret:
        """Return a token for these claims that begins now; their own `expires` is not looked at."""
        said = {
            "aud": _AUDIENCE, "room": claims.room, "sub": claims.person, "role": claims.role,
            "may": sorted(claims.may), "name": claims.name, "iat": int(now), "exp": int(now + self.life),
        }  # fmt: skip
        return Secret(jwt.encode(_HEADER, said, self._key))

    def check(self, token: str, now: float) -> Claims:
        """Return what a token says.

        Raises:
            UsageError: ROOM-TOKEN, it is not ours or was changed; ROOM-TOKEN-EXPIRED, not its time.
        """
        try:
            said = self._as_signed(token)
            if said is None:
                said = msgspec.convert(jwt.decode(token, self._key, algorithms=["HS256"]).claims, _Said)
        except msgspec.MsgspecError:
            raise fault_error("ROOM-TOKEN", "it has not the claims of a room token") from None
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise fault_error("ROOM-TOKEN", type(error).__name__) from None
        if said.aud != _AUDIENCE or said.role not in ROLES:
            raise fault_error("ROOM-TOKEN", "it has not the claims of a room token")
        if said.exp + LEEWAY <= now:
            raise fault_error("ROOM-TOKEN-EXPIRED", f"it ended {now - said.exp:.0f} s ago")
        # `iat` is not judged: it was signed here, and is of the future only where a clock was ahead and is right now.
        given, usual = frozenset(said.may), ROLES[said.role]
        may = usual if given == usual else given  # one set for all who have nothing else: a kilobyte less for each
        return Claims(said.room, said.sub, said.role, may, said.name, float(said.exp))

    def _as_signed(self, token: str) -> _Said | None:
        """Return what a token says that is, letter for letter, one which `sign` wrote; `None` leaves it to the library.

        Nearly all are, and then all that has to be known is whether the mark is right (RFC 7515 section 5.2, step 8).
        In a third of the time: after a restart everybody shows a token at once.
        """
        signed, _, mark = token.rpartition(".")
        if not (signed.startswith(self._head) and token.isascii()):
            return None
        right = urlsafe_b64encode(self._mac.of(signed.encode())).rstrip(b"=")
        if not hmac.compare_digest(right, mark.encode()):
            return None
        return _read(urlsafe_b64decode(signed[len(self._head) :] + "=="))
