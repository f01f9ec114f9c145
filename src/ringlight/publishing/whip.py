"""The requests of a WHIP client, as flows. Pure (RFC 9725)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, urljoin, urlsplit

from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Flow, Request, Response
from ringlight.http.target import is_inside_by_name
from ringlight.media.ice_servers import IceServer, read_links
from ringlight.resilience.retry_after import retry_after
from ringlight.secrets import Secret

__all__ = ["Place", "Session", "end", "knock", "publish", "trickle"]

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
REDIRECTS = 5
MAX_ANSWER = 256 * 1024  # bytes
GOODBYE_WITHIN = 3.0  # seconds for the DELETE: who does not answer it will notice that nothing comes any more
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """An address, and the token for it. The address is a secret too: with some services it is the only key.

    Attributes:
        url: Of http or https.
        token: Goes to the origin that it was given for, and nowhere else; `None` where there is none.
        foreign: Whether a server outside has named it, so that it may not lead into our network.
    """

    url: Secret
    token: Secret | None = None
    foreign: bool = False

    @property
    def host(self) -> str:
        """Its host, with the port if one is named; all of it that may be shown."""
        return urlsplit(self.url.reveal()).netloc.rpartition("@")[2]

    def led_to(self, target: str) -> "Place":
        """Return the place that an answer from here names, relative or not.

        Raises:
            MediaError: PUBLISH-REFUSED where it may not be followed: out of TLS, to something else than the web, or
                from outside into this machine or network.
        """
        here = urlsplit(self.url.reveal())
        try:
            url = urljoin(self.url.reveal(), target)
            there = urlsplit(url)
            _ = there.port  # judged on reading only
        except ValueError:
            raise fault_error("PUBLISH-REFUSED", "it led to something that is no address") from None
        if there.scheme not in _PORTS or not there.hostname or there.username is not None:
            raise fault_error("PUBLISH-REFUSED", "it led to something that is no web address")
        if (here.scheme, there.scheme) == ("https", "http"):
            raise fault_error("PUBLISH-REFUSED", "it led from https to http")
        same = _origin(here) == _origin(there)
        # From one machine of our own network to the next is no way in.
        foreign = self.foreign or not (same or is_inside_by_name(here.hostname or ""))
        if foreign and is_inside_by_name(there.hostname):  # by its address it is judged when it is asked
            raise fault_error("PUBLISH-REFUSED", "it led into this machine's own network")
        return Place(Secret(url), self.token if same else None, foreign)


@dataclass(frozen=True, slots=True)
class Session:
    """A publication that the server has taken.

    Attributes:
        place: Its address.
        answer: The server's session description.
        etag: Names the version of its ICE session; `None` where it takes no more addresses.
        servers: STUN and TURN that the server lends us.
    """

    place: Place
    answer: str = field(repr=False)
    etag: str | None = None
    servers: tuple[IceServer, ...] = ()


def knock(place: Place) -> Flow[None]:
    """Ask whether the server is there, before a camera is woken for it. What it answers counts only where it is down.

    Raises:
        MediaError: PUBLISH-BUSY.
        NetworkError: What the driver raises.
    """
    place, answer = yield from _ask(place, "OPTIONS", None, {})
    if answer.status in (502, 503, 504):
        raise _refusal(place, answer)


def publish(place: Place, offer: str) -> Flow[Session]:
    """Offer a camera.

    Raises:
        MediaError: PUBLISH-TOKEN, PUBLISH-GONE, PUBLISH-BUSY, PUBLISH-REFUSED or PUBLISH-ANSWER.
        NetworkError: What the driver raises.
    """
    place, answer = yield from _ask(place, "POST", offer, {"Content-Type": SDP, "Accept": SDP})
    if answer.status != 201:
        raise _refusal(place, answer)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != SDP:
        raise fault_error("PUBLISH-ANSWER", f"{place.host}: Content-Type is {kind[:40] or 'missing'}; expected {SDP}")
    location = answer.headers.get("location")
    if not location:
        raise fault_error("PUBLISH-ANSWER", f"{place.host}: there is no Location of the session")
    etag = answer.headers.get("etag", "")
    strong = etag if etag.startswith('"') and etag.isprintable() else None
    return Session(place.led_to(location), answer.text, strong, read_links(answer.headers.get("link", "")))


def trickle(session: Session, fragment: str) -> Flow[None]:
    """Send addresses that came later. A server that takes none is none the worse: it sees them in our checks."""
    headers = {"Content-Type": FRAGMENT, "If-Match": session.etag or "*"}
    yield from _ask(session.place, "PATCH", fragment, headers)


def end(session: Session) -> Flow[None]:
    """End the publication. Whatever is answered, it has ended for us."""
    try:
        yield from _ask(session.place, "DELETE", None, {})
    except RingError:
        return


def _ask(place: Place, method: str, body: str | None, headers: Mapping[str, str]) -> Flow[tuple[Place, Response]]:
    """Send a request where it is led to; return the answer, and the place that gave it."""
    for _ in range(REDIRECTS + 1):
        request = Request(
            method, place.url.reveal(), {"Accept": "*/*", **headers}, content=body.encode() if body else None,
            at="publish", bearer=place.token, limit=MAX_ANSWER, hidden=True, foreign=place.foreign,
        )  # fmt: skip
        answer = yield replace(request, timeout=GOODBYE_WITHIN) if method == "DELETE" else request
        if answer.status not in (307, 308):
            return place, answer
        target = answer.headers.get("location")
        if not target:
            raise fault_error("PUBLISH-REFUSED", f"{place.host}: HTTP {answer.status} without Location")
        place = place.led_to(target)
    raise fault_error("PUBLISH-REFUSED", f"{place.host}: led on more than {REDIRECTS} times")


def _refusal(place: Place, answer: Response) -> RingError:
    # What the server writes is not repeated: it may hold anything, the token included.
    said = f"{place.host}: HTTP {answer.status}"
    match answer.status:
        case 401 | 403:
            return fault_error("PUBLISH-TOKEN", said)
        case 404 | 410:
            return fault_error("PUBLISH-GONE", said)
        case 408 | 409 | 425 | 429:
            return fault_error("PUBLISH-BUSY", said, retry_after=retry_after(answer.headers))
        case status if status >= 500:
            return fault_error("PUBLISH-BUSY", said, retry_after=retry_after(answer.headers))
        case status if 200 <= status < 300:
            return fault_error("PUBLISH-ANSWER", f"{said}; expected 201")
    return fault_error("PUBLISH-REFUSED", said)


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
