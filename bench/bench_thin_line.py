"""What a line that is too thin for the camera does to the picture, with and without transport-wide feedback.

Server and a real Chromium are in network namespaces of their own; the kernel (tbf) lets through so many bits a second
from the one to the other, and queues three seconds of them. Needs Linux, root, iproute2 and Chromium. About a minute.
Usage: python bench/bench_thin_line.py [KILOBITS] [SECONDS]
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import verdict
from bench_loss import FLAGS, NOTE_PICTURES, PORT, RINGLIGHT
from playwright.sync_api import Browser, Route, sync_playwright

SERVER, BROWSER = "ringlight-server", "ringlight-browser"  # namespaces
HTTP = 8765  # port in both; what is asked for by HTTP goes another way than the video
QUEUE_MS, WARM_UP, CLOCK = 3000, 4.0, 90  # milliseconds, seconds, RTP clock units in a millisecond
GOAL = 0.5  # of the seconds must show a picture

NOTE_DELAYS = NOTE_PICTURES.replace("(performance.now())", "([performance.now(), about.rtpTimestamp])").replace(
    "const note = () =>", "const note = (_, about) =>"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of the seconds that the line was thin: share with a picture, pictures, their median age, packets sent again."""

    shown: float
    pictures: int
    behind: float
    repeated: int
    words: str


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def forward(side: str, path: str) -> None:
    """Carry HTTP between the namespaces, through a socket in the file system."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opening = asyncio.open_connection("127.0.0.1", HTTP) if side == SERVER else asyncio.open_unix_connection(path)
        there, back = await opening
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer))

    if side == SERVER:
        serving = await asyncio.start_unix_server(carry, path)
    else:
        serving = await asyncio.start_server(carry, "127.0.0.1", HTTP)
    print("ready", flush=True)
    await serving.serve_forever()


@contextlib.contextmanager
def _namespaces() -> Iterator[None]:
    try:
        for name in (SERVER, BROWSER):
            _run("ip", "netns", "add", name)
        _run("ip", "link", "add", "near", "netns", SERVER, "type", "veth", "peer", "name", "far", "netns", BROWSER)
        for name, device, own, other in ((SERVER, "near", 1, 2), (BROWSER, "far", 2, 1)):
            _run("ip", "-n", name, "addr", "add", f"10.77.0.{own}/24", "dev", device)
            for up in (device, "lo"):
                _run("ip", "-n", name, "link", "set", up, "up")
            _run("ip", "-n", name, "route", "add", "default", "via", f"10.77.0.{other}")
        yield
    finally:
        for name in (SERVER, BROWSER):
            subprocess.run(["ip", "netns", "del", name], check=False)


def _start(name: str, *command: str, **settings: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        ["ip", "netns", "exec", name, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, **settings},
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    return process


def _thin(kilobits: int, *, on: bool) -> None:
    shape = ["tbf", "rate", f"{kilobits}kbit", "burst", "8k", "latency", f"{QUEUE_MS}ms"] if on else []
    enter = ["nsenter", f"--net=/var/run/netns/{SERVER}"]
    _run(*enter, "tc", "qdisc", "add" if on else "del", "dev", "near", "root", *shape)


def _deaf(route: Route) -> None:
    """Let an offer through without transport-wide feedback."""
    offer = route.request.post_data or ""
    route.continue_(post_data="".join(line for line in offer.splitlines(keepends=True) if "transport-cc" not in line))


def watch(browser: Browser, kilobits: int, seconds: float, *, tells: bool) -> Outcome:
    """Watch over a line that becomes thin."""
    url = f"http://127.0.0.1:{HTTP}/"
    page = browser.new_page()
    if not tells:
        page.route("**/whep/front-door", _deaf)
    page.goto(url)
    page.click('[data-camera="front-door"]')
    page.wait_for_selector('camera-view[state="playing"]')
    page.evaluate(NOTE_DELAYS)
    page.wait_for_timeout(WARM_UP * 1000)
    began = float(page.evaluate("performance.now()"))
    _thin(kilobits, on=True)
    page.wait_for_timeout(seconds * 1000)
    ended = float(page.evaluate("performance.now()"))
    (viewer,) = httpx2.get(f"{url}api/cameras/front-door").json()["audience"]
    _thin(kilobits, on=False)
    rows = [(at, at - stamp / CLOCK) for at, stamp in page.evaluate("window.pictures")]
    page.close()
    least = min(delay for at, delay in rows if at < began)
    during = [(at, delay - least) for at, delay in rows if began <= at < ended]
    shown = len({int((at - began) / 1000) for at, _ in during}) / seconds
    fault = (viewer["line"] or {}).get("fault")
    return Outcome(
        shown, len(during), sorted(delay for _, delay in during)[len(during) // 2] / 1000, viewer["repeated"],
        f"{fault['title']}: {fault['detail']}" if fault else "",
    )  # fmt: skip


def inside(kilobits: int, seconds: float) -> None:
    """Measure, in the browser's namespace."""
    print(f"a line of {kilobits} kbit/s with a queue of {QUEUE_MS / 1000:g} s, for {seconds:g} s")
    print(f"{'':26} {'seconds with a picture':>23} {'pictures':>9} {'behind':>8} {'sent again':>11}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for name, tells in (("with feedback", True), ("without", False)):
            seen = watch(browser, kilobits, seconds, tells=tells)
            print(
                f"{name:26} {seen.shown:23.0%} {seen.pictures:9} {seen.behind:7.1f}s {seen.repeated:11}  {seen.words}",
                flush=True,
            )
            if tells:
                verdict.goal("a line too thin: seconds with a picture", seen.shown, GOAL, "of 1", least=True)
                verdict.goal("a line too thin: named so in words", bool(seen.words), 1, least=True)
        browser.close()


def main() -> None:
    match sys.argv[1:]:
        case ["--forward", side, path]:
            asyncio.run(forward(side, path))
            return
        case ["--inside", kilobits, seconds]:
            inside(int(kilobits), float(seconds))
            return
        case given:
            kilobits, seconds = [*given, "300", "20"][0], [*given, "20", "20"][1]
    ourselves = (sys.executable, str(Path(__file__)))
    with tempfile.TemporaryDirectory() as folder, _namespaces():
        path = f"{folder}/http"
        programs = []
        try:
            settings = {"RINGLIGHT_MEDIA__PORT": str(PORT), "RINGLIGHT_MEDIA__TCP": "false"}
            programs.append(_start(SERVER, str(RINGLIGHT), "demo", "--port", str(HTTP), **settings))
            programs.append(_start(SERVER, *ourselves, "--forward", SERVER, path))
            programs.append(_start(BROWSER, *ourselves, "--forward", BROWSER, path))
            _run("ip", "netns", "exec", BROWSER, *ourselves, "--inside", kilobits, seconds)
        finally:
            for process in programs:
                process.terminate()
                process.wait(10)


if __name__ == "__main__":
    main()
