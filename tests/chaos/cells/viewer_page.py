"""Cells of the page: what only its own browser finds out, and what the server refuses it."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from playwright.async_api import Page, Route
from scenes.account_page import PageAsk, page_reads

from cells import Cell, Lab, Met, Outcome, Run
from cells.connection import VIEW
from cells.live_view import own_server
from cells.page import until_playing, until_told
from ringlight.cli.servers import DEMO_DEADLINES
from ringlight.server import playback

Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True)
class Handicap:
    """What is wrong with a browser or its server.

    Attributes:
        what: In words.
        code: The fault.
        script: Runs in the browser before the page's own, and takes something from it.
        act: What is done with the page once a picture is there; `None` looks at what becomes of opening it.
        mend: Ends the cause; `None` where only another browser or a setting helps.
        given: Settings of the server.
        seats: How many may watch at once.
    """

    what: str
    code: str
    script: str = ""
    act: Act | None = None
    mend: Act | None = None
    given: dict[str, Any] = field(default_factory=dict)
    seats: int | None = None


RECORDINGS = "api/cameras/front-door/recordings"
# Firefox has none until it has loaded its plugin.
NO_H264 = """
  const caps = RTCRtpReceiver.getCapabilities.bind(RTCRtpReceiver);
  RTCRtpReceiver.getCapabilities = (kind) => {
    const found = caps(kind);
    return { ...found, codecs: found.codecs.filter((codec) => codec.mimeType !== "video/H264") };
  };
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (kind, init) {
    const made = add.call(this, kind, init);
    if (kind === "video") made.setCodecPreferences(RTCRtpReceiver.getCapabilities("video").codecs);
    return made;
  };
"""
# What comes goes to a script and never to the decoder.
NO_DECODER = """
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(settings) {
      super({ ...settings, encodedInsertableStreams: true });
      this.addEventListener("track", (event) => event.receiver.createEncodedStreams());
    }
  };
"""


async def _no_way(route: Route) -> None:
    """Let the answer name an address where nobody is, as a router does that passes no UDP and no TCP."""
    answer = await route.fetch()
    lines = [line for line in (await answer.text()).split("\r\n") if not line.startswith("a=candidate:")]
    await route.fulfill(response=answer, body="\r\n".join(lines))


async def _lead_nowhere(page: Page) -> None:
    await page.route("**/whep/front-door", _no_way)


async def _lead_there(page: Page) -> None:
    await page.unroute("**/whep/front-door")


async def _record(page: Page) -> None:
    await page.click("#record")


async def _record_after_another(page: Page) -> None:
    """Somebody else records meanwhile."""
    async with httpx2.AsyncClient(base_url=page.url) as http:
        assert (await http.post(RECORDINGS)).status_code == 201
    await _record(page)


async def _lose_the_recording(page: Page) -> None:
    """Somebody else ends and deletes it while the page's questions get nowhere for a moment."""
    await _record(page)
    await page.wait_for_selector("#record:has-text('Stop')")
    await page.route(f"**/{RECORDINGS}/*", lambda route: route.abort())
    async with httpx2.AsyncClient(base_url=page.url) as http:
        name = (await http.get(RECORDINGS)).json()["recordings"][0]["id"]
        assert [(await http.delete(f"{RECORDINGS}/{name}")).status_code for _ in range(2)] == [200, 204]
    await page.unroute(f"**/{RECORDINGS}/*")


HANDICAPS = (
    Handicap("a browser without H.264", "VIEWER-OFFER", NO_H264),
    Handicap("a browser that shows no picture", "VIEWER-NO-FRAME", NO_DECODER),
    Handicap("no packet comes through to the browser", "VIEWER-UDP", mend=_lead_there),
    Handicap("no place is left to watch", "VIEWER-MANY", seats=0),
    Handicap("no room is left for recordings", "FILE-FULL", act=_record, given={"recordings": {"total": 0.0001}}),
    Handicap("one recording more than is allowed", "FILE-BUSY", act=_record_after_another,
             given={"recordings": {"at_once": 1}}),
    Handicap("a recording that somebody else has deleted", "FILE-GONE", act=_lose_the_recording),
    Handicap("a folder for recordings that is none", "FILE-WRITE", act=_record,
             given={"recordings": {"dir": "/dev/null/recordings"}}),
)  # fmt: skip


def page_with(handicap: Handicap) -> Run:
    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        if handicap.seats is not None:
            lab.patch.setattr(playback, "MAX_SESSIONS", handicap.seats)
        async with own_server(lab, **handicap.given) as (_, url), contextlib.AsyncExitStack() as stack:
            page = await lab.chromium.new_page()
            stack.push_async_callback(page.close)
            if handicap.script:
                await page.add_init_script(handicap.script)
            if handicap.mend is not None:
                await _lead_nowhere(page)
            await page.goto(url)
            await page.locator("[data-camera]").first.click()
            if handicap.act is not None:
                assert await until_playing(page, within=30), "no picture before the trouble"
                await handicap.act(page)
            began = time.monotonic()
            code, said, _ = await until_told(page, within=45)
            named = time.monotonic() - began
            if handicap.mend is None:
                return Outcome(code, said, named)
            await handicap.mend(page)
            began = time.monotonic()
            await page.locator("#try-again").click()
            back = await until_playing(page, within=30)
            return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)

    return run


HEVC_STILL = PageAsk(
    ('[data-controls="back-yard"] summary', '[data-controls="back-yard"] [data-control="picture"]'),
    '[data-controls="back-yard"] [data-fault-code]',
)  # fmt: skip


async def picture_of_hevc(lab: Lab) -> Outcome:
    """The settings let HEVC through; a camera on battery that streams it takes no picture beside, and its view none."""
    assert lab.chromium is not None
    settings = {**DEMO_DEADLINES, "hevc": True}
    async with own_server(lab, settings, {"linger": 8}) as (ring, url), httpx2.AsyncClient(base_url=url) as http:
        page = await lab.chromium.new_page()
        try:
            await http.get("api/cameras")
            ring.world.switch(["hevc-only"])
            await http.get("api/cameras/back-yard/snapshot.jpg", timeout=30)  # it streams for some seconds

            async def mend() -> None:
                ring.world.switch([])
                while (await http.get("api/cameras/back-yard")).json()["view"] == "live":
                    await asyncio.sleep(0.2)

            return await page_reads(page, url, HEVC_STILL, mend)
        finally:
            await page.close()


async def _without_codecs(route: Route) -> None:
    """Let the answer lack what the browser needs for any picture, as a program in between does that rewrites it."""
    answer = await route.fetch()
    lines = [line for line in (await answer.text()).split("\r\n") if not line.startswith("a=rtpmap:")]
    await route.fulfill(response=answer, body="\r\n".join(lines).replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"))


async def _view_reads(page: Page) -> tuple[str, str, float]:
    """Let a room's client open a camera; return the fault that it names, its words, and after how many seconds."""
    began = time.monotonic()
    await page.evaluate(VIEW)
    told = await page.wait_for_function("() => view.fault && { ...view.fault }", timeout=30_000)
    fault, named = await told.json_value(), time.monotonic() - began
    return fault["code"], f"{fault['title']}. {fault['cause']}", named


async def _view_plays(page: Page) -> float:
    """Wait until it plays; return the seconds that it took."""
    began = time.monotonic()
    await page.wait_for_function('() => view.state === "playing"', timeout=20_000)
    return time.monotonic() - began


async def tile_of_a_camera(lab: Lab) -> Outcome:
    """A room's client shows a camera, and gets an answer that its browser can make nothing of."""
    assert lab.chromium is not None
    async with own_server(lab) as (_, url):
        context = await lab.chromium.new_context(bypass_csp=True)
        page = await context.new_page()
        try:
            await page.goto(f"{url}health")
            await page.route("**/whep/front-door*", _without_codecs)
            read = await _view_reads(page)
            await page.unroute("**/whep/front-door*")
            await page.evaluate("() => void view.open()")
            return Outcome(*read, "when asked again", await _view_plays(page))
        finally:
            await context.close()


async def tile_without_key_frames(lab: Lab) -> Outcome:
    """A room's client has a path to a camera that sends no key frame, and then does."""
    assert lab.chromium is not None
    async with own_server(lab) as (ring, url):
        ring.world.switch(["no-key-frame"])
        context = await lab.chromium.new_context(bypass_csp=True)
        page = await context.new_page()
        try:
            await page.goto(f"{url}health")
            read = await _view_reads(page)
            ring.world.switch([])
            return Outcome(*read, "by itself", await _view_plays(page))
        finally:
            await context.close()


def viewer_page_cells() -> Iterator[Cell]:
    yield Cell(
        "VIEWER-NO-FRAME", Met.ROOM_PAGE, "an answer that cannot be used, for a camera in a room", tile_of_a_camera
    )
    yield Cell("MEDIA-NO-KEY-FRAME", Met.ROOM_PAGE, "no key frame, for a camera in a room", tile_without_key_frames)
    yield Cell("MEDIA-CODEC", Met.PAGE, "a picture of HEVC", picture_of_hevc)
    for handicap in HANDICAPS:
        yield Cell(handicap.code, Met.PAGE, handicap.what, page_with(handicap))
