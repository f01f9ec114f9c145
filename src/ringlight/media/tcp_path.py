"""The way over TCP beside aioice's over UDP: for networks that block UDP (RFC 6544)."""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from ringlight.media.pair import Pair
from ringlight.media.tcp import Listener, Stream, close_all

log = logging.getLogger("ringlight.media")
TICK = 0.5  # seconds
MOST_CANDIDATES = 8  # addresses tried; Ring names two
CONNECT_WITHIN = 10.0  # seconds; the system's own limit may be minutes
# RFC 6544 section 4.2: below every address of UDP, active before passive. RFC 8445 section 5.1.2.1 has the formula.
_TYPE = 90
ACTIVE, PASSIVE = 6, 4
DISCARD = 9  # the port that an active candidate names: nobody listens there (RFC 6544 section 4.5)


def priority(direction: int, index: int = 0) -> int:
    """Return a host candidate's priority; the first address is preferred."""
    return _TYPE << 24 | ((direction << 13) + 8191 - index) << 8 | 255


def passive_line(foundation: int, index: int, address: str, port: int) -> str:
    """Write the candidate that says where we listen."""
    return f"candidate:{foundation} 1 tcp {priority(PASSIVE, index)} {address} {port} typ host tcptype passive"


def active_line(foundation: int, index: int, address: str) -> str:
    """Write the candidate that says from where we shall connect."""
    return f"candidate:{foundation} 1 tcp {priority(ACTIVE, index)} {address} {DISCARD} typ host tcptype active"


@dataclass(frozen=True, slots=True)
class Login:
    """One side's ICE user fragment and password."""

    ufrag: str
    pwd: str


class TcpPath:
    """All connections by which one peer may be reached, until one is nominated; then that one.

    Args:
        ours: Our credentials, the same as over UDP.
        controlling: Whether we made the offer.
        on_datagram: Called with what comes over the nominated connection and is not ICE's.
        on_lost: Called once when the nominated connection has ended; never after `close`.
    """

    def __init__(
        self, ours: Login, *, controlling: bool, on_datagram: Callable[[bytes], None], on_lost: Callable[[], None]
    ) -> None:
        self._ours, self._controlling = ours, controlling
        self._on_datagram, self._on_lost = on_datagram, on_lost
        self._loop = asyncio.get_running_loop()
        self._tie_breaker = secrets.randbits(64)
        self._theirs: Login | None = None
        self._targets: dict[tuple[str, int], asyncio.Task[None] | None] = {}
        self._pairs: dict[Stream, Pair] = {}
        self._chosen: Stream | None = None
        self._nominated: asyncio.Future[None] = self._loop.create_future()
        self._listener: Listener | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._complete = self._closed = False

    async def listen(self, addresses: Iterable[str]) -> list[str]:
        """Listen on a free port; return a candidate for each of our IPv4 addresses."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.bind(("0.0.0.0", 0))
        port = int(bound.getsockname()[1])
        self._listener = Listener(self._received, self._ended)
        await self._listener.open((bound,))
        reachable = [address for address in addresses if ip_address(address).version == 4]
        return [passive_line(100 + at, at, address, port) for at, address in enumerate(reachable)]

    def add(self, address: str, port: int) -> bool:
        """Take an address where the other side listens; return whether it will be tried."""
        if self._closed or len(self._targets) >= MOST_CANDIDATES:
            return False
        self._targets.setdefault((address, port), None)
        if self._theirs is not None:
            self._try_all()
        return True

    async def connect(self, theirs: Login, *, complete: bool) -> None:
        """Try all addresses, those too that come later, until a connection is nominated.

        Args:
            theirs: The other side's credentials.
            complete: Whether no more addresses will come.

        Raises:
            ConnectionError: Every address failed, and no more will come; or it was closed before.
        """
        if self._closed:
            raise ConnectionError("closed")
        self._theirs, self._complete = theirs, complete
        self._try_all()
        for stream, pair in tuple(self._pairs.items()):
            self._write(stream, pair.begin(theirs.ufrag, theirs.pwd, self._loop.time()))
        self._tick()
        self._give_up()
        await self._nominated

    @property
    def is_open(self) -> bool:
        """Whether a connection is nominated."""
        return self._chosen is not None

    @property
    def is_full(self) -> bool:
        """Whether so much waits on the nominated connection that live video should pause."""
        return self._chosen is not None and self._chosen.full

    def send(self, datagram: bytes) -> None:
        """Send over the nominated connection."""
        if self._chosen is not None:
            self._chosen.send(datagram)

    async def close(self) -> None:
        """Free everything; last words that wait may go out for a moment."""
        self._closed, self._chosen = True, None
        if self._ticker is not None:
            self._ticker.cancel()
        attempts = [task for task in self._targets.values() if task is not None]
        for task in attempts:
            task.cancel()
        if attempts:
            await asyncio.wait(attempts)
        if self._listener is not None:
            await self._listener.close()
        await close_all(tuple(self._pairs))
        self._nominated.cancel()

    # ---- connections ----

    def _try_all(self) -> None:
        for target, task in self._targets.items():
            if task is None and self._chosen is None:
                self._targets[target] = asyncio.create_task(self._try(*target), name="ringlight tcp")

    async def _try(self, address: str, port: int) -> None:
        def make() -> Stream:
            return Stream(self._received, self._ended)

        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                _, stream = await self._loop.create_connection(make, address, port)
        except (OSError, TimeoutError) as error:
            log.debug("no TCP connection to %s port %d: %s", address, port, error)
            return
        finally:
            # After this task is done, or it would count as one that may still succeed.
            self._loop.call_soon(self._give_up)
        pair = self._pair(stream)
        if pair is not None and self._theirs is not None:
            self._write(stream, pair.begin(self._theirs.ufrag, self._theirs.pwd, self._loop.time()))

    def _pair(self, stream: Stream) -> Pair | None:
        """Return the pair of a connection; `None` where another connection was chosen already, or this one ended."""
        pair = self._pairs.get(stream)
        if pair is None:
            if self._chosen is not None or self._closed or stream.gone.done():
                stream.close()
                return None
            direction = ACTIVE if self._listener is None else PASSIVE
            pair = self._pairs[stream] = Pair(
                self._ours.ufrag, self._ours.pwd, self._controlling, priority(direction), self._tie_breaker,
                stream.address, secrets.token_bytes, self._loop.time(),
            )  # fmt: skip
        return pair

    def _received(self, stream: Stream, datagram: bytes) -> None:
        if datagram[0] >= 4:
            if stream is self._chosen:
                self._on_datagram(datagram)
            return
        pair = self._pair(stream)
        if pair is None:
            return
        now = self._loop.time()
        self._write(stream, pair.receive(datagram, now))
        if pair.trusted and self._listener is not None:
            self._listener.prove(stream)
        if pair.trusted and self._theirs is not None:
            self._write(stream, pair.begin(self._theirs.ufrag, self._theirs.pwd, now))
        if pair.nominated and self._chosen is None:
            self._choose(stream)
        self._settle()

    def _settle(self) -> None:
        """Nominate the first connection that works, and no other while that may succeed."""
        if self._chosen is not None or any(pair.wanted for pair in self._pairs.values()):
            return
        for stream, pair in self._pairs.items():
            if pair.valid:
                self._write(stream, pair.nominate(self._loop.time()))
                return

    def _choose(self, stream: Stream) -> None:
        self._chosen = stream
        for other in tuple(self._pairs):
            if other is not stream:
                other.close()
        if not self._nominated.done():
            self._nominated.set_result(None)

    def _ended(self, stream: Stream) -> None:
        self._pairs.pop(stream, None)
        if self._closed:
            return
        if stream is self._chosen:
            self._on_lost()
        else:
            self._settle()
            self._give_up()

    def _give_up(self) -> None:
        """Say that there is no way, once nothing is left that may succeed."""
        hopeful = self._pairs or self._listener or any(task and not task.done() for task in self._targets.values())
        if self._theirs and self._complete and not hopeful and not self._nominated.done():
            self._nominated.set_exception(ConnectionError("no connection over TCP"))

    def _tick(self) -> None:
        now = self._loop.time()
        for stream, pair in tuple(self._pairs.items()):
            self._write(stream, pair.tick(now))
            if pair.failed:
                stream.abort()
        self._ticker = self._loop.call_later(TICK, self._tick)

    def _write(self, stream: Stream, messages: list[bytes]) -> None:
        for message in messages:
            stream.send(message)


def passive_address(line: str) -> tuple[str, int] | None:
    """Read where a candidate's owner listens; `None` for a candidate of any other sort.

    Names are left out: those of multicast DNS hide browsers, which never listen.
    """
    words = line.removeprefix("a=").removeprefix("candidate:").split()
    if len(words) < 8 or words[1] != "1" or words[2].lower() != "tcp" or words[6:7] != ["typ"]:
        return None
    options = dict(zip(words[8::2], words[9::2], strict=False))
    if options.get("tcptype") != "passive":
        return None
    with contextlib.suppress(ValueError):
        address, port = str(ip_address(words[4])), int(words[5][:6])
        return (address, port) if 0 < port < 65536 else None
    return None
