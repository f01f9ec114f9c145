"""Sockets that break every rule are ended with a code, and nobody else in the room notices."""

import asyncio
import base64
import contextlib
import os
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from joserfc import jwt

from ringlight.rooms import rooms_router
from ringlight.rooms.memory import MemoryRooms, MemorySocket
from ringlight.rooms.people import ROLES, Claims
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret
from ringlight.settings import RoomSettings
from room_adapters import KEY, OverAsgi, hear, nothing_more, rooms

pytestmark = pytest.mark.anyio
DOCTOR, PATIENT = "/ws/signaling/visit/doctor", "/ws/signaling/visit/patient"
HANDSHAKE = (
    f"GET {PATIENT} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()


def frame(payload: bytes, *, opcode: int = 1, masked: bool = True, reserved: int = 0, fin: bool = True) -> bytes:
    """A WebSocket frame as RFC 6455 section 5.2 has it, or nearly so."""
    size = len(payload)
    length = size if size < 126 else 126 if size < 65536 else 127
    head = bytes([(0x80 if fin else 0) | reserved | opcode, (0x80 if masked else 0) | length])
    head += struct.pack(">H", size) if length == 126 else struct.pack(">Q", size) if length == 127 else b""
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


@pytest.fixture(params=["asgi", "fast"])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[OverAsgi]:
    async with rooms(request.param) as found:
        assert isinstance(found, OverAsgi)
        yield found


@contextlib.asynccontextmanager
async def raw(house: OverAsgi) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = house.url.removeprefix("ws://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Read to the end that the server makes."""
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            return await reader.read(-1)
    return b""


BROKEN = {
    "unmasked": (frame(b'{"type":"x"}', masked=False), 1002),
    "invalid UTF-8": (frame(b'{"type":"\xff"}'), 1007),
    "reserved bit": (frame(b"{}", reserved=0x40), 1002),
    "reserved opcode": (frame(b"{}", opcode=3), 1002),
    "ping of 200 bytes": (frame(bytes(200), opcode=9), 1002),
    "continuation of nothing": (frame(b"{}", opcode=0), 1002),
    "a length of 2 GiB": (bytes([0x81, 0xFF]) + struct.pack(">Q", 2**31) + bytes(4), 1009),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_frames_that_are_none_end_their_own_connection_only(house: OverAsgi, name: str) -> None:
    sent, code = BROKEN[name]
    doctor = await house.page(DOCTOR)
    async with raw(house) as (reader, writer):
        writer.write(HANDSHAKE)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        assert (await hear(doctor))["type"] == "user-joined"
        writer.write(sent)
        said = await rest_of(reader)
    said = said[said.rindex(b"\x88") :]  # words may come before it
    assert int.from_bytes(said[2:4], "big") == code
    assert await hear(doctor) == {"type": "user-left", "userType": "patient", "totalUsers": 1}
    await nothing_more(doctor)


async def test_a_message_that_comes_byte_by_byte_is_passed_on_whole(house: OverAsgi) -> None:
    doctor = await house.page(DOCTOR)
    async with raw(house) as (reader, writer):
        for byte in HANDSHAKE + frame(b'{"type":"of', fin=False) + frame(b"", opcode=9) + frame(b'fer"}', opcode=0):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        assert (await hear(doctor))["type"] == "user-joined"
        assert await doctor.hear_text() == '{"type":"offer"}'


async def test_a_connection_that_is_cut_in_the_middle_of_a_frame_has_left(house: OverAsgi) -> None:
    doctor = await house.page(DOCTOR)
    async with raw(house) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        await hear(doctor)
        writer.write(frame(b'{"type":"offer"}')[:9])
    assert (await hear(doctor))["type"] == "user-left"


async def test_a_page_that_takes_nothing_is_given_up_and_the_others_go_on() -> None:
    """What waits for it is bounded; who talks to it never waits."""
    memory = MemoryRooms(RoomSettings(queue_bytes=65_536))
    app = FastAPI()
    app.include_router(rooms_router(memory.porter))
    accepted, stuck = asyncio.Event(), asyncio.Event()
    came: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    came.put_nowait({"type": "websocket.connect"})

    async def send(message: Any) -> None:
        if message["type"] == "websocket.accept":
            accepted.set()
            return
        stuck.set()
        await asyncio.Event().wait()

    scope = {
        "type": "websocket", "path": PATIENT, "raw_path": b"", "root_path": "", "query_string": b"", "scheme": "ws",
        "headers": [(b"host", b"localhost")], "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        "subprotocols": [],
    }  # fmt: skip
    serving = asyncio.create_task(app(scope, came.get, send))
    await accepted.wait()
    doctor = memory.connect(DOCTOR)
    await stuck.wait()
    for _ in range(20):
        doctor.say({"type": "x", "much": "a" * 8000})
    assert doctor.heard == [{"type": "user-left", "userType": "patient", "totalUsers": 1}]
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def _codes(socket: MemorySocket) -> list[str]:
    return [frame["code"] for frame in socket.heard if frame.get("t", frame.get("type")) == "error"]


async def test_elsewhere_than_on_this_machine_a_token_is_needed() -> None:
    house = MemoryRooms()
    for where in ({"local": False}, {"host": "evil.example"}, {"host": "192.0.2.1:8000"}):
        socket = house.connect(DOCTOR, **where)
        assert _codes(socket) == ["ROOM-TOKEN-NEEDED"]
        assert socket.closed == (4401, "ROOM-TOKEN-NEEDED")
    closed = MemoryRooms(RoomSettings(open=False))
    assert _codes(closed.connect(DOCTOR)) == ["ROOM-TOKEN-NEEDED"]


async def test_a_page_of_this_machine_is_one_of_another_where_the_server_is_not_reached_by_loopback() -> None:
    """The demo takes pages of any loopback origin; a visitor's own machine has some too."""
    house = MemoryRooms()
    assert _codes(house.connect(DOCTOR, origin="http://localhost:3000")) == []
    assert _codes(house.connect(PATIENT, origin="http://localhost:3000", local=False)) == ["ROOM-ORIGIN"]


async def test_tokens_that_are_forged_changed_or_expired_are_refused() -> None:
    tokens = Tokens(KEY, 600)
    house = MemoryRooms(tokens=tokens, now=1e9)
    claims = Claims("visit", "u", "patient", ROLES["patient"])
    good = tokens.sign(claims, 1e9).reveal()
    head, body, mark = good.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    cases = {
        "": "ROOM-TOKEN-NEEDED", "a.b.c": "ROOM-TOKEN", f"{head}.{body}.{mark[::-1]}": "ROOM-TOKEN",
        f"{unsigned}.{body}.": "ROOM-TOKEN", "é": "ROOM-TOKEN", "." * 3000: "ROOM-TOKEN",
        f"{head}.{body[:-4]}AAAA.{mark}": "ROOM-TOKEN", f"{head}.{body}.{mark}=": "ROOM-TOKEN",
        f"{head}..{mark}": "ROOM-TOKEN", f"{head}.{body}": "ROOM-TOKEN", f"{head}.{body}.é": "ROOM-TOKEN",
        Tokens(Secret("other"), 600).sign(claims, 1e9).reveal(): "ROOM-TOKEN",
        tokens.sign(claims, 1e9 - 606).reveal(): "ROOM-TOKEN-EXPIRED",
    }  # fmt: skip
    for at, (token, code) in enumerate(cases.items()):
        assert _codes(house.connect(PATIENT, token=token, local=False, peer=f"192.0.2.{at}")) == [code], token
    assert _codes(house.connect(PATIENT, token=good, local=False)) == []
    ahead = tokens.sign(claims, 1e9 + 3600).reveal()  # by a clock that was an hour ahead, and is right now
    assert _codes(house.connect(PATIENT, token=ahead, local=False)) == []


async def test_a_token_that_another_library_has_written_with_the_same_key_is_as_good() -> None:
    """Its header may have other fields, in another order; only ours are told by their first letters."""
    tokens, house = Tokens(KEY, 600), MemoryRooms(now=1e9)
    house.house.admission.tokens = tokens
    said = jwt.decode(tokens.sign(Claims("visit", "u", "patient", ROLES["patient"]), 1e9).reveal(), tokens._key).claims
    for header in ({"alg": "HS256", "typ": "JWT"}, {"alg": "HS256", "kid": "one"}):
        other = jwt.encode(header, said, tokens._key, default_type=None)
        assert _codes(house.connect(PATIENT, token=other, local=False)) == []
    wrong = jwt.encode({"alg": "HS512"}, said, tokens._key, algorithms=["HS512"])
    assert _codes(house.connect(PATIENT, token=wrong, local=False)) == ["ROOM-TOKEN"]


async def test_whoever_guesses_tokens_is_slowed_down_and_others_are_not() -> None:
    tokens = Tokens(KEY, 600)
    house = MemoryRooms(tokens=tokens)
    good = tokens.sign(Claims("visit", "u", "patient", ROLES["patient"]), house.now).reveal()
    for _ in range(10):
        assert _codes(house.connect(PATIENT, token="guess", peer="192.0.2.9")) == ["ROOM-TOKEN"]
    assert _codes(house.connect(PATIENT, token=good, peer="192.0.2.9")) == ["ROOM-RATE"]
    assert _codes(house.connect(PATIENT, token=good, peer="192.0.2.8")) == []
    house.pass_time(61)
    assert _codes(house.connect(PATIENT, token=good, peer="192.0.2.9")) == []


async def test_half_open_sockets_are_ended_and_leave_nothing_behind() -> None:
    house = MemoryRooms(RoomSettings(sockets=1000))
    sockets = [house.connect("/ws/v2") for _ in range(1000)]
    assert _codes(house.connect("/ws/v2")) == ["ROOM-BUSY"]
    house.pass_time(6)
    assert {socket.closed for socket in sockets} == {(4408, "ROOM-HELLO")}
    assert house.porter.is_idle
