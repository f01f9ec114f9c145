"""Cells of signaling and media: what befalls a view that runs, and why a picture or a recording of it is refused."""

import asyncio
import contextlib
import functools
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any

import httpx2

from causes import REGIONAL, Trouble, _closed, _socket
from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command, signed_in
from cells.doctor import doctor_sees
from cells.live_view import ITSELF, client_meets, named_in, own_server, troubled
from cells.page import page_meets
from live_view_scenarios import switched
from patients import Patient, Scenario, Setting, Stage, ring
from ringlight.cli.servers import DEMO_DEADLINES, DEMO_LINGER
from ringlight.doctor.plans.asked import Asked
from ringlight.errors import RingError
from ringlight.simulator import signaling
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing

PATH = "api/cameras/front-door"
RECORDED = "4"  # seconds, so that what befalls the view does so while it is recorded

# Ring says in its close frame which message it did not understand.
REJECTED = tuple(
    Trouble(f"socket 4002: {text}", code, during=_socket(4002, text))
    for code, text in (
        ("SIG-FORMAT", "required field sdp is missing"), ("SIG-SESSION-ID", "bad session_id"),
        ("SIG-CANDIDATE", "candidate not understood"), ("SIG-METHOD", "unknown method"),
        ("SIG-ORDER", "message out of order"),
    )
)  # fmt: skip
NOISE = Trouble("no JSON", "SIG-NOISE", ("no-json",))
DTLS = Trouble("another certificate", "MEDIA-DTLS", ("other-certificate",))
STALLED = Trouble("the video stops", "MEDIA-STALLED", ("video-stops",), deadlines={"stall_timeout": 0.5})
NOTICE = Trouble("Ring complains", None, ("bad-notice",), note="SIG-NOTICE")
OVER_TCP = Trouble("UDP blocked", None, ("udp-blocked",), note="MEDIA-TCP", deadlines={"tcp_after": 0.3})
DIRECTION = Trouble("answered sendrecv", None, ("video-sendrecv",), note="SDP-DIRECTION")
CLOSED = Trouble("reason 0", "SIG-CLOSED", during=_closed(0))
LIMIT = Trouble("reason 10", "SIG-TIME-LIMIT", during=_closed(10, "answered_timeout"))
# What is got over by itself while somebody watches or records: another view goes on in its place.
REOPENED = (
    Trouble("pings unheard", "SIG-PING", ("ping-lost",)),
    Trouble("reason 31", "SIG-CLOSE-OTHER", ("unknown-reason",)),
    Trouble("socket 1000", "SIG-ENDED", ("socket-1000",)),
    Trouble("cut", "SIG-DROPPED", ("socket-1006",)),
    STALLED,
)
FINAL = (
    *REJECTED,
    Trouble("no activation", "SIG-NO-ACTIVATION", ("not-activated",)),
    Trouble("socket 4400", "SIG-REJECTED", ("socket-4400",)),
)  # fmt: skip
REGION = Trouble("a host of a region", "SIG-REGION", settings={"ring_signaling_url": REGIONAL})


# ---- the server's API ----


async def _watch(http: httpx2.AsyncClient, live: asyncio.Event) -> None:
    """Watch as a player does, until the server ends it."""
    with contextlib.suppress(httpx2.HTTPError):
        async with http.stream("GET", f"{PATH}/live.mp4") as film:
            async for _ in film.aiter_bytes():
                live.set()


def _told(progress: dict[str, Any]) -> tuple[str | None, str]:
    """Return the first fault that the state of a view names, and its words."""
    for row in (progress["fault"], progress["retry"]):
        if row is not None:
            return row["code"], f"{row['title']}. {row['cause']} {row['detail'] or ''}"
    return next(((code, note) for note in progress["notes"] if (code := named_in(note))), (None, ""))


def api_watches(trouble: Trouble) -> Run:
    """Somebody watches `live.mp4`, and who listens to the camera's events is told."""

    async def run(lab: Lab) -> Outcome:
        lab.patch.setattr(signaling, "PING_LOST_AFTER", 1.0)
        async with (
            own_server(lab, DEMO_DEADLINES, None, None, **trouble.settings) as (ring, url),
            httpx2.AsyncClient(base_url=url, timeout=60) as http,
        ):
            await http.get("api/cameras")
            ring.world.switch(list(trouble.on))
            live, states = asyncio.Event(), _states(http)
            watching = asyncio.create_task(_watch(http, live))
            try:
                if trouble.during is not None:
                    await live.wait()
                    trouble.during(ring)
                began = time.monotonic()
                async with asyncio.timeout(30):
                    code, said = await anext(states)
                    while code is None:
                        code, said = await anext(states)
                named = time.monotonic() - began
                if trouble.settings:  # only another start of the server mends these
                    return Outcome(code, said, named)
                ring.world.switch([])
                return await _comes_back(http, code, said, named)
            finally:
                watching.cancel()
                await asyncio.wait({watching})
                await states.aclose()

    return run


async def _states(http: httpx2.AsyncClient) -> AsyncGenerator[tuple[str | None, str], None]:
    async with http.stream("GET", f"{PATH}/events") as events:
        async for line in events.aiter_lines():
            if line.startswith("data: "):
                yield _told(json.loads(line.removeprefix("data: ")))


async def _comes_back(http: httpx2.AsyncClient, code: str | None, said: str, named: float) -> Outcome:
    """Look whether the view goes on by itself; else ask for a picture."""
    began = time.monotonic()
    while time.monotonic() - began < ITSELF:
        state = (await http.get(PATH)).json()["view"]
        if state == "live":
            return Outcome(code, said, named, "by itself", time.monotonic() - began)
        if state in ("failed", "closed"):
            break
        await asyncio.sleep(0.05)
    back = (await http.get(f"{PATH}/snapshot.jpg")).status_code == 200
    return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)


def api_refuses_picture(on: tuple[str, ...], **live_view: Any) -> Run:
    """A picture of what the settings let through, and of what they do not."""

    async def run(lab: Lab) -> Outcome:
        settings = {**DEMO_DEADLINES, **live_view}
        async with own_server(lab, settings) as (ring, url), httpx2.AsyncClient(base_url=url, timeout=60) as http:
            await http.get("api/cameras")
            ring.world.switch(list(on))
            began = time.monotonic()
            problem = (await http.get(f"{PATH}/snapshot.jpg")).json()
            named = time.monotonic() - began
            ring.world.switch([])
            code, said = problem["code"], f"{problem['title']}. {problem['cause']}"
            return await _asked_again(http, code, said, named)

    return run


async def _asked_again(http: httpx2.AsyncClient, code: str, said: str, named: float) -> Outcome:
    """Ask for a picture, once the view of before is over, until another one brings it."""
    began, back = time.monotonic(), False
    while not back and time.monotonic() - began < ITSELF:
        await asyncio.sleep(1.5 * DEMO_LINGER)
        back = (await http.get(f"{PATH}/snapshot.jpg")).status_code == 200
    return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)


# ---- commands ----


def command_records(trouble: Trouble, **given: str) -> Run:
    """`ringlight record`, which says on stderr what it gets over, and ends with what it does not."""

    async def run(lab: Lab) -> Outcome:
        lab.patch.setattr(signaling, "PING_LOST_AFTER", 1.0)
        async with signed_in(lab) as (ring, env):
            settings = {f"RINGLIGHT_{name.upper()}": value for name, value in trouble.settings.items()}
            ring.world.switch(list(trouble.on))
            wanted = ("record", "Front Door", "door.mp4", "--seconds", RECORDED)
            recording = asyncio.create_task(command(*wanted, env={**env, **given, **settings}, cwd=lab.folder))
            if trouble.during is not None:
                await _befall(ring, trouble.during)
            first = await recording
            assert "Traceback" not in first.err, first.err
            if first.status == 0:
                after = first.seconds - first.read_after
                return Outcome(first.code, first.said, first.read_after, "by itself", after)
            ring.world.switch([])
            again = await command("record", "Front Door", "again.mp4", "--seconds", "1", env=env, cwd=lab.folder)
            return first.then(again)

    return run


async def _befall(ring: SimulatedRing, trouble: Callable[[SimulatedRing], None]) -> None:
    """Wait until a view has had video for a moment, then let it happen."""
    while not any(
        message["method"] == "activate_session" for dialog in ring.world.dialogs for message in dialog.messages
    ):
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)
    trouble(ring)


# ---- the live-view client ----


def client_asks_picture(on: tuple[str, ...], **live_view: Any) -> Run:
    """A program that opens a view and asks it for a picture."""

    async def run(lab: Lab) -> Outcome:
        trouble = Trouble("", None, on, deadlines=live_view)
        async with troubled(trouble) as (ring, account):
            camera = await account.camera("front-door")
            began = time.monotonic()
            async with camera.live_view() as view:
                try:
                    return Outcome(None, f"{len(await view.snapshot(within=1.0))} bytes")
                except RingError as error:
                    code, said, named = error.code, str(error), time.monotonic() - began
            ring.world.switch([])
            began, back = time.monotonic(), False
            while not back and time.monotonic() - began < ITSELF:
                await asyncio.sleep(0.2)  # the view of before closes
                with contextlib.suppress(RingError):
                    async with camera.live_view() as view:
                        back = len(await view.snapshot(within=1.0)) > 1000
            return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)

    return run


# ---- the doctor ----


def _while_looking(trouble: Callable[[SimulatedRing], None]) -> Setting:
    """Something befalls the view while the doctor looks at it."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        world = World()
        async with ring(stage, world=world) as known:
            befalling = asyncio.create_task(_befall(SimulatedRing(str(known.ring_url), world), trouble))
            yield Patient(known, ("Front Door",), Asked(seconds=20))
            await befalling

    return setting


ONCE = {"retries": 0, "reopen_retries": 0}
PATIENTS = (
    Scenario("frames that are no JSON", "SIG-NOISE", switched("no-json")),
    Scenario("ended by Ring in order", "SIG-CLOSED", _while_looking(_closed(0))),
    Scenario("session not found", "SIG-SESSION-LOST", switched("session-lost")),
    Scenario("a reason that nobody knows", "SIG-CLOSE-OTHER", switched("unknown-reason", seconds=20, live_view=ONCE)),
    Scenario("a reason that nobody knows, got over", "SIG-CLOSE-OTHER", switched("unknown-reason", seconds=3)),
    Scenario("no session", "SIG-NO-SESSION", switched("no-session", live_view={**ONCE, "session_timeout": 0.5})),
    Scenario("no answer", "SIG-NO-ANSWER", switched("no-answer", live_view={**ONCE, "answer_timeout": 0.5})),
    Scenario("a camera that does not wake", "SIG-NO-CAMERA",
             switched("no-camera", live_view={**ONCE, "camera_timeout": 0.5})),
    Scenario("Ring complains", "SIG-NOTICE", switched("bad-notice")),
    Scenario("another certificate", "MEDIA-DTLS", switched("other-certificate", live_view=ONCE)),
    Scenario("the video stops", "MEDIA-STALLED",
             switched("video-stops", seconds=20, live_view={**ONCE, "stall_timeout": 1.0})),
    Scenario("HEVC that is let through", "MEDIA-CODEC", switched("hevc-only", live_view={"hevc": True})),
    Scenario("no key frame", "MEDIA-NO-KEY-FRAME", switched("no-key-frame")),
)  # fmt: skip


# ---- all of them ----

HEVC = ("hevc-only",)


def media_cells() -> Iterator[Cell]:
    for trouble in (NOISE, *REJECTED, NOTICE, OVER_TCP, DTLS, STALLED):
        yield _cell(trouble, Met.VIEW, client_meets)
    yield Cell("MEDIA-CODEC", Met.VIEW, "a picture of HEVC", client_asks_picture(HEVC, hevc=True))
    yield Cell("MEDIA-NO-KEY-FRAME", Met.VIEW, "no key frame", client_asks_picture(("no-key-frame",)))
    for trouble in (*REOPENED, *FINAL, LIMIT, NOTICE, OVER_TCP, DIRECTION, REGION):
        yield _cell(trouble, Met.API, api_watches)
    hevc = api_refuses_picture(HEVC, hevc=True)
    yield Cell("MEDIA-CODEC", Met.API, "a picture of HEVC", hevc)
    yield Cell("MEDIA-NO-KEY-FRAME", Met.API, "no key frame", api_refuses_picture(("no-key-frame",)))
    for trouble in (*REOPENED, *FINAL, CLOSED, LIMIT, NOTICE, REGION):
        yield _cell(trouble, Met.COMMAND, command_records)
    recorded = functools.partial(command_records, RINGLIGHT_LIVE_VIEW__HEVC="true")
    yield _cell(Trouble("HEVC that is let through", "MEDIA-CODEC", HEVC), Met.COMMAND, recorded)
    for scenario in PATIENTS:
        yield Cell(scenario.code, Met.DOCTOR, scenario.cause, doctor_sees(scenario))
    for trouble in (*REJECTED, REGION):
        yield _cell(trouble, Met.PAGE, page_meets)


def _cell(trouble: Trouble, met: Met, meets: Callable[[Trouble], Run]) -> Cell:
    code = trouble.code or trouble.note
    assert code is not None
    return Cell(code, met, trouble.what, meets(trouble))
