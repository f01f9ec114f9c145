"""Whether a player knows the key: Basic and Digest. Pure (RFC 7617, RFC 7616).

The nonce is of one connection, so an answer that somebody overheard is worth nothing on another.
"""

import base64
import hashlib
import hmac
import re

REALM = "Ringlight"
_FIELD = re.compile(r'(?<!\w)(\w++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,]++))')
_LONGEST = 2048  # characters of an Authorization field; players send some three hundred


def challenges(nonce: str) -> tuple[str, ...]:
    """Return the values of WWW-Authenticate, each for a line of its own.

    MD5 is all that players of RTSP know; they take the last Digest that is offered, whether they can or not.
    """
    return f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5', f'Basic realm="{REALM}"'


def knows(key: str, nonce: str, method: str, header: str) -> bool:
    """Whether an Authorization header proves the key; the user's name may be any."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "basic":
        return _basic(key, rest.strip())
    if scheme.lower() == "digest":
        return _digest(key, nonce, method, rest)
    if scheme.lower() == "bearer":  # as our other addresses take it
        return hmac.compare_digest(rest.strip().encode(), key.encode())
    return False


def _basic(key: str, encoded: str) -> bool:
    try:
        given = base64.b64decode(encoded, validate=True).partition(b":")[2]
    except ValueError:
        return False
    return hmac.compare_digest(given, key.encode())


def _digest(key: str, nonce: str, method: str, fields: str) -> bool:
    named = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(fields[:_LONGEST])}
    if named.get("algorithm", "MD5").upper() != "MD5" or named.get("nonce") != nonce or named.get("realm") != REALM:
        return False

    def digest(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    secret = digest(named.get("username", ""), REALM, key)
    asked = digest(method, named.get("uri", ""))
    if named.get("qop") == "auth":
        expected = digest(secret, nonce, named.get("nc", ""), named.get("cnonce", ""), "auth", asked)
    elif "qop" in named:
        return False
    else:
        expected = digest(secret, nonce, asked)
    return hmac.compare_digest(expected.encode(), named.get("response", "").lower().encode())
