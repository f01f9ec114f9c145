"""Where the Partner API is, how its addresses are made, and which of those it names are its own. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote, urljoin, urlsplit

from ringlight.errors import fault_error
from ringlight.http.flow import MAX_BODY, Request, Response
from ringlight.http.target import is_inside_by_name
from ringlight.partner.call import Call
from ringlight.resilience.operation import Operation

__all__ = ["API", "Api", "Group", "origin_of"]

T = TypeVar("T")

API = "https://api.amazonvision.com"

LONGEST = 8000  # characters; what is longer many servers refuse, and RFC 9110 section 4.1 asks for no more
_PORTS = {"https": 443, "http": 80}
_PRINTABLE = "".join(map(chr, range(33, 127)))


@dataclass(frozen=True, slots=True)
class Api:
    """The API's own origin: Ring's, or that of what stands in for it. Only there the account's token is sent.

    Attributes:
        origin: Scheme, host and port, nothing more.
    """

    origin: str = API

    def url(self, *segments: str, query: Sequence[tuple[str, str]] = ()) -> str:
        """Return the address of a path below `/v1`. Ids are opaque, so every character of theirs is encoded.

        Raises:
            UsageError: PARTNER-ARGUMENT, an id is empty or would lead to another path.
        """
        path = "/".join(_segment(segment) for segment in segments)
        asked = "&".join(f"{quote(name, safe='')}={quote(value, safe=',.:')}" for name, value in query)
        return f"{self.origin.rstrip('/')}/v1/{path}{'?' if asked else ''}{asked}"

    def own(self, address: str, base: str | None = None) -> str:
        """Resolve an address that an answer named, and return it if it belongs to the API.

        Args:
            address: Absolute or relative.
            base: What was asked when it was named; `None` for the origin.

        Raises:
            BadAnswerError: PARTNER-ORIGIN, the token may not be sent there.
        """
        whole = resolve(address, base or self.origin)
        if origin_of(whole) != origin_of(self.origin):
            raise fault_error("PARTNER-ORIGIN", f"it leads to {shown_origin(whole)}")
        return whole

    def is_own(self, address: str) -> bool:
        """Whether an absolute address belongs to the API."""
        return origin_of(address) == origin_of(self.origin)

    def is_foreign(self, address: str) -> bool:
        """Whether an address may not lead into our own network: the API is outside, and has named it elsewhere.

        What stands in for Ring in our own network, because the settings say so, may name others there.
        """
        host = urlsplit(self.origin).hostname or ""
        return not (self.is_own(address) or is_inside_by_name(host))

    def call(
        self,
        operation: Operation,
        method: str,
        url: str,
        decode: Callable[[Response], T],
        *,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_BODY,
    ) -> Call[T]:
        """Make a call with the account's token to an address of the API."""
        request = Request(
            method, url, headers=dict(headers or {}), json=json, content=content, at="partner", limit=limit
        )
        return Call(operation, request, decode)


class Group:
    """Conversations about one subject.

    Args:
        api: With whom they are held.
    """

    __slots__ = ("api",)

    def __init__(self, api: Api) -> None:
        self.api = api


def resolve(address: str, base: str) -> str:
    """Return an address whole, without its fragment, and with every character that no address has encoded."""
    try:
        whole = urljoin(base, quote(address.strip(), safe=_PRINTABLE))
    except ValueError:
        return ""
    # A relative one that adds a piece at each page would grow for ever.
    return whole.partition("#")[0] if len(whole) <= LONGEST else ""


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; `None` for what has none, and for an address with a user in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or "\\" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def shown_origin(url: str) -> str:
    """Return an address's origin for a message: neither user, path nor query, and not endless."""
    origin = origin_of(url)
    return f"{origin[0]}://{origin[1]}:{origin[2]}"[:100] if origin else "an address that is none"


def _segment(text: str) -> str:
    try:
        encoded = quote(text, safe="")
    except UnicodeEncodeError:
        encoded = ""
    if encoded in {"", ".", ".."}:  # the last two would be resolved away on the road
        raise fault_error("PARTNER-ARGUMENT", "an id is empty or is none")
    return encoded
