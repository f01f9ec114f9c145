"""TCP connections that carry datagrams, with strangers on the other side: bounded, and nothing left behind."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from ringlight.media import tcp
from ringlight.media.framing import LONGEST, framed
from ringlight.media.tcp import Listener, Stream, close_all

pytestmark = pytest.mark.anyio


class Door:
    """A listener with what it heard. A datagram `hello` proves who sent it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.lost = 0
        self.listener = Listener(self._on_datagram, self._on_lost)
        self.streams: list[Stream] = []

    def _on_datagram(self, stream: Stream, datagram: bytes) -> None:
        self.heard.append(datagram)
        if stream not in self.streams:
            self.streams.append(stream)
        if datagram == b"hello":
            self.listener.prove(stream)
        if datagram == b"boom":
            raise ValueError("boom")

    def _on_lost(self, _: Stream) -> None:
        self.lost += 1

    async def until(self, true: Callable[[], bool], within: float = 3.0) -> None:
        async with asyncio.timeout(within):
            while not true():
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def _open() -> AsyncIterator[tuple[Door, int]]:
    door = Door()
    bound = socket.create_server(("127.0.0.1", 0))
    await door.listener.open((bound,))
    try:
        yield door, bound.getsockname()[1]
    finally:
        await door.listener.close()
        assert len(door.listener) == 0
        assert bound.fileno() == -1


async def _dial(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def _is_cut_off(reader: asyncio.StreamReader, within: float = 3.0) -> bool:
    async with asyncio.timeout(within):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


async def _hang_up(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_datagrams_pass_both_ways() -> None:
    async with _open() as (door, port):
        reader, writer = await _dial(port)
        writer.write(framed(b"hello") + framed(b"again"))
        await door.until(lambda: door.heard == [b"hello", b"again"])
        door.streams[0].send(b"welcome")
        assert await reader.readexactly(9) == framed(b"welcome")
        await _hang_up(writer)
        await door.until(lambda: door.lost == 1)


async def test_last_words_go_out_before_the_end() -> None:
    async with _open() as (door, port):
        reader, writer = await _dial(port)
        writer.write(framed(b"hello"))
        await door.until(lambda: len(door.streams) == 1)
        door.streams[0].send(b"bye")
        door.streams[0].close()
        door.streams[0].send(b"too late")
        assert await reader.read() == framed(b"bye")
        await _hang_up(writer)


async def test_who_brings_nothing_valid_in_time_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence, half a frame, one byte now and then, frames that prove nothing: all the same."""
    monkeypatch.setattr(tcp, "PROVE_WITHIN", 0.1)
    async with _open() as (door, port):
        silent, half, slow, liar, guest = [await _dial(port) for _ in range(5)]
        half[1].write(b"\x00")
        liar[1].write(framed(b"hallo"))
        guest[1].write(framed(b"hello"))

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    slow[1].write(b"\0")
                    await slow[1].drain()
                    await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert all(await asyncio.gather(*(_is_cut_off(reader) for reader, _ in (silent, half, slow, liar))))
        dripping.cancel()
        assert len(door.listener) == 1
        guest[1].write(framed(b"still here"))
        await door.until(lambda: b"still here" in door.heard)
        await _hang_up(*(writer for _, writer in (silent, half, slow, liar, guest)))


async def test_a_guest_that_falls_silent_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "SILENT_AFTER", 0.1)
    async with _open() as (door, port):
        reader, writer = await _dial(port)
        writer.write(framed(b"hello"))
        assert await _is_cut_off(reader)
        assert door.heard == [b"hello"]
        await _hang_up(writer)


async def test_a_frame_that_is_too_long_ends_the_connection_at_once() -> None:
    async with _open() as (door, port):
        reader, writer = await _dial(port)
        writer.write(framed(b"hello") + (LONGEST + 1).to_bytes(2, "big"))
        assert await _is_cut_off(reader, 1.0)
        assert door.heard == [b"hello"]
        await _hang_up(writer)


async def test_two_hundred_strangers_at_once_leave_the_place_of_a_guest() -> None:
    """Of one address only some are listened to before they have shown something; a guest counts no more."""
    async with _open() as (door, port):
        _, guest = await _dial(port)
        guest.write(framed(b"hello"))
        await door.until(lambda: len(door.streams) == 1)
        crowd = await asyncio.gather(*(_dial(port) for _ in range(200)))
        await door.until(lambda: len(door.listener) == tcp.STRANGERS_PER_ADDRESS + 1)
        guest.write(framed(b"still here"))
        await door.until(lambda: b"still here" in door.heard)
        await _hang_up(*(writer for _, writer in crowd))
        await door.until(lambda: len(door.listener) == 1)
        _, late = await _dial(port)
        late.write(framed(b"hello"))
        await door.until(lambda: len(door.streams) == 2)
        await _hang_up(guest, late)


async def test_there_is_a_limit_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "CONNECTIONS", 3)
    async with _open() as (door, port):
        guests = []
        for count in range(1, 4):
            guests.append(await _dial(port))
            guests[-1][1].write(framed(b"hello"))
            await door.until(lambda count=count: len(door.streams) == count)  # type: ignore[misc]
        reader, writer = await _dial(port)
        assert await _is_cut_off(reader)
        await _hang_up(writer, *(writer for _, writer in guests))


async def test_an_exception_of_the_owner_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with _open() as (door, port):
        _, writer = await _dial(port)
        writer.write(framed(b"boom") + framed(b"hello"))
        await door.until(lambda: door.heard == [b"boom", b"hello"])
        await _hang_up(writer)
    assert "could not be handled" in caplog.text


async def test_a_reader_that_is_too_slow_is_told_of_and_what_waits_is_bounded() -> None:
    async with _open() as (door, port):
        reader, writer = await _dial(port)
        writer.write(framed(b"hello"))
        await door.until(lambda: len(door.streams) == 1)
        stream = door.streams[0]
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(10_000):
            stream.send(bytes(1200))
        assert stream.full
        assert stream.unsent > 0
        assert stream._transport is not None
        assert stream._transport.get_write_buffer_size() <= tcp.MOST + LONGEST
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        expected = (10_000 - stream.unsent) * len(framed(bytes(1200)))
        async with asyncio.timeout(10):
            await reader.readexactly(expected)
        await door.until(lambda: not stream.full)
        await _hang_up(writer)


async def test_somebody_who_does_not_read_cannot_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "FAREWELL", 0.1)
    async with _open() as (door, port):
        _, writer = await _dial(port)
        writer.write(framed(b"hello"))
        await door.until(lambda: len(door.streams) == 1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(10_000):
            door.streams[0].send(bytes(1200))
        async with asyncio.timeout(1):
            await close_all(door.streams)
        await _hang_up(writer)


async def test_a_connection_that_comes_to_life_after_the_end_is_ended_at_once() -> None:
    """Nobody would sweep it out, and from Python 3.12 on a server waits for all of its connections."""
    async with _open() as (door, _):
        pass
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours:
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        _, late = await loop.create_connection(door.listener._welcome, sock=ours)
        async with asyncio.timeout(2):
            assert await loop.sock_recv(theirs, 1) == b""
        assert late.closing
    theirs.close()
