"""Cells of the rooms' page in a browser: what a person reads there when a page, a line or somebody else does wrong."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from scenes.visit import CALL, DOOR, Act, Scene, Sight, page_reads
from troubles.between import Between
from troubles.rooms import SMALL_QUEUE, clear, flood, spoil

from cells import Cell, Met
from cells.room import hear


async def nothing(_: Scene) -> None:
    """The cause has ended by itself."""


# ---- what the page's own script does ----


def says(script: str) -> Act:
    async def act(scene: Scene) -> None:
        await scene.enter()
        await scene.run(script)

    return act


async def speaks_first(scene: Scene) -> None:
    """It says something before its hello."""
    await scene.page.goto(f"{scene.base}rooms/visit")
    await scene.run("""() => { first.push('{"t":"ping"}'); }""")
    await scene.page.fill("#name", "Ada")
    await scene.enter_as("clinician", "")


async def speaks_in_order(scene: Scene) -> None:
    await scene.run("() => { first.length = 0; }")


LOOP = """() => {
  globalThis.loop = setInterval(() => {
    for (let i = 0; i < 500; i += 1) lines.at(-1).send('{"t":"chat","text":"x"}');
  }, 100);
}"""


async def ends_the_loop(scene: Scene) -> None:
    await scene.run("() => clearInterval(loop)")


async def is_quiet(scene: Scene) -> None:
    await scene.enter()


async def does_not_know_that_it_waits(scene: Scene) -> None:
    """Somebody is sent back to wait, whose page does not hear of it, and writes."""
    await scene.there.made(lobby=False, consent=[])
    doctor = await scene.there.enter()
    await scene.enter("patient")
    await scene.run("() => { deaf.push('waiting'); }")
    patient = (await hear(doctor, "joined"))["person"]["id"]
    await doctor.send(f'{{"t":"send_back","rid":1,"id":"{patient}"}}')
    await hear(doctor, "ok")
    await scene.write("Hello?")


async def does_not_know_that_it_withdrew(scene: Scene) -> None:
    """A patient withdraws consent to an observer past the page, which then writes to the observer."""
    await scene.there.made(lobby=False, consent=["observer"])
    await scene.there.enter("observer")
    await scene.enter("patient", 'body[data-screen="consent"]')
    for box in await scene.page.locator(".consent input[type=checkbox]").all():
        await box.check()
    await scene.page.click(".consent button.primary")
    await scene.page.wait_for_selector(CALL)
    await scene.run("""() => lines.at(-1).send('{"t":"consent","what":["observer"],"given":false}')""")
    await scene.write("Who are you?")


async def writes_too_much(scene: Scene) -> None:
    """Four thousand letters of three bytes each."""
    await scene.there.made(lobby=False, consent=[])
    await scene.there.enter("patient")
    await scene.enter()
    await scene.write("€" * 4000)


async def loses_its_camera(scene: Scene) -> None:
    """A camera is taken out of the room, and the page does not hear of it."""
    await scene.there.made(lobby=False, cameras=["front-door"])
    await scene.page.goto(scene.base + await scene.link())
    await scene.enter_now()
    await scene.page.wait_for_selector('.camera-tile[data-state="playing"]')
    await scene.run("() => { deaf.push('left'); }")
    await scene.there.http.delete("api/rooms/visit/cameras/front-door")


async def bring_camera_back(scene: Scene) -> None:
    await scene.there.http.post("api/rooms/visit/cameras", json={"camera": "front-door"})


async def try_camera(scene: Scene) -> None:
    await scene.page.click(".camera-tile .tile-veil button:visible >> text=Try again")


# ---- what others do ----


async def lets_nobody_in(scene: Scene) -> None:
    """Whoever knocked has left; the page does not hear of it, and the doctor lets them in."""
    await scene.enter()
    await scene.run("() => { deaf.push('knock_gone'); }")
    patient = await scene.there.enter("patient")
    await scene.page.wait_for_selector("#admit-next")
    await patient.send('{"t":"bye"}')
    await patient.wait_closed()
    await scene.page.click("#admit-next")


async def lets_one_too_many_in(scene: Scene) -> None:
    await scene.enter()
    await scene.there.enter("patient")
    await scene.page.click("#admit-next")


async def make_room(scene: Scene) -> None:
    """Somebody who was inside leaves."""
    doctor = scene.there.inside[0]
    await doctor.send('{"t":"bye"}')
    await doctor.wait_closed()


async def full_but_one(scene: Scene) -> None:
    """A second doctor takes the last place."""
    await scene.there.enter()
    await lets_one_too_many_in(scene)


async def sends_a_colleague_out(scene: Scene) -> None:
    """Somebody may admit by their token, and so cannot be sent back to wait."""
    made = await scene.there.made(people=[{"role": "interpreter", "name": "Ines", "may": ["admit", "signal", "chat"]}])
    await scene.there.enter("interpreter", token=made["people"][0]["token"])
    await scene.enter()
    await scene.page.click("#open-people")
    await scene.page.click("#people button[aria-label*=Ines]")


async def link_was_faster(scene: Scene) -> None:
    """Two have the same link: the other one enters while this one looks at the door."""
    await scene.there.made()
    link = await scene.link()
    await scene.page.goto(scene.base + link)
    await scene.page.wait_for_selector(DOOR)
    await scene.there.http.post(link, headers={"Accept": "application/json"})
    await scene.enter_now("")


async def link_ran_out(scene: Scene) -> None:
    """Its time ends while somebody looks at the door."""
    await scene.there.made()
    ends = time.time() + 4
    await scene.page.goto(scene.base + await scene.link(expires=ends))
    await scene.page.wait_for_selector(DOOR)
    await asyncio.sleep(max(0.0, ends - time.time()) + 0.2)
    await scene.enter_now("")


async def link_was_cut(scene: Scene) -> None:
    await scene.there.made()
    await scene.page.goto(scene.base + (await scene.link())[:-4])
    await scene.page.click(".for-support summary")


async def link_was_used(scene: Scene) -> None:
    await scene.there.made()
    link = await scene.link()
    await scene.there.http.post(link, headers={"Accept": "application/json"})
    await scene.page.goto(scene.base + link)
    await scene.page.click(".for-support summary")


# ---- what the server, its Redis and the way to it do ----


async def finds_it_busy(scene: Scene) -> None:
    await scene.there.enter("patient")
    await scene.enter(until="")


async def one_leaves(scene: Scene) -> None:
    await make_room(scene)


async def finds_it_spoilt(scene: Scene) -> None:
    await spoil(scene.there)
    await scene.enter(until="")


async def delete_it(scene: Scene) -> None:
    await clear(scene.there)


async def press_again(scene: Scene) -> None:
    """From the end back to the door, and in."""
    await scene.page.click("#try-again")
    await scene.enter_as("clinician", "")


async def redis_dies(scene: Scene) -> None:
    assert scene.there.redis is not None
    await scene.enter()
    await asyncio.to_thread(scene.there.redis.kill)


async def redis_is_back(scene: Scene) -> None:
    assert scene.there.redis is not None
    await asyncio.to_thread(scene.there.redis.start)


async def through(scene: Scene, **how: Any) -> str:
    """Put something between the page and the server; return the address that the page then uses."""
    between = Between(int(scene.there.sockets.rpartition(":")[2]), **how)
    scene.kept["between"] = between
    return f"http://127.0.0.1:{await between.open()}/"


async def has_another_name(scene: Scene) -> None:
    """A proxy gives the server its own name in place of the one that the browser uses."""
    await scene.enter(until="", base=await through(scene, renames=True))


async def hangs_on_a_slow_line(scene: Scene) -> None:
    """Nothing reaches the page for some seconds, in which others say much."""
    await scene.there.made(lobby=False, consent=[])
    await scene.enter(base=await through(scene))
    scene.kept["between"].hold()
    await flood(scene.there)
    await hear(scene.there.inside[0], "left")
    scene.kept["between"].go_on()


SIGHTS = (
    Sight("no JSON, again and again", "ROOM-MESSAGE", ".end",
          says("() => { for (let i = 0; i < 60; i += 1) lines.at(-1).send('no JSON'); }"),
          mend=nothing, again=press_again),
    Sight("100 kB at once", "ROOM-SIZE", ".end", says("() => lines.at(-1).send('x'.repeat(100_000))"),
          mend=nothing, again=press_again),
    Sight("more words than a message holds", "ROOM-SIZE", ".line-state", writes_too_much,
          {"rooms": {"message_bytes": 8192}}),
    Sight("floods the room in a loop", "ROOM-RATE", "#away", says(LOOP), mend=ends_the_loop),
    Sight("speaks before its hello", "ROOM-HELLO", "#away", speaks_first, mend=speaks_in_order),
    Sight("silence", "ROOM-SILENT", "#away", is_quiet, {"rooms": {"silent_after": 3.0}}, mend=nothing),
    Sight("writes while it waits without knowing", "ROOM-WAITING", ".line-state", does_not_know_that_it_waits),
    Sight("writes to an observer, its consent withdrawn", "ROOM-CONSENT", ".line-state",
          does_not_know_that_it_withdrew),
    Sight("a camera that was taken out of the room", "ROOM-CAMERA", ".camera-tile .tile-veil", loses_its_camera,
          {"keyed": True}, bring_camera_back, try_camera, '.camera-tile[data-state="playing"]'),
    Sight("lets somebody in who has left", "ROOM-PERSON", ".panel-said", lets_nobody_in),
    Sight("lets one too many in", "ROOM-FULL", ".panel-said", full_but_one, {"rooms": {"capacity": 2}}),
    Sight("sends somebody out who may admit", "ROOM-FORBIDDEN", ".panel-said", sends_a_colleague_out),
    Sight("a link that another one was faster with", "ROOM-LINK-USED", ".door-failure", link_was_faster),
    Sight("a link that was used", "ROOM-LINK-USED", ".for-support", link_was_used),
    Sight("a link whose time ends at the door", "ROOM-LINK-EXPIRED", ".door-failure", link_ran_out),
    Sight("a link that was cut", "ROOM-LINK-UNKNOWN", ".for-support", link_was_cut),
    Sight("as many sockets as may be", "ROOM-BUSY", "#away", finds_it_busy, {"rooms": {"sockets": 1}}, one_leaves),
    Sight("what Redis has of the room is damaged", "ROOM-UNREADABLE", ".end", finds_it_spoilt, {"shared": True},
          delete_it, press_again),
    Sight("Redis dies", "ROOM-ALONE", "#notice", redis_dies, {"shared": True}, redis_is_back,
          back=f"{CALL}:has(#notice[hidden])"),
    Sight("a proxy that gives the server another name", "ROOM-ORIGIN", ".end", has_another_name),
    Sight("a line that takes nothing for seconds", "ROOM-SLOW", "#away", hangs_on_a_slow_line, {"rooms": SMALL_QUEUE},
          mend=nothing),
)  # fmt: skip


def visit_page_cells() -> Iterator[Cell]:
    for sight in SIGHTS:
        yield Cell(sight.code, Met.ROOM_PAGE, sight.what, page_reads(sight))
