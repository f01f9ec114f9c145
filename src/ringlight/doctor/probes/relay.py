"""STUN and TURN servers: asked as browsers ask them."""

import asyncio
import secrets
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, cast

from ringlight.doctor.evidence import Relayed
from ringlight.doctor.probes import net
from ringlight.media.ice_servers import IceServer, lent, read_url
from ringlight.media.turn import (
    Allocated,
    Allocation,
    Permitted,
    Refused,
    Send,
    arrived,
    binding,
    mapped_address,
    passed_on,
    whole,
)
from ringlight.secrets import Secret

ANSWER_WAIT = 3.0  # seconds for a server's answers together
THROUGH_WAIT = 2.0  # seconds for a packet through a lent address and back
AGAIN = (0.2, 0.4, 0.8)  # seconds to each repetition of a datagram
CREDENTIALS_LAST = 600.0  # seconds
# Asked where no other is set; those of Amazon that Ring's clients use, on a port that firewalls leave open.
PUBLIC_STUN = (
    "stun:stun.kinesisvideo.us-east-1.amazonaws.com:443",
    "stun:stun.kinesisvideo.us-west-2.amazonaws.com:443",
)


class _Way(Protocol):
    def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes: ...


async def ask_stun(urls: Sequence[str]) -> list[Relayed]:
    """Ask each STUN server under which address it sees one and the same socket of ours."""
    loop = asyncio.get_running_loop()
    servers = [(url, read_url(url)) for url in urls]
    wanted: dict[bytes, tuple[str, asyncio.Future[tuple[str, int]]]] = {}
    heard = _Heard(wanted)
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: heard, local_addr=("0.0.0.0", 0))
    except OSError as error:
        return [Relayed(url, why=error.strerror or str(error)) for url in urls]
    try:
        return list(await asyncio.gather(*(_ask_one(url, server, transport, wanted) for url, server in servers)))
    finally:
        transport.close()


class _Heard(asyncio.DatagramProtocol):
    def __init__(self, wanted: "dict[bytes, tuple[str, asyncio.Future[tuple[str, int]]]]") -> None:
        self._wanted = wanted

    def datagram_received(self, data: bytes, addr: Any) -> None:
        del addr
        known = self._wanted.get(data[8:20])
        mapped = mapped_address(data, data[8:20]) if known is not None else None
        if known is not None and mapped is not None and not known[1].done():
            known[1].set_result(mapped)


async def _ask_one(
    url: str,
    server: IceServer | None,
    transport: asyncio.DatagramTransport,
    wanted: "dict[bytes, tuple[str, asyncio.Future[tuple[str, int]]]]",
) -> Relayed:
    if server is None:
        return Relayed(url, why="it is no stun: address")
    named = await net.look_up(server.host, server.port, socket.AF_INET)
    if not named.addresses:
        return Relayed(url, why=named.why_not)
    transaction = secrets.token_bytes(12)
    answered: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    wanted[transaction] = url, answered
    for pause in (*AGAIN, ANSWER_WAIT - sum(AGAIN)):
        transport.sendto(binding(transaction), (named.addresses[0], server.port))
        await asyncio.wait({answered}, timeout=pause)
        if answered.done():
            return Relayed(url, answered.result())
    return Relayed(url, why=f"no answer from {server.host}:{server.port} within {ANSWER_WAIT:g} s")


async def ask_turn(url: str, secret: Secret, now: Callable[[], float]) -> Relayed:
    """Ask a TURN server for an address, with a name and password made as browsers get them, and give it back."""
    server = read_url(url)
    if server is None:
        return Relayed(url, why="it is no turn: address")
    named = await net.look_up(server.host, server.port)
    if not named.addresses:
        return Relayed(url, why=named.why_not)
    name, password = lent(secret, "ringlight-doctor", now() + CREDENTIALS_LAST)
    allocation = Allocation(name, Secret(password), [secrets.token_bytes(12) for _ in range(8)])
    try:
        async with asyncio.timeout(ANSWER_WAIT) as limit, _way_to(server, named.addresses[0]) as way:
            return await _allocate(url, allocation, way, limit, over_udp=server.transport == "udp")
    except TimeoutError:
        return Relayed(url, why=f"no answer from {server.host}:{server.port} within {ANSWER_WAIT:g} s")
    except ssl.SSLError as error:
        return Relayed(url, why=f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}")
    except OSError as error:
        return Relayed(url, why=f"{server.host}:{server.port}: {error.strerror or error}")
    except asyncio.IncompleteReadError:
        return Relayed(url, why=f"{server.host}:{server.port} ended the connection")


async def _allocate(url: str, allocation: Allocation, way: _Way, limit: asyncio.Timeout, *, over_udp: bool) -> Relayed:
    step = allocation.begin()
    while True:
        came = await _answer(allocation, step, way, over_udp=over_udp)
        if isinstance(came, Send):
            step = came
        elif isinstance(came, Allocated):
            limit.reschedule(asyncio.get_running_loop().time() + ANSWER_WAIT + THROUGH_WAIT)
            try:
                passed, why = await _pass_through(allocation, came, way, over_udp=over_udp)
            finally:
                way.send(came.goodbye)
            return Relayed(url, came.mapped, came.relayed, why=why, passed=passed)
        elif isinstance(came, Refused):
            return Relayed(url, refused=came.number, reason=came.reason)


async def _pass_through(
    allocation: Allocation, lent: Allocated, way: _Way, *, over_udp: bool
) -> tuple[bool | None, str]:
    """Send a packet from a second socket to the lent address, and one back to it: as the other side of a call would.

    Returns:
        Whether both came, and what to say; `None` where it cannot be tried, or where this network may be to blame.
    """
    if lent.mapped is None:
        return None, "it does not say how it sees us, so no packet was sent through it"
    step: Send | Allocated | Permitted | Refused = allocation.permit(lent.mapped)
    while isinstance(step, Send):
        step = await _answer(allocation, step, way, over_udp=over_udp)
    if isinstance(step, Refused):
        # Many servers let nobody relay to private addresses, which is as it should be.
        return (
            None,
            f"it passes nothing on from {lent.mapped[0]} (error {step.number}), so no packet was sent through it",
        )
    peer = _Datagrams()
    local = "::" if ":" in lent.relayed[0] else "0.0.0.0"
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: peer, local_addr=(local, 0))
    try:
        async with asyncio.timeout(THROUGH_WAIT):
            whence, mark = await _into(lent.relayed, transport, way)
            await _out_of(whence, mark, peer, way)
    except TimeoutError:
        said = f"no packet from here came through it within {THROUGH_WAIT:g} s"
        return (False, said) if over_udp else (None, f"{said}; this network may block UDP")
    finally:
        transport.close()
    return True, ""


async def _into(
    relayed: tuple[str, int], transport: asyncio.DatagramTransport, way: _Way
) -> tuple[tuple[str, int], bytes]:
    """Write to the lent address until the server tells of it; return under which address it sees the second socket."""
    mark = secrets.token_bytes(16)
    while True:
        transport.sendto(mark, relayed)
        with suppress(TimeoutError):
            async with asyncio.timeout(AGAIN[0]):
                while True:
                    came = arrived(await way.receive())
                    if came is not None and came[1] == mark:
                        return came


async def _out_of(whence: tuple[str, int], mark: bytes, peer: "_Datagrams", way: _Way) -> None:
    """Let the server write back to the second socket until that hears it."""
    while True:
        way.send(passed_on(whence, mark, secrets.token_bytes(12)))
        with suppress(TimeoutError):
            async with asyncio.timeout(AGAIN[0]):
                while True:
                    with suppress(OSError):
                        if await peer.receive() == mark:
                            return


async def _answer(
    allocation: Allocation, step: Send, way: _Way, *, over_udp: bool
) -> Send | Allocated | Permitted | Refused:
    pauses = iter(AGAIN if over_udp else ())
    while True:
        way.send(step.data)
        pause = next(pauses, None)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                while True:
                    came = allocation.receive(await way.receive())
                    if came is not None:
                        return came


@asynccontextmanager
async def _way_to(server: IceServer, address: str) -> Any:
    if server.transport == "udp":
        datagrams = _Datagrams()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: datagrams, remote_addr=(address, server.port)
        )
        try:
            yield datagrams
        finally:
            transport.close()
        return
    context = await asyncio.to_thread(ssl.create_default_context) if server.tls else None
    name = server.host if server.tls else None
    reader, writer = await asyncio.open_connection(address, server.port, ssl=context, server_hostname=name)
    try:
        yield _Stream(reader, writer)
    finally:
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self._came: asyncio.Queue[bytes | OSError] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        del addr
        self._came.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self._came.put_nowait(exc)

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(data)

    async def receive(self) -> bytes:
        came = await self._came.get()
        if isinstance(came, OSError):
            raise came
        return came


class _Stream:
    """STUN messages over TCP follow one another without more framing (RFC 8656 section 3.1)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def receive(self) -> bytes:
        head = await self._reader.readexactly(20)
        return head + await self._reader.readexactly((whole(head) or 20) - 20)
