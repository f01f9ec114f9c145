"""Cells of what a browser lacks, refuses or measures, met in calls and before them; and how such a one is started."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from another_program import another_program
from calling import KEEP_CONNECTIONS, Narrow
from cells import Cell, Lab, Met, Outcome, Run
from conftest import CHROMIUM_FLAGS
from own_coturn import OwnCoturn, SharedCoturn
from ringlight.media.ice_servers import lent
from ringlight.secrets import Secret
from room_house import house
from tones import tone

NAMED = "--host-resolver-rules=MAP clinic.example 127.0.0.1"
MADE_UP = "--use-fake-device-for-media-stream"
GIVEN = "--use-fake-ui-for-media-stream"  # the person says yes to every question
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
NO_WEBRTC = "document.addEventListener('DOMContentLoaded', () => delete globalThis.RTCPeerConnection)"
PRECALL = """async ([options, code]) => {
  const { Precall } = await import("/rooms-page/client/index.js");
  const precall = new Precall(options);
  const report = await precall.run();
  precall.stop();
  const fault = report.checks.map(({ fault }) => fault).find((fault) => fault?.code === report.codes[0]) ?? null;
  return { codes: report.codes, said: fault ? `${fault.title}. ${fault.cause}` : "" };
}"""


@contextlib.asynccontextmanager
async def chromium(lab: Lab, *flags: str) -> AsyncIterator[Browser]:
    """A Chromium with flags of its own."""
    assert lab.chromium is not None
    browser = await lab.chromium.browser_type.launch(
        executable_path="/usr/bin/chromium", args=[*CHROMIUM_FLAGS, *flags]
    )
    try:
        yield browser
    finally:
        await browser.close()


async def let(context: BrowserContext, page: Page, origin: str, setting: str) -> None:
    """Have the browser's user allow or deny camera and microphone to an origin, for good."""
    session = await context.new_cdp_session(page)
    target = (await session.send("Target.getTargetInfo"))["targetInfo"]["browserContextId"]
    for name in ("camera", "microphone"):
        wanted = {"permission": {"name": name}, "setting": setting, "origin": origin.rstrip("/")}
        await session.send("Browser.setPermission", {**wanted, "browserContextId": target})


# ---- the checks before a call ----


@dataclass(frozen=True)
class Check:
    """What the checks before a call find.

    Attributes:
        what: In words.
        code: The fault, which must be the worst of all.
        flags: Of Chromium; `{folder}` is the lab's.
        ice: Makes the TURN servers of the room.
        denied: Whether the person has refused camera and microphone; they are allowed afterwards.
        elsewhere: Whether the page came by http from another machine.
        before: A script that runs before those of the page.
    """

    what: str
    code: str
    flags: tuple[str, ...] = (MADE_UP, GIVEN)
    ice: Callable[[SharedCoturn], AbstractAsyncContextManager[list[dict[str, str]]]] | None = None
    denied: bool = False
    elsewhere: bool = False
    before: str = ""


def _relay(port: int, secret: str) -> list[dict[str, str]]:
    name, password = lent(Secret(secret), "lab", time.time() + 3600)
    return [{"urls": f"turn:127.0.0.1:{port}", "username": name, "credential": password}]


def _relays(*, port: int = 0, secret: str = "") -> Callable[[SharedCoturn], AbstractAsyncContextManager[Any]]:
    @contextlib.asynccontextmanager
    async def made(shared: SharedCoturn) -> AsyncIterator[list[dict[str, str]]]:
        coturn = await shared()
        yield _relay(port or coturn.port, secret or coturn.secret)

    return made


@contextlib.asynccontextmanager
async def _thin(shared: SharedCoturn) -> AsyncIterator[list[dict[str, str]]]:
    coturn = await shared()
    with contextlib.closing(Narrow(coturn.port)) as narrow:
        narrow.kbps = 300
        yield _relay(narrow.port, coturn.secret)


@contextlib.asynccontextmanager
async def _leads_nowhere(_: SharedCoturn) -> AsyncIterator[list[dict[str, str]]]:
    """The lent addresses are of a network for documentation: as behind a firewall, nothing gets there."""
    coturn = await asyncio.to_thread(OwnCoturn, options=("--external-ip", "192.0.2.7"))
    try:
        yield _relay(coturn.port, coturn.secret)
    finally:
        await asyncio.to_thread(coturn.close)


CHECKS = (
    Check("refused to this page", "WEB-DENIED", (MADE_UP,), denied=True),
    Check("a machine without devices", "WEB-NO-DEVICE", (GIVEN,)),
    Check("a microphone that hears nothing", "WEB-QUIET",
          (MADE_UP, GIVEN, "--use-file-for-fake-audio-capture={folder}/silence.wav")),
    Check("a page by http from another machine", "WEB-INSECURE", (MADE_UP, GIVEN, NAMED), elsewhere=True),
    Check("300 kbit/s to the TURN server", "WEB-THIN", ice=_thin),
    Check("nobody at the TURN server's address", "TURN-UNREACHABLE", ice=_relays(port=9)),
    Check("another secret than the TURN server's", "TURN-CREDENTIALS", ice=_relays(secret="another")),
    Check("addresses are lent that lead nowhere", "TURN-RELAY", ice=_leads_nowhere),
    Check("a browser without WebRTC, before a call", "VIEWER-NO-WEBRTC", before=NO_WEBRTC),
)  # fmt: skip


def precall_meets(check: Check) -> Run:
    async def run(lab: Lab) -> Outcome:
        tone(lab.folder / "silence.wav", 0.0, seconds=2, rate=48_000)
        flags = tuple(flag.format(folder=lab.folder) for flag in check.flags)
        async with chromium(lab, *flags) as browser, contextlib.AsyncExitStack() as stack:
            http, sockets = await stack.enter_async_context(house(lab.folder / "state"))
            origin = str(http.base_url)
            options: dict[str, Any] = {"server": f"{sockets}/ws/v2"}
            if check.elsewhere:
                origin = f"http://clinic.example:{stack.enter_context(another_program())}/"
            if check.ice is not None:
                options["iceServers"] = await stack.enter_async_context(check.ice(lab.coturn))
            context = await browser.new_context(bypass_csp=True)
            page = await context.new_page()
            if check.before:
                await page.add_init_script(check.before)
            await page.goto(f"{origin}health")
            if check.denied:
                await let(context, page, origin, "denied")
            began = time.monotonic()
            found = await page.evaluate(PRECALL, [options])
            first, named = next(iter(found["codes"]), None), time.monotonic() - began
            if not check.denied:
                return Outcome(first, found["said"], named)
            await let(context, page, origin, "granted")
            began = time.monotonic()
            again = await page.evaluate(PRECALL, [options])
            back = "when asked again" if check.code not in again["codes"] else "not yet"
            return Outcome(first, found["said"], named, back, time.monotonic() - began)  # type: ignore[arg-type]

    return run


# ---- in a call ----

JOIN = """async ([room, role]) => {
  const { Call } = await import("/rooms-page/client/index.js");
  globalThis.call = new Call({ room, role, name: role, audio: true, video: false });
  void call.join();
}"""
FAULT = "() => call.people[0]?.fault ? { ...call.people[0].fault } : null"
CONNECTED = "() => call.people[0]?.path === 'connected'"


async def _join(browser: Browser, origin: str, role: str, script: str = "") -> Page:
    page = await (await browser.new_context()).new_page()
    if script:
        await page.add_init_script(script)
    await page.goto(f"{origin}health")
    await page.evaluate(JOIN, ["visit", role])
    await page.wait_for_function("() => call.phase === 'inside'", timeout=20_000)
    return page


async def _told(page: Page, within: float) -> tuple[str, str]:
    found = await (await page.wait_for_function(FAULT, timeout=within * 1000)).json_value()
    return found["code"], f"{found['title']}. {found['cause']}"


async def _no_path(lab: Lab) -> Outcome:
    """Both browsers may send nothing by UDP, as where networks block it, and the server has no TURN server."""
    async with (
        chromium(lab, MADE_UP, GIVEN, NO_UDP) as browser,
        house(lab.folder / "state") as (http, _),
    ):
        origin = str(http.base_url)
        one = await _join(browser, origin, "doctor")
        began = time.monotonic()
        await _join(browser, origin, "clinician")
        code, said = await _told(one, within=60)
        return Outcome(code, said, time.monotonic() - began)


async def _path_lost(lab: Lab) -> Outcome:
    """Nothing gets through to the TURN server any more, over which both are connected; then it does again."""
    coturn = await lab.coturn()
    relayed = KEEP_CONNECTIONS.replace("POLICY", "relay").replace('"PORT" || ', "")
    with contextlib.closing(Narrow(coturn.port)) as narrow:
        async with (
            chromium(lab, MADE_UP, GIVEN) as browser,
            house(
                lab.folder / "state", turn=f"turn:127.0.0.1:{narrow.port}",
                turn_secret=coturn.secret,
            ) as (http, _),
        ):  # fmt: skip
            origin = str(http.base_url)
            one = await _join(browser, origin, "doctor", relayed)
            await _join(browser, origin, "clinician", relayed)
            await one.wait_for_function(CONNECTED, timeout=20_000)
            narrow.is_up = False
            began = time.monotonic()
            code, said = await _told(one, within=60)
            named = time.monotonic() - began
            narrow.is_up = True
            began = time.monotonic()
            await one.wait_for_function(CONNECTED, timeout=60_000)
            return Outcome(code, said, named, "by itself", time.monotonic() - began)


async def _without_webrtc(lab: Lab) -> Outcome:
    async with (
        chromium(lab, MADE_UP, GIVEN) as browser,
        house(lab.folder / "state") as (http, _),
    ):
        origin = str(http.base_url)
        await _join(browser, origin, "doctor")
        began = time.monotonic()
        poor = await _join(browser, origin, "clinician", NO_WEBRTC)
        code, said = await _told(poor, within=20)
        return Outcome(code, said, time.monotonic() - began)


TALK = """async ([camera]) => {
  const { CameraView } = await import("/rooms-page/client/index.js");
  const view = globalThis.view ??= new CameraView(camera, { token: () => call.token });
  if (view.state !== "playing") {
    await view.open();
    const until = Date.now() + 20_000;
    while (view.state !== "playing" && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await view.beginTalk();
  const { fault, talk } = view;
  view.endTalk();
  return { code: fault?.code ?? null, said: fault ? `${fault.title}. ${fault.cause}` : "", talk };
}"""


async def _mute_desk(lab: Lab) -> Outcome:
    """Somebody in a room answers a door, and the browser gives no microphone; then its user allows it."""
    async with chromium(lab, MADE_UP) as browser, house(lab.folder / "state", demo=True) as (http, _):
        wanted = {"lobby": False, "cameras": ["front-door"], "people": [{"role": "receptionist", "name": "Desk"}]}
        made = (await http.post("api/rooms", json=wanted)).json()
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(f"{http.base_url}health")
        await let(context, page, str(http.base_url), "denied")
        await page.evaluate("""async ([options]) => {
          const { Call } = await import("/rooms-page/client/index.js");
          globalThis.call = new Call({ audio: false, video: false, ...options });
          void call.join();
        }""", [{"token": made["people"][0]["token"], "room": made["id"]}])  # fmt: skip
        await page.wait_for_function("() => call.people[0]?.camera === 'front-door'", timeout=20_000)
        began = time.monotonic()
        found = await page.evaluate(TALK, ["front-door"])
        named = time.monotonic() - began
        await let(context, page, str(http.base_url), "granted")
        began = time.monotonic()
        again = await page.evaluate(TALK, ["front-door"])
        back = "when asked again" if again["talk"] == "on" else "not yet"
        return Outcome(found["code"], found["said"], named, back, time.monotonic() - began)  # type: ignore[arg-type]


def browser_cells() -> Iterator[Cell]:
    for check in CHECKS:
        yield Cell(check.code, Met.ROOM_PAGE, check.what, precall_meets(check))
    yield Cell("WEB-NO-PATH", Met.ROOM_PAGE, "both without UDP, and no TURN server", _no_path)
    yield Cell("WEB-PATH-LOST", Met.ROOM_PAGE, "the way between two people dies", _path_lost)
    yield Cell("VIEWER-NO-WEBRTC", Met.ROOM_PAGE, "a browser without WebRTC, in a call", _without_webrtc)
    yield Cell("VIEWER-MICROPHONE", Met.ROOM_PAGE, "who answers a door gets no microphone", _mute_desk)
