"""A camera's video over TCP: the way that is left where a network blocks UDP."""

import asyncio
import gc
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from media_kit import NOBODY, PACKET, REPORT, Side

from ringlight.errors import RingError
from ringlight.media import pair
from ringlight.media.dtls import Role
from ringlight.media.pair import Pair
from ringlight.media.sdp import Transport
from ringlight.media.tcp import Listener, Stream
from ringlight.media.tcp_path import passive_line

pytestmark = pytest.mark.anyio


@dataclass
class Sides:
    ours: Side
    camera: Side
    local: Transport
    remote: Transport

    async def connect(self, remote: Transport | None = None) -> None:
        """Both connect; the camera knows none of our addresses, as if UDP were blocked."""
        await asyncio.gather(
            self.ours.peer.connect(remote or _only_tcp(self.remote), Role.SERVER),
            self.camera.peer.connect(replace(self.local, candidates=()), Role.CLIENT),
        )


@asynccontextmanager
async def _sides(tcp_after: float = 0.01) -> AsyncIterator[Sides]:
    ours, camera = Side(controlling=True, tcp_after=tcp_after), Side(controlling=False, listens=True)
    try:
        async with asyncio.timeout(15):
            yield Sides(ours, camera, await ours.peer.gather(), await camera.peer.gather())
    finally:
        await ours.peer.close()
        await camera.peer.close()


def _only_tcp(transport: Transport) -> Transport:
    return replace(transport, candidates=tuple(line for line in transport.candidates if "tcptype passive" in line))


async def _until(true: Callable[[], object], within: float = 3.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.005)


async def test_packets_and_reports_pass_over_tcp_where_udp_is_blocked() -> None:
    async with _sides() as sides:
        await sides.connect()
        assert sides.ours.peer.over_tcp
        assert sides.camera.peer.over_tcp
        for one, other in ((sides.ours, sides.camera), (sides.camera, sides.ours)):
            for _ in range(100):
                one.peer.send(PACKET)
            one.peer.send_rtcp(REPORT)
            async with asyncio.timeout(3):
                while not other.reports.seen:
                    await asyncio.sleep(0.005)
            assert other.packets.seen[0] == PACKET
            assert other.reports.seen == [REPORT]


async def test_the_offer_says_that_we_connect_and_the_answer_where_to() -> None:
    """RFC 6544 section 4.5: an active candidate names port 9, where nobody listens; UDP comes first."""
    async with _sides() as sides:
        ours = [line.split() for line in sides.local.candidates if " tcp " in line]
        assert ours
        assert all((words[5], words[-2:]) == ("9", ["tcptype", "active"]) for words in ours)
        theirs = [line.split() for line in _only_tcp(sides.remote).candidates]
        assert len({words[5] for words in theirs}) == 1
        for transport in (sides.local, sides.remote):
            udp = [int(line.split()[3]) for line in transport.candidates if " udp " in line]
            tcp = [int(line.split()[3]) for line in transport.candidates if " tcp " in line]
            assert min(udp) > max(tcp)
            foundations = [line.split()[0] for line in transport.candidates]
            assert len(set(foundations)) == len(foundations)


async def test_tcp_is_left_alone_where_udp_works() -> None:
    """A head start for UDP: nobody wants TCP's delays without need."""
    async with _sides(tcp_after=2.0) as sides, _camera_of(_mute) as other:
        both = replace(sides.remote, candidates=(*sides.remote.candidates, other.line))
        await asyncio.gather(
            sides.ours.peer.connect(both, Role.SERVER), sides.camera.peer.connect(sides.local, Role.CLIENT)
        )
        assert not sides.ours.peer.over_tcp
        assert not sides.camera.peer.over_tcp
        assert other.connections == 0


async def test_the_head_start_ends_where_udp_has_failed_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.stun.RETRY_MAX", 1)
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 0.05)
    async with _sides(tcp_after=100.0) as sides:
        await sides.connect(replace(_only_tcp(sides.remote), complete=True))
        assert sides.ours.peer.over_tcp


async def test_an_address_may_come_after_the_answer_and_others_may_lead_nowhere() -> None:
    async with _sides() as sides:
        (line, *_) = _only_tcp(sides.remote).candidates
        nowhere = passive_line(1, 0, "127.0.0.1", 9)
        connecting = asyncio.create_task(sides.connect(replace(sides.remote, candidates=(nowhere,))))
        await asyncio.sleep(0.05)
        assert await sides.ours.peer.add_candidate(line)
        await connecting
        sides.camera.peer.send(PACKET)
        await _until(lambda: sides.ours.packets.seen == [PACKET])


async def test_a_goodbye_is_told_once_and_a_lost_connection_is_a_stall() -> None:
    async with _sides() as sides:
        await sides.connect()
        await sides.camera.peer.close()
        await _until(lambda: len(sides.ours.ended))
        await asyncio.sleep(0.05)
        assert sides.ours.ended.seen == [None]
    async with _sides() as sides:
        await sides.connect()
        (stream,) = sides.camera.peer._tcp._pairs
        stream.abort()
        await _until(lambda: len(sides.ours.ended) and len(sides.camera.ended))
        assert sides.ours.ended.seen == sides.camera.ended.seen == ["MEDIA-STALLED"]
        sides.ours.peer.send(PACKET)


async def test_who_withdraws_consent_gets_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7675. The camera's side still takes what comes; it has only stopped answering checks."""
    async with _sides() as sides:
        await sides.connect()
        monkeypatch.setattr(pair, "CONSENT_EVERY", 0.1)
        monkeypatch.setattr(pair, "CONSENT_LIMIT", 0.8)
        monkeypatch.setattr(sides.camera.peer._tcp, "_received", lambda *_: None)
        (stream,) = sides.camera.peer._tcp._pairs
        monkeypatch.setattr(stream, "_on_datagram", lambda *_: None)
        sides.ours.peer._tcp._tick()
        await _until(lambda: len(sides.ours.ended), 10)
        assert sides.ours.ended.seen == ["MEDIA-STALLED"]


async def test_closing_half_way_leaves_nothing_behind() -> None:
    for pause in (0.0, 0.005, 0.02, 0.05):
        async with _sides() as sides:
            before = {task for task in asyncio.all_tasks() if not task.done()}
            connecting = asyncio.create_task(sides.connect())
            await asyncio.sleep(pause)
            connecting.cancel()
            await asyncio.wait({connecting})
            await sides.ours.peer.close()
            await sides.camera.peer.close()
            assert {task for task in asyncio.all_tasks() if not task.done()} <= before
            assert not sides.ours.peer._tcp._pairs
            assert sides.camera.peer._tcp._listener is not None
            assert len(sides.camera.peer._tcp._listener) == 0


@pytest.mark.parametrize("tcp_after", [0.01, 0.2])
async def test_closing_a_peer_that_still_connects_ends_the_wait_too(tcp_after: float) -> None:
    async with _sides(tcp_after=tcp_after) as sides:
        connecting = asyncio.create_task(
            sides.ours.peer.connect(replace(sides.remote, candidates=(NOBODY,)), Role.SERVER)
        )
        await asyncio.sleep(0.05)
        await sides.ours.peer.close()
        with pytest.raises(RingError) as caught:
            await connecting
        assert caught.value.code == "MEDIA-UDP"
        assert not sides.ours.peer._tcp._pairs
        assert sides.ours.ended.seen == []


# Media servers that misbehave


class Odd:
    """A media server that listens for TCP and does what a test wants with each datagram."""

    def __init__(self, does: "Callable[[Odd, Stream, bytes], None]") -> None:
        self._does = does
        self.connections = 0
        self.pairs: dict[Stream, Pair] = {}
        self.login = (secrets.token_hex(4), secrets.token_hex(16))
        self.listener = Listener(self._on_datagram, lambda _: None)
        self.line = ""

    def _on_datagram(self, stream: Stream, datagram: bytes) -> None:
        self.connections += stream not in self.pairs
        self.pairs.setdefault(stream, Pair(*self.login, False, 1, 1, stream.address, secrets.token_bytes, 0.0))
        self._does(self, stream, datagram)

    def transport(self, like: Transport) -> Transport:
        return Transport(*self.login, like.fingerprint, "active", (NOBODY, self.line), complete=True)


@asynccontextmanager
async def _camera_of(does: Callable[[Odd, Stream, bytes], None]) -> AsyncIterator[Odd]:
    odd = Odd(does)
    bound = socket.create_server(("127.0.0.1", 0))
    odd.line = passive_line(1, 0, *bound.getsockname())
    await odd.listener.open((bound,))
    try:
        yield odd
    finally:
        await odd.listener.close()


def _mute(_: Odd, stream: Stream, datagram: bytes) -> None:
    pass


def _babbles(_: Odd, stream: Stream, datagram: bytes) -> None:
    stream.send(secrets.token_bytes(100))


def _cuts_off(_: Odd, stream: Stream, datagram: bytes) -> None:
    stream.abort()


def _refuses(odd: Odd, stream: Stream, datagram: bytes) -> None:
    odd.pairs[stream].pwd = "another"
    _answers(odd, stream, datagram)


def _answers(odd: Odd, stream: Stream, datagram: bytes) -> None:
    for reply in odd.pairs[stream].receive(datagram, 0.0):
        stream.send(reply)


def _hangs_up_at_the_handshake(odd: Odd, stream: Stream, datagram: bytes) -> None:
    if datagram[0] >= 4:
        stream.abort()
    _answers(odd, stream, datagram)


def _shouts_at_the_handshake(odd: Odd, stream: Stream, datagram: bytes) -> None:
    _answers(odd, stream, datagram)
    if datagram[0] >= 4 and stream._transport is not None:
        stream._transport.write(b"\xff\xff")


async def _outcome(does: Callable[[Odd, Stream, bytes], None], role: Role = Role.CLIENT) -> RingError:
    side = Side(controlling=True, tcp_after=0.01)
    try:
        async with _camera_of(does) as odd, asyncio.timeout(5):
            local = await side.peer.gather()
            with pytest.raises(RingError) as caught:
                await side.peer.connect(odd.transport(local), role)
            return caught.value
    finally:
        await side.peer.close()


@pytest.mark.parametrize("does", [_mute, _babbles, _cuts_off, _refuses])
async def test_a_server_that_does_not_speak_ice_is_no_way(
    does: Callable[[Odd, Stream, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aioice.stun.RETRY_MAX", 1)
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 0.05)
    monkeypatch.setattr(pair, "CHECK_LIMIT", 0.3)
    assert (await _outcome(does)).code == "MEDIA-UDP"


@pytest.mark.parametrize("does", [_hangs_up_at_the_handshake, _shouts_at_the_handshake])
async def test_a_connection_that_breaks_in_the_handshake_is_told_at_once(
    does: Callable[[Odd, Stream, bytes], None],
) -> None:
    """And not by the session's deadline, fifteen seconds later."""
    clock = asyncio.get_running_loop().time
    began = clock()
    assert (await _outcome(does)).code == "MEDIA-DTLS"
    assert clock() - began < 3


async def test_a_peer_that_waits_for_the_handshake_is_told_too() -> None:
    """Where the other side is the DTLS client, as Ring is, we have sent nothing that could fail."""

    def goes_later(odd: Odd, stream: Stream, datagram: bytes) -> None:
        _answers(odd, stream, datagram)
        if odd.pairs[stream].wanted:
            asyncio.get_running_loop().call_later(0.1, stream.abort)

    assert (await _outcome(goes_later, Role.SERVER)).code == "MEDIA-DTLS"


async def test_that_tcp_fails_while_udp_succeeds_is_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor logged as an exception that nobody looked at."""
    failed = asyncio.Event()

    async def fails(*_: object, **__: object) -> None:
        failed.set()
        raise ConnectionError("no connection over TCP")

    async with _sides(tcp_after=0.0001) as sides:
        monkeypatch.setattr(sides.ours.peer._tcp, "connect", fails)
        await asyncio.gather(
            sides.ours.peer.connect(sides.remote, Role.SERVER), sides.camera.peer.connect(sides.local, Role.CLIENT)
        )
        assert failed.is_set()
        assert not sides.ours.peer.over_tcp
    gc.collect()
    assert "never retrieved" not in caplog.text
