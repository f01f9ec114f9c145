"""Cells of `ringlight explain`: what a browser, a program or a TURN server really wrote of a fault, given to it."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from playwright.async_api import Route

from another_program import another_program
from cells import Cell, Lab, Met, Outcome, Run
from cells.browser import GIVEN, MADE_UP, NAMED, chromium, let
from cells.command import command
from own_certificates import Authority
from own_coturn import OwnCoturn
from patients import Stage, foreign, free_port, port_that_swallows, proxy_that_drops_upgrades, seed_app
from ringlight.http.serving import Tls
from room_house import house

LISTEN = 1.5  # seconds in which a browser has written what it will write
PATH = "/ws/signaling/5f0c/doctor"


@dataclass(frozen=True)
class Written:
    """What a page did, of which its browser wrote something.

    Attributes:
        what: In words.
        code: The fault that must be named first.
        script: Of the page; `{free}` is a port where nobody listens, `{other}` another program's, `{ours}` that of our
            server behind a proxy which drops upgrades, `{tls}` and `{plain}` those of a signaling server.
        flags: Of Chromium.
        page: Where the page is; the browser is told what stands there, unless it is the other program's.
        policy: The page's Content-Security-Policy.
        denied: Whether the person has refused camera and microphone.
    """

    what: str
    code: str
    script: str
    flags: tuple[str, ...] = (NAMED,)
    page: str = "http://127.0.0.1:{other}/rooms/index.html"
    policy: str = ""
    denied: bool = False


SOUND = "navigator.mediaDevices.getUserMedia({audio: true}).catch((error) => console.error(`${error.name}: ${error}`))"
WRITTEN = (
    Written("nobody listens", "REACH-REFUSED", "new WebSocket('ws://127.0.0.1:{free}" + PATH + "')"),
    Written("an address without a value", "REACH-URL", "new WebSocket('ws://undefined" + PATH + "')"),
    Written("a plain socket of a page by https", "REACH-MIXED", "new WebSocket('ws://clinic.example:{other}/ws/v2')",
            page="https://clinic.example/"),
    Written("an answer that the page may not read", "REACH-CORS", "fetch('http://clinic.example:{other}/api/rooms')"),
    Written("a socket against the page's policy", "REACH-POLICY", "new WebSocket('ws://127.0.0.1:{plain}" + PATH + "')",
            page="http://clinic.example/", policy="connect-src 'self'"),
    Written("a request against the page's policy", "REACH-POLICY", "fetch('http://127.0.0.1:{plain}/')",
            page="http://clinic.example/", policy="connect-src 'self'"),
    Written("a proxy drops the upgrade", "REACH-PROXY", "new WebSocket('ws://127.0.0.1:{ours}/ws/v2')"),
    Written("a page in place of JSON", "REACH-OTHER", "fetch('/rooms/none').then((answer) => answer.json())"),
    Written("a certificate that nobody has signed", "REACH-CERT-ISSUER",
            "new WebSocket('wss://localhost:{tls}" + PATH + "')"),
    Written("wss: where there is no TLS", "REACH-SCHEME", "new WebSocket('wss://127.0.0.1:{plain}" + PATH + "')"),
    Written("ws: where there is TLS", "REACH-SCHEME", "new WebSocket('ws://127.0.0.1:{tls}" + PATH + "')"),
    Written("closed before it was open", "WEB-CLOSED-EARLY", "new WebSocket('ws://127.0.0.1:{plain}" + PATH
            + "').close()"),
    Written("sent before it was open", "WEB-CLOSED-EARLY", "new WebSocket('ws://127.0.0.1:{plain}" + PATH
            + "').send('x')"),
    Written("a microphone that is refused", "WEB-DENIED", SOUND, (MADE_UP,), denied=True),
    Written("no microphone", "WEB-NO-DEVICE", SOUND, (GIVEN,)),
    Written("a page by http from another machine", "WEB-INSECURE", "navigator.mediaDevices.getUserMedia({audio: true})",
            page="http://clinic.example:{other}/rooms/index.html"),
    Written("WebRTC is switched off", "VIEWER-NO-WEBRTC", "delete window.RTCPeerConnection; new RTCPeerConnection()"),
)  # fmt: skip
ADD = """(text) => {
  const script = document.createElement("script");
  script.textContent = text;
  document.head.append(script);
}"""


@contextlib.asynccontextmanager
async def _around(lab: Lab) -> AsyncIterator[dict[str, str]]:
    """The servers that the scripts name."""
    own = Authority(lab.folder)
    own.put("good")
    with another_program(lets_read=False) as other:
        async with (
            foreign(seed_app()) as plain,
            foreign(seed_app(), Tls(own.certificate, own.key)) as tls,
            house(lab.folder / "state") as (http, _),
            proxy_that_drops_upgrades(http.base_url.port or 80) as ours,
        ):
            yield {"free": str(free_port()), "other": str(other), "ours": str(ours),
                   "plain": plain.rpartition(":")[2], "tls": tls.rpartition(":")[2]}  # fmt: skip


async def _explained(lab: Lab, text: str) -> Outcome:
    assert text.strip(), "nothing was written"
    env = {"RINGLIGHT_STATE_DIR": str(lab.folder), "NO_COLOR": "1", "COLUMNS": "400"}
    began = time.monotonic()
    found = await command("explain", "-", env=env, cwd=lab.folder, text=text)
    assert found.status == 0, found.err
    return Outcome(found.code, found.said, time.monotonic() - began)


def browser_wrote(written: Written) -> Run:
    async def run(lab: Lab) -> Outcome:
        lines: list[str] = []
        async with chromium(lab, *written.flags) as browser, _around(lab) as there:
            context = await browser.new_context()
            page = await context.new_page()
            page.on("console", lambda message: lines.append(message.text))
            page.on("pageerror", lambda error: lines.append(f"Uncaught {error}"))
            where, script = (_filled(text, there) for text in (written.page, written.script))
            if written.policy or where.startswith("https:"):
                headers = {"content-type": "text/html", "content-security-policy": written.policy}

                async def answer(route: Route) -> None:
                    await route.fulfill(status=200, body="<html></html>", headers=headers)

                await context.route(f"{where}**", answer)
            await page.goto(where)
            if written.denied:
                await let(context, page, "/".join(where.split("/")[:3]), "denied")
            lines.clear()
            await page.evaluate(ADD, script)
            await asyncio.sleep(LISTEN)
        return await _explained(lab, "\n".join(lines))

    return run


def _filled(text: str, there: dict[str, str]) -> str:
    for name, value in there.items():
        text = text.replace(f"{{{name}}}", value)
    return text


# ---- programs ----


@contextlib.asynccontextmanager
async def _swallowing(lab: Lab) -> AsyncIterator[str]:
    async with port_that_swallows(Stage(lab.folder, lab.patch, lab.coturn)) as port:
        yield f"import httpx2; httpx2.get('http://127.0.0.1:{port}/', timeout=1, trust_env=False)"


def _shown(kind: str) -> Callable[[Lab], AbstractAsyncContextManager[str]]:
    """A program of websockets that trusts the authority, and is shown a certificate which is wrong in some way."""

    @contextlib.asynccontextmanager
    async def program(lab: Lab) -> AsyncIterator[str]:
        own = Authority(lab.folder)
        own.put(kind)
        async with foreign(seed_app(), Tls(own.certificate, own.key)) as where:
            port = where.rpartition(":")[2]
            yield (
                "import ssl; from websockets.sync.client import connect; "
                f"connect('wss://localhost:{port}{PATH}', proxy=None, "
                f"ssl=ssl.create_default_context(cafile={str(own.trusted)!r}))"
            )

    return program


@contextlib.asynccontextmanager
async def _dropping(lab: Lab) -> AsyncIterator[str]:
    async with _around(lab) as there:
        where = f"ws://127.0.0.1:{there['ours']}/ws/v2"
        yield f"from websockets.sync.client import connect; connect({where!r}, proxy=None)"


def program_wrote(program: Callable[[Lab], AbstractAsyncContextManager[str]]) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with program(lab) as text:
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", text, stderr=asyncio.subprocess.PIPE)
            _, err = await process.communicate()
        return await _explained(lab, err.decode())

    return run


ALLOCATE = """const peer = new RTCPeerConnection({ iceTransportPolicy: "relay", iceServers: [
  { urls: "turn:127.0.0.1:PORT", username: `${2 ** 32}:nobody`, credential: "another secret" }] });
peer.createDataChannel("x");
peer.setLocalDescription();"""


async def _coturn_wrote(lab: Lab) -> Outcome:
    """A browser comes with a password made by another secret, and coturn writes that into its log."""
    coturn = await asyncio.to_thread(OwnCoturn, options=("--verbose",))
    try:
        with another_program() as port:
            async with chromium(lab) as browser:
                page = await browser.new_page()
                await page.goto(f"http://127.0.0.1:{port}/rooms/index.html")
                await page.evaluate(ADD, ALLOCATE.replace("PORT", str(coturn.port)))
                await asyncio.sleep(LISTEN)
        log = (coturn.folder / "log").read_text()
    finally:
        await asyncio.to_thread(coturn.close)
    return await _explained(lab, log)


def explain_cells() -> Iterator[Cell]:
    for written in WRITTEN:
        yield Cell(written.code, Met.COMMAND, f"`explain`, of Chromium: {written.what}", browser_wrote(written))
    programs = (
        ("REACH-CERT-NAME", "a certificate for another name", _shown("name")),
        ("REACH-CERT-EXPIRED", "a certificate whose time is over", _shown("expired")),
        ("REACH-CERT-ISSUER", "a certificate of an authority that nobody knows", _shown("issuer")),
        ("REACH-PROXY", "a proxy drops the upgrade", _dropping),
        ("REACH-FIREWALL", "nothing comes back", _swallowing),
    )
    for code, what, program in programs:
        yield Cell(code, Met.COMMAND, f"`explain`, of a Python program: {what}", program_wrote(program))
    yield Cell("TURN-CREDENTIALS", Met.COMMAND, "`explain`, of coturn: another secret", _coturn_wrote)
