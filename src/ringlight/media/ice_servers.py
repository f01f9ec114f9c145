"""STUN and TURN servers: as `Link` header fields name them (RFC 9725 section 4.6), and names for coturn. Pure."""

import base64
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from ringlight.secrets import Secret

__all__ = ["IceServer", "lent", "read_links", "read_url"]

MOST = 8  # servers that are asked
_LINK = re.compile(r"<([^<>]{1,2000})>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]+))?)*)")
_PARAMETER = re.compile(r";\s*([\w*-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]+))")
_ADDRESS = re.compile(
    r"(stuns?|turns?):(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:/?#@\s]+))(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?"
)


@dataclass(frozen=True, slots=True)
class IceServer:
    """One server.

    Attributes:
        kind: What it does.
        host: Name or address.
        port: 1 to 65535.
        transport: How it is asked.
        tls: Whether it is asked over TLS.
        username: For TURN; `None` where there is none.
        credential: The same.
    """

    kind: Literal["stun", "turn"]
    host: str
    port: int
    transport: Literal["udp", "tcp"] = "udp"
    tls: bool = False
    username: str | None = None
    credential: Secret | None = field(default=None, repr=False)


def read_links(value: str) -> tuple[IceServer, ...]:
    """Read the servers out of a `Link` field; what is of another kind, or cannot be used, is left out.

    TURN without name and password is of no use; STUN is asked over UDP alone.
    """
    return tuple(_servers(value))[:MOST]


def _servers(value: str) -> Iterator[IceServer]:
    for address, rest in _LINK.findall(value):
        given = {
            name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in _PARAMETER.findall(rest)
        }
        server = read_url(address.strip())
        if server is None or "ice-server" not in given.get("rel", "").lower().split():
            continue
        if server.kind == "stun" and not server.tls:
            yield server
        elif server.kind == "turn" and given.get("username") and given.get("credential"):
            yield replace(server, username=given["username"], credential=Secret(given["credential"]))


def read_url(url: str) -> IceServer | None:
    """Read the address of a server (RFC 7064, RFC 7065); `None` for what is none."""
    found = _ADDRESS.fullmatch(url)
    if found is None:
        return None
    scheme, six, name, port, transport = found.groups()
    tls = scheme.endswith("s")
    number = int(port or (5349 if tls else 3478))
    if not 0 < number < 65536:
        return None
    way: Literal["udp", "tcp"] = "tcp" if tls or (transport == "tcp" and scheme == "turn") else "udp"
    return IceServer("stun" if scheme.startswith("stun") else "turn", six or name, number, way, tls)


def lent(secret: Secret, person: str, until: float) -> tuple[str, str]:
    """Return a user name for a TURN server and its password, good until a time.

    The server and we share a secret, and nothing else: the name says until when it is good, the password is its HMAC
    (what coturn calls `use-auth-secret`). SHA-1 is what that computes; as an HMAC it is not broken.

    Args:
        secret: Shared with the server.
        person: Who gets it, for the server's log.
        until: Seconds since 1970.
    """
    name = f"{int(until)}:{person}"
    digest = hmac.digest(secret.reveal().encode(errors="surrogatepass"), name.encode(), "sha1")
    return name, base64.b64encode(digest).decode()
