"""What a player shows of a key: Basic and Digest. Pure (RFC 7617, RFC 7616).

The nonce is of one connection, so an answer that somebody overheard is worth nothing on another.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from ringlight.secrets import Secret
from ringlight.server.shown import shown_key

REALM = "Ringlight"
_FIELD = re.compile(r'(?<!\w)(\w++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,]++))')
_LONGEST = 2048  # characters of an Authorization field; players send some three hundred


def challenges(nonce: str) -> tuple[str, ...]:
    """Return the values of WWW-Authenticate, each for a line of its own.

    MD5 is all that players of RTSP know; they take the last Digest that is offered, whether they can or not.
    """
    return f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5', f'Basic realm="{REALM}"'


@dataclass(frozen=True, slots=True)
class Answer:
    """A player's answer in Digest: it proves a key without showing it.

    Attributes:
        user: Whom it names.
        asked: What the answer is made of beside the key: nonce, what Digest adds to it, and the request.
        response: The answer itself.
    """

    user: str
    asked: tuple[str, ...] = field(repr=False)
    response: str = field(repr=False)

    def proves(self, digest: Secret) -> bool:
        """Whether it was made with this; `digest_of` makes it of a key."""
        expected = _md5(digest.reveal(), *self.asked)
        return hmac.compare_digest(expected.encode(), self.response.encode(errors="replace"))


def digest_of(user: str, key: Secret) -> Secret:
    """Return what Digest is worked out from: H(A1) of RFC 7616 section 3.4.2, by MD5."""
    return Secret(_md5(user, REALM, key.reveal()))


def read(header: str, nonce: str, method: str) -> Secret | Answer | None:
    """Return what an Authorization header shows: a key (Basic, Bearer), an answer to our nonce, or neither."""
    scheme, _, rest = header.strip().partition(" ")
    return _answer(nonce, method, rest) if scheme.lower() == "digest" else shown_key(header.strip())


def _answer(nonce: str, method: str, fields: str) -> Answer | None:
    named = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(fields[:_LONGEST])}
    if named.get("algorithm", "MD5").upper() != "MD5" or named.get("nonce") != nonce or named.get("realm") != REALM:
        return None
    request = _md5(method, named.get("uri", ""))
    match named.get("qop"):
        case None:
            asked: tuple[str, ...] = (nonce, request)
        case "auth":
            asked = (nonce, named.get("nc", ""), named.get("cnonce", ""), "auth", request)
        case _:
            return None
    return Answer(named.get("username", ""), asked, named.get("response", "").lower())


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()
