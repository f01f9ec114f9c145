"""Which checks an address has, a step at a time: a server of ours, of somebody else's, or of Ring."""

import secrets
from urllib.parse import urlsplit

from ringlight.account import endpoints
from ringlight.doctor import judging
from ringlight.doctor.evidence import Address, Answered, read_target
from ringlight.doctor.findings import Seen
from ringlight.doctor.plans.asked import Asked
from ringlight.doctor.probes import net
from ringlight.doctor.running import Look, Once
from ringlight.http.address import is_loopback_host
from ringlight.secrets import Secret

__all__ = ["url_plan", "way_plan"]


def url_plan(
    url: str, asked: Asked, *, ours: bool = False, ring: bool = False, path: str = "/api/about",
    key: Secret | None = None, shown: str = "",
) -> list[Look]:  # fmt: skip
    """Look at an address a step at a time.

    Args:
        url: `http:`, `https:`, `ws:` or `wss:`.
        asked: The page, and the clock.
        ours: Whether a Ringlight server must be there.
        ring: Whether it is one of Ring's hosts.
        path: What is asked for by a plain request.
        key: Our own server's, for a request to it.
        shown: The subject of the findings; empty: the address.
    """
    address = read_target(url)
    subject = shown or address.text
    way = way_plan(address, asked, subject, ring=ring)
    whole = judging.judge_address(address)
    if whole.code is not None:
        return way[:1]
    named = [look.name for look in way]
    origin = asked.from_origin
    answered = Once(lambda: net.ask(address, path, origin=origin, key=key))

    async def answer() -> Seen:
        return judging.judge_answer(address.netloc, await answered(), ours=ours, ring=ring)

    needs = (named[0], *(name for name in named if name.startswith(("connect", "tls"))))
    looks = [*way, Look("answer", answer, subject, needs)]
    if origin is not None and not address.is_socket:

        async def cors() -> Seen:
            return judging.judge_cors(await answered(), origin, urlsplit(address.origin).netloc)

        looks.append(Look("cors", cors, subject, (f"answer {subject}",)))
    if address.is_socket:
        looks += _socket_plan(address, asked, subject, answered)
    return looks


def way_plan(address: Address, asked: Asked, subject: str, *, ring: bool) -> list[Look]:
    """Look at all that comes before the first request."""
    proxy = net.proxy_of(address) if address.host else None
    host, port = address.host, address.port
    if proxy is not None:
        through = read_target(f"http://{proxy}")
        host, port = through.host, through.port
    named = Once(lambda: net.look_up(host, port))

    async def whole() -> Seen:
        return judging.judge_address(address)

    async def name() -> Seen:
        elsewhere = ring and address.is_socket and host != urlsplit(endpoints.SIGNALING).hostname
        return judging.judge_name(await named(), signaling=elsewhere and not is_loopback_host(host))

    async def connect() -> Seen:
        where = f"the proxy {host}:{port}" if proxy is not None else address.netloc
        return judging.judge_connection(where, await net.dial(host, (await named()).addresses, port))

    async def tls() -> Seen:
        return judging.judge_security(address.host, await net.secure(address), asked.wall())

    async def clock() -> Seen:
        theirs, ours = await net.clock_of(address, asked.wall)
        return judging.judge_clock(theirs, ours)

    looks = [Look("address", whole, subject)]
    if asked.page and not ring:

        async def page() -> Seen:
            return judging.judge_page(address, asked.page)

        looks.append(Look("page", page, subject, (f"address {subject}",)))
    looks.append(Look("name", name, subject, (f"address {subject}",)))
    looks.append(Look("connect", connect, subject, (f"name {subject}",)))
    if proxy is None:
        if address.is_secure:
            looks.append(Look("tls", tls, subject, (f"connect {subject}",)))
        looks.append(Look("clock", clock, subject, (f"connect {subject}",)))
    return looks


def _socket_plan(address: Address, asked: Asked, subject: str, answered: "Once[Answered]") -> list[Look]:
    """Look at a WebSocket. A room is never entered: the doctor asks for one of its own."""
    origin = asked.from_origin
    is_room = "/ws/" in f"{address.path}/"
    path = _dry(address.path) if is_room else address.path or "/"
    upgraded = Once(lambda: net.upgrade(address, path, origin=origin))
    looks = []
    if is_room:

        async def room() -> Seen:
            return judging.judge_room_address(address)

        looks.append(Look("room-address", room, subject, (f"address {subject}",)))
    if address.token:

        async def token() -> Seen:
            return judging.judge_room_token(address.token, asked.wall())

        looks.append(Look("room-token", token, subject))

    async def upgrade() -> Seen:
        ringlight = (await answered()).is_ringlight
        return judging.judge_upgrade(await upgraded(), origin=origin or "", ringlight=ringlight)

    async def stays() -> Seen:
        return judging.judge_open(await upgraded(), origin=origin or "")

    looks.append(Look("upgrade", upgrade, subject, (f"answer {subject}",)))
    looks.append(Look("open", stays, subject, (f"upgrade {subject}",)))
    return looks


def _dry(path: str) -> str:
    """Put a room of the doctor's own in the place of the one that is named: nobody in there is to notice."""
    head, found, rest = path.partition("/ws/signaling/")
    room, slash, role = rest.partition("/")
    if not found or judging.judge_room_address(Address("", "", "", 0, path)).code is not None or not room:
        return path
    return f"{head}{found}ringlight-doctor-{secrets.token_hex(6)}{slash}{role}"
