"""Cells of a visit: what a program's socket, the server's API and the doctor are told of rooms; pages have a module."""

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
from troubles.rooms import SMALL_QUEUE, clear, flood, spoil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame

from cells import Back, Cell, Lab, Met, Outcome, Run
from cells.command import Finished, command
from cells.room import ROOM_TROUBLES, House, RoomTrouble, hear, opened, say_and_hear, socket_meets
from cells.server import Refusal, Send, api_refuses, post, read_refusal
from cells.visit_page import visit_page_cells
from ringlight.faults import FAULTS
from ringlight.media.sdp import Transport
from whep_viewer import offer_text

GOOD_OFFER = offer_text(Transport("ufra", "p" * 22, ":".join(["AA"] * 32), "actpass"))
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


def signal(rid: int, kind: str, **more: Any) -> str:
    return json.dumps({"t": "signal", "rid": rid, "description": {"type": kind, "sdp": SDP}, **more})


# ---- a bare socket of a Python program ----


async def _elsewhere(_: House) -> dict[str, Any]:
    return {"origin": "https://elsewhere.example"}


async def _taken(house: House) -> dict[str, Any]:
    await house.enter("patient")
    return {}


async def _leaves(house: House) -> dict[str, Any]:
    web = house.inside.pop()
    await web.send('{"t":"bye"}')
    await web.wait_closed()
    return {}


async def _without_lobby(house: House) -> dict[str, Any]:
    await house.made(lobby=False, consent=["video"])
    return {"role": "patient"}


async def _old_address(house: House) -> dict[str, Any]:
    made = await house.made(people=[{"role": "patient"}], consent=["video"])
    return {"url": f"{house.sockets}/ws/signaling/visit/patient?token={made['people'][0]['token']}"}


MORE = (
    RoomTrouble("a page of another site", "ROOM-ORIGIN", _elsewhere),
    RoomTrouble("an offer before consent", "ROOM-CONSENT", _without_lobby, says=("hello", signal(1, "offer"))),
    RoomTrouble("the old address, which cannot ask for consent", "ROOM-CONSENT", _old_address),
    RoomTrouble("as many sockets as may be", "ROOM-BUSY", _taken, {"sockets": 1}, mend=_leaves),
    RoomTrouble("what Redis has of the room is damaged", "ROOM-UNREADABLE", spoil, shared=True, mend=clear),
)


async def slow_line(house: House, **how: Any) -> ClientConnection:
    """Enter as a doctor whose line takes nearly nothing, and who does not read."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", int(house.sockets.rpartition(":")[2])))
    web = await connect(f"{house.sockets}/ws/v2", sock=line, max_queue=1, ping_interval=None, max_size=2**24, **how)
    house.inside.append(web)
    await web.send('{"t":"hello","v":2,"room":"visit","role":"doctor"}')
    return web


SLOW = RoomTrouble("does not read for long", "ROOM-SLOW", rooms=SMALL_QUEUE)


async def _left_behind(house: House, **how: Any) -> tuple[str | None, str]:
    """A program that does something else for some seconds; return the code and the words that it reads then."""
    web = await slow_line(house, **how)
    await flood(house)
    await hear(house.inside[1], "left")
    said: dict[str, Any] = {}
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(20):
            while said.get("t") != "error":
                said = json.loads(await web.recv())
    code = said.get("code") or web.close_reason or None
    return code, str(said.get("message") or (FAULTS[code].title if code in FAULTS else ""))


async def socket_is_slow(lab: Lab) -> Outcome:
    """It reads why it is out, and can come back."""
    async with opened(lab, SLOW) as there:
        await there.made(lobby=False, consent=[])
        began = time.monotonic()
        code, text = await _left_behind(there)
        named, began = time.monotonic() - began, time.monotonic()
        again = await say_and_hear(there, RoomTrouble("", ""), {})
        return Outcome(code, text, named, "when asked again" if again is None else "not yet", time.monotonic() - began)


async def socket_is_alone(lab: Lab) -> Outcome:
    """Redis dies under somebody who is inside, and is started again."""
    async with opened(lab, RoomTrouble("", "", shared=True)) as there:
        assert there.redis is not None
        web = await there.enter()
        began = time.monotonic()
        there.redis.kill()
        told = await hear(web, "notice")
        named, began = time.monotonic() - began, time.monotonic()
        there.redis.start()
        over = await hear(web, "notice")
        return Outcome(told["code"], str(told["message"]), named, "not yet" if over["on"] else "by itself",
                       time.monotonic() - began)  # fmt: skip


# ---- the server's API ----


def watch(role: str, camera: str, *, inside: bool, wait: float = 0.0) -> Send:
    """Somebody of a room with one camera asks for the picture of a camera, with the room's token."""

    async def send(http: httpx2.AsyncClient) -> httpx2.Response:
        wanted = {"id": "visit", "lobby": False, "cameras": ["front-door"], "people": [{"role": role}]}
        token = (await http.post("api/rooms", json=wanted)).json()["people"][0]["token"]
        await asyncio.sleep(wait)
        async with contextlib.AsyncExitStack() as stack:
            if inside:
                url = str(http.base_url).replace("http", "ws", 1)
                web = await stack.enter_async_context(connect(f"{url}ws/v2", proxy=None))
                await web.send(json.dumps({"t": "hello", "v": 2, "token": token}))
                await hear(web, "roster")
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
            return await http.post(f"whep/{camera}", content=GOOD_OFFER, headers=headers)

    return send


async def _link_of_ended(http: httpx2.AsyncClient) -> httpx2.Response:
    await http.post("api/rooms", json={"id": "visit"})
    made = (await http.post("api/rooms/visit/links", json={"role": "patient"})).json()
    await http.delete("api/rooms/visit")
    return await http.post(made["url"][1:], headers={"Accept": "application/json"})


REFUSALS = (
    Refusal("a room called undefined", "ROOM-ID", post("api/rooms", {"id": "undefined"})),
    Refusal("a link to a visit that has ended", "ROOM-ENDED", _link_of_ended),
    Refusal("a camera of the room with an old token", "ROOM-TOKEN-EXPIRED",
            watch("doctor", "front-door", inside=False, wait=6.5), keyed=True, rooms={"token_life": 1.0}),
    Refusal("a camera of the room, from outside", "ROOM-PERSON", watch("doctor", "front-door", inside=False),
            keyed=True),
    Refusal("a camera of the room, without permission to see it", "ROOM-FORBIDDEN",
            watch("patient", "front-door", inside=True), keyed=True),
    Refusal("a camera that is none of the room", "ROOM-CAMERA", watch("doctor", "driveway", inside=True), keyed=True),
)  # fmt: skip


async def api_cannot_read(lab: Lab) -> Outcome:
    """A room is made of which Redis has something else."""
    async with opened(lab, RoomTrouble("", "", shared=True)) as there:
        await spoil(there)
        began = time.monotonic()
        code, said = read_refusal(await there.http.post("api/rooms", json={"id": "visit"}))
        named = time.monotonic() - began
        await clear(there)
        began = time.monotonic()
        back = (await there.http.post("api/rooms", json={"id": "visit"})).status_code == 201
        return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)


# ---- the doctor ----


class _LogFile(logging.Logger):
    """The log of a program that uses `websockets`, at DEBUG, as such a program writes it."""

    def __init__(self, path: Path) -> None:
        super().__init__("websockets.client", logging.DEBUG)
        handler = logging.FileHandler(path)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        self.addHandler(handler)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the lab turns all other logs off
        return level >= self.level


async def read_by_doctor(lab: Lab, log: Path) -> Outcome:
    """Give the doctor a log to read."""
    read_it = await command("explain", "--trace", str(log), env={"NO_COLOR": "1", "COLUMNS": "400"}, cwd=lab.folder)
    assert "Traceback" not in read_it.err, read_it.err
    return Outcome(read_it.code, read_it.out, read_it.seconds)


def doctor_reads(trouble: RoomTrouble, most: int | None = None) -> Run:
    """A program meets it, and the doctor reads the program's log, in which frames have so many characters at most."""

    async def run(lab: Lab) -> Outcome:
        log = lab.folder / "client.log"
        if most is not None:  # as WEBSOCKETS_MAX_LOG_SIZE sets it when a program starts
            lab.patch.setattr(Frame, "MAX_LOG_SIZE", most)
        async with opened(lab, trouble) as there:
            how = await trouble.before(there) if trouble.before else {}
            await say_and_hear(there, trouble, {**how, "logger": _LogFile(log)})
        return await read_by_doctor(lab, log)

    return run


async def doctor_reads_slow(lab: Lab) -> Outcome:
    """A program was too slow, and the doctor reads its log."""
    log = lab.folder / "client.log"
    async with opened(lab, SLOW) as there:
        await there.made(lobby=False, consent=[])
        await _left_behind(there, logger=_LogFile(log))
    return await read_by_doctor(lab, log)


def looked_twice(first: Finished, again: Finished) -> Outcome:
    """Return what the doctor said while something was wrong; `again` it looked when nothing was."""
    back: Back = "when asked again" if again.status == 0 else "not yet"
    return Outcome(first.code, first.out, first.seconds, back, again.seconds)


async def doctor_at_full_house(lab: Lab) -> Outcome:
    """The doctor looks at a server that has as many sockets as it may; and again when one has left."""
    async with opened(lab, RoomTrouble("", "", rooms={"sockets": 1})) as there:
        await there.enter()
        env = {"NO_COLOR": "1", "COLUMNS": "400", "RINGLIGHT_STATE_DIR": str(lab.folder / "none")}
        first = await command("doctor", f"{there.sockets}/ws/v2", env=env, cwd=lab.folder)
        await _leaves(there)
        again = await command("doctor", f"{there.sockets}/ws/v2", env=env, cwd=lab.folder)
        return looked_twice(first, again)


async def doctor_at_mangled_token(lab: Lab) -> Outcome:
    """An address with a token that was cut on its way."""
    async with opened(lab, RoomTrouble("", "")) as there:
        made = await there.made(people=[{"role": "doctor"}])
        url = f"{there.sockets}/ws/signaling/visit/doctor?token="
        env = {"NO_COLOR": "1", "COLUMNS": "400", "RINGLIGHT_STATE_DIR": str(lab.folder / "none")}
        token = made["people"][0]["token"]
        first = await command("doctor", url + token[:40], env=env, cwd=lab.folder)
        again = await command("doctor", url + token, env=env, cwd=lab.folder)
        return looked_twice(first, again)


UNASKED = RoomTrouble("", "", says=("hello", signal(1, "answer")))  # the room passes it on unread, and says nothing
FLOOD = tuple(json.dumps({"t": "chat", "rid": rid, "text": "x"}) for rid in range(1, 1000))


def visit_cells() -> Iterator[Cell]:
    for trouble in MORE:
        yield Cell(trouble.code, Met.ROOM_SOCKET, trouble.what, socket_meets(trouble),
                   is_quick=trouble.code == "ROOM-ORIGIN")  # fmt: skip
    yield Cell("ROOM-SLOW", Met.ROOM_SOCKET, SLOW.what, socket_is_slow)
    yield Cell("ROOM-ALONE", Met.ROOM_SOCKET, "Redis dies", socket_is_alone)
    for refusal in REFUSALS:
        yield Cell(refusal.code, Met.API, refusal.what, api_refuses(refusal))
    yield Cell("ROOM-UNREADABLE", Met.API, "what Redis has of the room is damaged", api_cannot_read)
    yield Cell("ROOM-BUSY", Met.DOCTOR, "as many sockets as may be", doctor_at_full_house)
    yield Cell("ROOM-TOKEN", Met.DOCTOR, "a token that was cut", doctor_at_mangled_token)
    yield Cell("ROOM-ORDER", Met.DOCTOR, "the log of a program: an answer that nobody asked for",
               doctor_reads(UNASKED, most=2000))  # fmt: skip
    yield Cell("ROOM-SLOW", Met.DOCTOR, f"the log of a program: {SLOW.what}", doctor_reads_slow)
    for trouble in (*ROOM_TROUBLES, *MORE):
        if trouble.code.startswith("ROOM-"):
            says = ("hello", *FLOOD) if trouble.code == "ROOM-RATE" else trouble.says  # each with a number of its own
            yield Cell(trouble.code, Met.DOCTOR, f"the log of a program: {trouble.what}",
                       doctor_reads(replace(trouble, says=says, mend=None)))  # fmt: skip
    yield from visit_page_cells()
