"""Cells of the rooms: each refusal, met by the client in a browser and by a bare socket of a Python program."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from playwright.async_api import Page
from playwright.async_api import TimeoutError as Late
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from cells import Cell, Lab, Met, Outcome, Run
from own_redis import OwnRedis
from ringlight.faults import FAULTS
from ringlight.http.serving import listen
from ringlight.rooms.people import ROLES, Claims
from ringlight.rooms.tokens import Tokens
from ringlight.settings import RoomSettings
from ringlight.store.own_key import own_key
from room_house import house

Prepare = Callable[["House"], Awaitable[dict[str, Any]]]


@dataclass
class House:
    """A server with rooms, and those who are inside already."""

    http: httpx2.AsyncClient
    sockets: str
    state: Path
    redis: OwnRedis | None = None
    token: str = ""
    inside: list[ClientConnection] = field(default_factory=list)

    async def enter(self, role: str = "doctor", **hello: Any) -> ClientConnection:
        """Somebody enters and stays."""
        web = await connect(f"{self.sockets}/ws/v2", proxy=None)
        self.inside.append(web)
        await web.send(json.dumps({"t": "hello", "v": 2, "room": "visit", "role": role, **hello}))
        await hear(web, "welcome")
        return web

    async def made(self, **wanted: Any) -> Any:
        """A room is made."""
        return (await self.http.post("api/rooms", json={"id": "visit", **wanted})).json()


async def hear(web: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            frame: dict[str, Any] = json.loads(await web.recv())
            if frame["t"] == kind:
                return frame


@dataclass(frozen=True)
class RoomTrouble:
    """A refusal.

    Attributes:
        what: In words.
        code: The fault.
        before: What has happened; returns what the client is told to do otherwise: `url`, `role`, `token`, `origin`.
        rooms: Settings of the rooms.
        shared: Whether the rooms are kept in a Redis, as where there are several servers.
        keyed: Whether the server has a key, so that nobody enters without a token.
        says: What a bare socket says once it is in; a browser's client never does.
        later: What happens once it is in.
        mend: What ends the cause.
    """

    what: str
    code: str
    before: Prepare | None = None
    rooms: dict[str, Any] = field(default_factory=dict)
    shared: bool = False
    keyed: bool = False
    says: tuple[str, ...] = ()
    later: Prepare | None = None
    mend: Prepare | None = None


async def _full(house: House) -> dict[str, Any]:
    await house.enter()
    return {"role": "doctor"}


async def _leave(house: House) -> dict[str, Any]:
    for web in house.inside:
        await web.send('{"t":"bye"}')
        await web.wait_closed()
    return {}


async def _locked(house: House) -> dict[str, Any]:
    doctor = await house.enter()
    await doctor.send('{"t":"lock","rid":1,"on":true}')
    await hear(doctor, "ok")
    return {"role": "patient"}


async def _unlock(house: House) -> dict[str, Any]:
    await house.inside[0].send('{"t":"lock","rid":2,"on":false}')
    await hear(house.inside[0], "ok")
    return {}


async def _doctor_inside(house: House) -> dict[str, Any]:
    await house.enter()
    return {"role": "patient"}


async def _deny(house: House) -> dict[str, Any]:
    knock = await hear(house.inside[0], "knock")
    await house.inside[0].send(json.dumps({"t": "deny", "rid": 1, "id": knock["id"]}))
    return {}


async def _ended(house: House) -> dict[str, Any]:
    await house.made()
    await house.http.delete("api/rooms/visit")
    return {}


async def _early(house: House) -> dict[str, Any]:
    await house.made(opens=time.time() + 3)
    return {}


async def _until_open(_: House) -> dict[str, Any]:
    await asyncio.sleep(3.2)
    return {}


async def _end_it(house: House) -> dict[str, Any]:
    await house.http.delete("api/rooms/visit")
    return {}


async def _another_rooms_token(house: House) -> dict[str, Any]:
    made = await house.made(people=[{"role": "doctor"}])
    return {"token": made["people"][0]["token"] + "x"}


async def _late_token(house: House) -> dict[str, Any]:
    await house.made()
    tokens = Tokens(await asyncio.to_thread(own_key, house.state), 600)
    return {"token": tokens.sign(Claims("visit", "u_1", "clinician", ROLES["clinician"]), time.time() - 3600).reveal()}


async def _same_person(house: House) -> dict[str, Any]:
    made = await house.made(people=[{"role": "doctor"}])
    house.token = made["people"][0]["token"]
    return {"token": made["people"][0]["token"]}


async def _enter_elsewhere(house: House) -> dict[str, Any]:
    await house.enter(token=house.token)
    return {}


def _at(path: str) -> Prepare:
    async def before(house: House) -> dict[str, Any]:
        return {"url": f"{house.sockets}{path}"}

    return before


async def _undefined(_: House) -> dict[str, Any]:
    return {"url": "ws://undefined/ws/v2"}


async def _nobody(_: House) -> dict[str, Any]:
    with contextlib.closing(listen("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return {"url": f"ws://127.0.0.1:{port}/ws/v2"}


async def _open_house(house: House) -> dict[str, Any]:
    await house.made(lobby=False)
    return {"role": "patient"}


async def _king(_: House) -> dict[str, Any]:
    return {"role": "king"}


CHAT = '{"t":"chat","rid":1,"text":"x"}'
ROOM_TROUBLES = (
    RoomTrouble("the room is full", "ROOM-FULL", _full, {"capacity": 1}, mend=_leave),
    RoomTrouble("the room is locked", "ROOM-LOCKED", _locked, mend=_unlock),
    RoomTrouble("not let in", "ROOM-DENIED", _doctor_inside, later=_deny),
    RoomTrouble("the visit had ended", "ROOM-ENDED", _ended),
    RoomTrouble("the visit ends", "ROOM-ENDED", later=_end_it),
    RoomTrouble("too early", "ROOM-EARLY", _early, mend=_until_open),
    RoomTrouble("a token with a letter more", "ROOM-TOKEN", _another_rooms_token),
    RoomTrouble("a token whose time is over", "ROOM-TOKEN-EXPIRED", _late_token),
    RoomTrouble("no token where one is wanted", "ROOM-TOKEN-NEEDED", rooms={"open": False}),
    RoomTrouble("entered from elsewhere", "ROOM-REPLACED", _same_person, later=_enter_elsewhere),
    RoomTrouble("a role that nobody has", "ROOM-ROLE", _king),
    RoomTrouble("the id is empty", "ROOM-ID", _at("/ws/signaling//doctor")),
    RoomTrouble("a path that is none", "ROOM-PATH", _at("/nowhere")),
    RoomTrouble("an address that is none", "REACH-URL", _undefined),
    RoomTrouble("the server has stopped", "REACH-PORT", _nobody),
    RoomTrouble("no hello", "ROOM-HELLO", says=('{"t":"ping"}',)),
    RoomTrouble("no JSON", "ROOM-MESSAGE", says=("hello", "no JSON")),
    RoomTrouble("a message for nobody", "ROOM-PERSON", says=(
        "hello", '{"t":"chat","rid":1,"to":"p_none","text":"x"}')),
    RoomTrouble("chat from the waiting area", "ROOM-WAITING", _doctor_inside, says=("hello", CHAT)),
    RoomTrouble("a patient who admits", "ROOM-FORBIDDEN", _open_house,
                says=("hello", '{"t":"admit","rid":1}')),
    RoomTrouble("100 kB at once", "ROOM-SIZE", says=(
        "hello", json.dumps({"t": "chat", "rid": 1, "text": "x" * 100_000}))),
    RoomTrouble("a flood", "ROOM-RATE", says=("hello", *([CHAT] * 3000))),
    RoomTrouble("silence", "ROOM-SILENT", rooms={"silent_after": 1.0}, says=("hello",)),
)  # fmt: skip


@contextlib.asynccontextmanager
async def opened(lab: Lab, trouble: RoomTrouble) -> AsyncIterator[House]:
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(contextlib.closing(OwnRedis())) if trouble.shared else None
        rooms, url, key = RoomSettings(**trouble.rooms), redis.url if redis else None, "k" * 32
        async with house(
            lab.folder / "state", key=key if trouble.keyed else None, rooms=rooms, redis=url
        ) as (http, sockets):  # fmt: skip
            found = House(http, sockets, lab.folder / "state", redis)
            try:
                yield found
            finally:
                for web in found.inside:
                    await web.close()


# ---- a bare socket ----


def socket_meets(trouble: RoomTrouble) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with opened(lab, trouble) as there:
            how = await trouble.before(there) if trouble.before else {}
            began = time.monotonic()
            frame = await say_and_hear(there, trouble, how)
            named = time.monotonic() - began
            if frame is None:
                return Outcome(None, "", named)
            row = FAULTS[frame["code"]]
            said = str(frame.get("message") or row.title)
            if trouble.mend is None:
                return Outcome(frame["code"], said, named, "is final" if row.retry.value == "never" else "")
            await trouble.mend(there)
            began = time.monotonic()
            again = await say_and_hear(there, RoomTrouble("", "", says=trouble.says), how)
            back = again is None or again["code"] == "welcome"
            return Outcome(frame["code"], said, named, "when asked again" if back else "not yet",
                           time.monotonic() - began)  # fmt: skip

    return run


async def say_and_hear(there: House, trouble: RoomTrouble, how: dict[str, Any]) -> dict[str, Any] | None:
    """Enter, say what there is to say, and return the first error; without one within a moment `None`."""
    url = how.get("url", f"{there.sockets}/ws/v2")
    hello = {"t": "hello", "v": 2, "room": "visit", "role": how.get("role", "doctor")}
    if "token" in how:
        hello["token"] = how["token"]
    async with connect(url, proxy=None, max_size=2**24, origin=how.get("origin"), logger=how.get("logger")) as web:
        says = trouble.says or ("hello",)
        if says[0] == "hello":
            says = (json.dumps(hello), *says[1:])
        with contextlib.suppress(ConnectionClosed):  # what it was told before it was closed can still be read
            for text in says:
                await web.send(text)
        if trouble.later is not None:
            await hear(web, "welcome")
            await trouble.later(there)
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(10 if trouble.code else 1):
                while True:
                    frame: dict[str, Any] = json.loads(await web.recv())
                    if "error" in (frame.get("t"), frame.get("type")):  # of ours and of the old protocol
                        return frame
        if web.close_reason in FAULTS:
            return {"code": web.close_reason}
    return None


# ---- the client in a browser ----

JOIN = """async ([options]) => {
  const { Call } = await import("/rooms-page/client/index.js");
  globalThis.call = new Call({ audio: false, video: false, ...options });
  void call.join();
}"""
FAULT = """() => call.fault && (call.phase === "over" || call.fault.tried?.length > 0) ? { ...call.fault } : null"""


def page_meets(trouble: RoomTrouble) -> Run:
    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        async with opened(lab, trouble) as there:
            context = await lab.chromium.new_context(bypass_csp=True)
            page = await context.new_page()
            try:
                await page.goto(f"{there.http.base_url}health")
                how = await trouble.before(there) if trouble.before else {}
                return await _in_browser(page, there, trouble, how)
            finally:
                await context.close()

    return run


async def _in_browser(page: Page, there: House, trouble: RoomTrouble, how: dict[str, Any]) -> Outcome:
    options = {"room": "visit", "role": "doctor", "name": "A", **how}
    if "token" in how:
        options = {"token": how["token"]}
    began = time.monotonic()
    await page.evaluate(JOIN, [options])
    if trouble.later is not None:
        await page.wait_for_function("() => ['inside', 'waiting'].includes(call.phase)", timeout=20_000)
        await trouble.later(there)
        began = time.monotonic()
    found = await (await page.wait_for_function(FAULT, timeout=40_000)).json_value()
    named = time.monotonic() - began
    said = f"{found['title']}. {found['cause']}"
    if trouble.mend is None:
        final = FAULTS[found["code"]].retry.value == "never"
        return Outcome(found["code"], said, named, "is final" if final else "")
    began = time.monotonic()
    await trouble.mend(there)
    mended = time.monotonic()
    is_in = "() => ['inside', 'waiting'].includes(call.phase)"
    with contextlib.suppress(Late):
        await page.wait_for_function(is_in, timeout=15_000)
        return Outcome(found["code"], said, named, "by itself", time.monotonic() - mended)
    await page.evaluate("() => call.retryNow()")
    with contextlib.suppress(Late):
        await page.wait_for_function(is_in, timeout=5_000)
        return Outcome(found["code"], said, named, "when asked again", time.monotonic() - mended)
    await page.evaluate(JOIN, [options])
    try:
        await page.wait_for_function(is_in, timeout=10_000)
    except Late:
        return Outcome(found["code"], said, named, "not yet")
    return Outcome(found["code"], said, named, "when asked again", time.monotonic() - began)


def room_cells() -> Iterator[Cell]:
    for trouble in ROOM_TROUBLES:
        quick = trouble.what == "the room is full"
        if not trouble.says:
            yield Cell(trouble.code, Met.ROOM_PAGE, trouble.what, page_meets(trouble), is_quick=quick)
        if trouble.code.startswith("ROOM-"):
            yield Cell(trouble.code, Met.ROOM_SOCKET, trouble.what, socket_meets(trouble), is_quick=quick)
