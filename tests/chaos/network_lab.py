"""Runs the network lab: cameras watched and calls made over networks that are bad. `make network-lab`.

Usage: network_lab.py [--only WORD]. Needs the right to make network namespaces.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cells.live_view import named_in
from networks.namespaces import SERVER, Home, Namespace, Nat, World, ended, may_make_namespaces
from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright
from record import keep, kept
from reliability_page import NETWORK, write_pages

from calling import FLAGS, Caller
from conftest import RINGLIGHT, clean_environment
from own_coturn import OwnCoturn
from ringlight.simulator.world import World as Ring

CUT = 20.0  # seconds that a link is dead
BACK_WITHIN = 10.0  # seconds in which everything must be back after that, on a busy machine
ACCOUNT = Ring()
Worsen = Callable[[Home], None]


@dataclass(frozen=True)
class NetworkRow:
    """What was found: seconds to connect and to be back, and in words what was done and seen; `wrong` as in a cell."""

    what: str
    network: str
    connected: float | None
    done: str
    back: float | None
    seen: str
    wrong: str = ""


@dataclass(frozen=True)
class Case:
    """One network.

    Attributes:
        what: `camera` or `call`.
        network: In words.
        nats: Of the homes: one for a camera, two for a call.
        worsen: What is done to each home's network before.
        dies: Whether the link of the last home is dead for a while.
        turn: Whether there is a TURN server.
        relay_only: Whether the browsers may use nothing but that.
        ring_away: Whether Ring is in the last home, rather than beside the server.
        names: The fault that must be named, where there can be no pictures.
        is_quick: Whether every run of the tests has it.
    """

    what: str
    network: str
    nats: tuple[Nat, ...]
    worsen: Worsen = lambda home: None
    dies: bool = False
    turn: bool = True
    relay_only: bool = False
    ring_away: bool = False
    names: str = ""
    is_quick: bool = False


def lossy(share: float) -> Worsen:
    def worsen(home: Home) -> None:
        home.link.loss = share

    return worsen


def slow(seconds: float, jitter: float = 0.0) -> Worsen:
    def worsen(home: Home) -> None:
        home.link.delay, home.link.jitter = seconds, jitter

    return worsen


def no_udp(home: Home) -> None:
    home.blocks_udp()


def of_the_last(worsen: Worsen) -> Worsen:
    """Only the last home's network is bad."""

    def only(home: Home) -> None:
        if home.number == 2:
            worsen(home)

    return only


CASES = (
    Case("camera", "good", ("none",)),
    Case("camera", "behind a port-restricted NAT", ("port-restricted",)),
    Case("camera", "behind a symmetric NAT", ("symmetric",), is_quick=True),
    Case("camera", "1 % lost", ("port-restricted",), lossy(0.01)),
    Case("camera", "5 % lost", ("port-restricted",), lossy(0.05)),
    Case("camera", "10 % lost", ("port-restricted",), lossy(0.10)),
    Case("camera", "150 ms each way", ("port-restricted",), slow(0.15)),
    Case("camera", "40 ms, every third packet up to 60 ms later: out of order", ("port-restricted",), slow(0.04, 0.06)),
    Case("camera", "UDP blocked", ("port-restricted",), no_udp, is_quick=True),
    Case("camera", "TURN only", ("port-restricted",), relay_only=True),
    Case("camera", "dies for 20 s", ("port-restricted",), dies=True),
    Case("camera", "UDP blocked, dies for 20 s", ("port-restricted",), no_udp, dies=True),
    Case("camera", "between server and Ring: 5 % lost", ("none", "none"), of_the_last(lossy(0.05)),
         ring_away=True),
    Case("camera", "between server and Ring: dies for 20 s", ("none", "none"), dies=True, ring_away=True),
    Case("call", "both public", ("none", "none"), turn=False),
    Case("call", "full cone to full cone, no relay", ("full cone", "full cone")),
    Case("call", "port-restricted to port-restricted", ("port-restricted", "port-restricted")),
    Case("call", "port-restricted to symmetric", ("port-restricted", "symmetric")),
    Case("call", "symmetric to symmetric", ("symmetric", "symmetric")),
    Case("call", "symmetric to symmetric, no TURN server", ("symmetric", "symmetric"), turn=False, names="WEB-NO-PATH"),
    Case("call", "TURN only", ("port-restricted", "port-restricted"), relay_only=True),
    Case("call", "UDP blocked for one, TURN over TCP", ("port-restricted", "port-restricted"), of_the_last(no_udp)),
    Case("call", "5 % lost at both", ("port-restricted", "port-restricted"), lossy(0.05)),
    Case("call", "150 ms each way at one", ("port-restricted", "port-restricted"), of_the_last(slow(0.15))),
    Case("call", "out of order at one", ("port-restricted", "port-restricted"), of_the_last(slow(0.04, 0.06))),
    Case("call", "dies for 20 s at one", ("port-restricted", "port-restricted"), dies=True),
    Case("call", "TURN only, dies for 20 s at one", ("port-restricted", "port-restricted"), dies=True, relay_only=True),
)  # fmt: skip


class Scene:
    """A world with the server in it, and a browser in each home."""

    def __init__(self, case: Case, folder: Path, playwright: Playwright) -> None:
        self.case = case
        self._stack = contextlib.ExitStack()
        try:
            self.world = self._stack.enter_context(World(*case.nats))
            self.port = self._server(folder)
            people = self.world.homes[:1] if case.what == "camera" else self.world.homes
            self.doors = [self.world.opens_door(home, self.port) for home in people]
            self.browsers = [self._browser(playwright, home.machine, folder) for home in people]
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> "Scene":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _server(self, folder: Path) -> int:
        inside = self.world.inside
        env = {**clean_environment(folder / "state"), "RINGLIGHT_MEDIA__ANNOUNCE": SERVER}
        if self.case.relay_only or (self.case.turn and self.case.what == "call"):
            coturn = OwnCoturn(SERVER, ("ip", "netns", "exec", inside.name))
            self._stack.callback(coturn.close)
            at = f"{SERVER}:{coturn.port}"
            env |= {"RINGLIGHT_TURN_URL": f"stun:{at},turn:{at},turn:{at}?transport=tcp",
                    "RINGLIGHT_TURN_SECRET": coturn.secret}  # fmt: skip
        if not self.case.ring_away:
            return self._started(inside, "demo", "--port", "0", env=env)
        env["RINGLIGHT_RING_URL"] = self._ring(folder)
        inside.does(f"{RINGLIGHT} login --email {ACCOUNT.email}", env=env, said=f"{ACCOUNT.password}\n{ACCOUNT.code}\n")
        return self._started(inside, "serve", "--port", "0", env=env)

    def _ring(self, folder: Path) -> str:
        """Start Ring in the last home; return its address."""
        home = self.world.homes[-1]
        host = f"192.168.{home.number}.2"
        port = self._started(
            home.machine, "simulate", "--host", host, "--port", "0", env=clean_environment(folder / "ring")
        )
        return f"http://{host}:{port}"

    def _started(self, place: Namespace, *command: str, env: dict[str, str]) -> int:
        """Start a program of ours; return its port."""
        process = place.starts(str(RINGLIGHT), *command, env=env)
        self._stack.callback(ended, process)
        assert process.stdout is not None
        line = next((line for line in process.stdout if line.startswith("ready ")), "")
        assert line, f"`{command[0]}` did not start"
        return int(line.rstrip("/\n").rpartition(":")[2])

    def _browser(self, playwright: Playwright, machine: Namespace, folder: Path) -> Browser:
        browser = playwright.chromium.launch(executable_path=machine.wraps("/usr/bin/chromium", folder), args=FLAGS)
        self._stack.callback(browser.close)
        return browser


def run_case(case: Case, playwright: Playwright) -> NetworkRow:
    """Build the network, watch or call over it, and take it down."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Scene(case, Path(folder), playwright) as scene,
    ):
        for home in scene.world.homes:
            case.worsen(home)
        return _watched(scene) if case.what == "camera" else _called(scene)


# ---- a camera ----

FRAMES = """async () => {
  let frames = 0;
  (await document.querySelector("camera-view")?.stats?.())?.forEach((entry) => {
    if (entry.type === "inbound-rtp" && entry.kind === "video") frames = entry.framesDecoded ?? 0;
  });
  return frames;
}"""


WAY = """async () => {
  const stats = await document.querySelector("camera-view").stats();
  const transport = [...stats.values()].find((one) => one.type === "transport");
  return stats.get(stats.get(transport?.selectedCandidatePairId)?.localCandidateId)?.candidateType ?? "unknown";
}"""
RELAY_ONLY = """
const Native = globalThis.RTCPeerConnection;
globalThis.RTCPeerConnection = class extends Native {
  constructor(config) { super({ ...config, iceTransportPolicy: "relay" }); }
  setConfiguration(config) { super.setConfiguration({ ...config, iceTransportPolicy: "relay" }); }
};
"""


def _watched(scene: Scene) -> NetworkRow:
    page = scene.browsers[0].new_page()
    if scene.case.relay_only:
        page.add_init_script(RELAY_ONLY)
    page.goto(scene.doors[0], timeout=60_000)
    page.wait_for_selector("[data-camera]", timeout=30_000)
    began = time.monotonic()
    page.click('[data-camera]:has-text("Front Door")')
    case = scene.case
    try:
        page.wait_for_selector('camera-view[state="playing"]', timeout=45_000)
    except Error:
        return NetworkRow("camera", case.network, None, "", None, _read(page), "no picture")
    connected = time.monotonic() - began
    if not case.dies:
        before, start = page.evaluate(FRAMES), time.monotonic()
        page.wait_for_timeout(8_000)
        rate = (page.evaluate(FRAMES) - before) / (time.monotonic() - start)
        wrong = "" if rate > 5 else "the picture does not move"
        said = f"{rate:.0f} pictures a second"
        if case.relay_only:
            way = page.evaluate(WAY)
            said, wrong = f"{said}, path {way}", wrong or ("" if way == "relay" else "it goes another way")
        return NetworkRow("camera", case.network, connected, "", None, said, wrong)
    with scene.world.homes[-1].cut():
        page.wait_for_timeout(CUT * 1000)
        said = _read(page)
    back = _until_moving(page, lambda: int(page.evaluate(FRAMES)), 60)
    wrong = _judged(back, said)
    if back is None:
        said = f"{said}; a minute later: {page.locator('camera-view').get_attribute('state')} {_read(page)}"
    return NetworkRow("camera", case.network, connected, "dead for 20 s", back, said, wrong)


def _judged(back: float | None, said: str) -> str:
    """Return what was not as it must be when a link was dead for a while."""
    if back is None:
        return "the pictures do not come back"
    if back > BACK_WITHIN:
        return f"the pictures are back after {back:.0f} s"
    return "" if named_in(said) else "no fault was named meanwhile"


def _read(page: Page) -> str:
    """Return the line of the page that names a fault, or what stands below the picture."""
    text = str(page.evaluate("() => document.querySelector('camera-view')?.innerText ?? ''"))
    return next((line for line in text.splitlines() if named_in(line)), "")


def _until_moving(page: Page, frames: Callable[[], int], within: float) -> float | None:
    """Return after how many seconds a picture is decoded that is newer than now; a new player begins at none."""
    began, before = time.monotonic(), frames()
    while time.monotonic() - began < within:
        now = frames()
        if now < before:
            before = 0
        if now > before + 2:
            return time.monotonic() - began
        page.wait_for_timeout(50)
    return None


# ---- a call ----

TOLD = "them?.fault ? `${them.fault.code}: ${them.fault.title}` : them?.path ?? call.phase"
WHO = "[call.me.id, them.id, them.name]"


def _called(scene: Scene) -> NetworkRow:
    case = scene.case
    policy = "relay" if case.relay_only else "all"
    doctor, patient = (
        Caller(browser.new_context().new_page(), door, policy=policy)
        for browser, door in zip(scene.browsers, scene.doors, strict=True)
    )
    doctor.join("clinician", "Dr A", "visit").until("call.phase === 'inside'", seconds=60)
    doctor.ask("void call.addEventListener('knocks', () => call.knocks.length && call.admit())")
    began = time.monotonic()
    patient.join("patient", "B", "visit")
    if case.names:
        patient.until("them?.fault", seconds=60)
        code = patient.ask("them.fault.code")
        wrong = "" if code == case.names else f"named {code}"
        return NetworkRow("call", case.network, None, "", None, patient.ask(TOLD), wrong)
    try:
        for caller in (doctor, patient):
            caller.until("them?.path === 'connected'", seconds=60)
        connected = time.monotonic() - began
        for caller in (doctor, patient):
            caller.sees_frames(seconds=60)
    except (Error, AssertionError):
        return NetworkRow("call", case.network, None, "", None, str(patient.ask(TOLD)), "no pictures")
    how = f"path {_path(doctor)}"
    if not case.dies:
        return NetworkRow("call", case.network, connected, "", None, how)
    before = [caller.ask(WHO) for caller in (doctor, patient)]
    with scene.world.homes[-1].cut():
        doctor.page.wait_for_timeout(CUT * 1000)
        said = [str(caller.ask(TOLD)) for caller in (doctor, patient)]
    times = [_until_moving(caller.page, caller.frames, 60) for caller in (doctor, patient)]
    back = None if None in times else max(one for one in times if one is not None)
    wrong = next((wrong for one in said if (wrong := _judged(back, one))), "")
    if not wrong and [caller.ask(WHO) for caller in (doctor, patient)] != before:
        wrong = "somebody is somebody else"
    return NetworkRow("call", case.network, connected, "dead for 20 s", back, f"{how}; {' / '.join(said)}", wrong)


def _path(caller: Caller) -> str:
    """Return by which kinds of candidates the call goes, and by which protocol."""
    return str(
        caller.page.evaluate("""async () => {
      const stats = await globalThis.pcs.at(-1).getStats();
      const transport = [...stats.values()].find((one) => one.type === "transport");
      const pair = stats.get(transport?.selectedCandidatePairId);
      if (!pair) return "unknown";
      const [own, other] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
      return `${own.candidateType} to ${other.candidateType}, ${own.relayProtocol ?? own.protocol}`;
    }""")
    )


def run_cases(cases: Iterator[Case] | tuple[Case, ...]) -> Iterator[NetworkRow]:
    """Run some of them, one after the other."""
    with sync_playwright() as playwright:
        for case in cases:
            try:
                yield run_case(case, playwright)
            except (Error, AssertionError, OSError) as error:
                said = str(error).splitlines()[0][:200]
                yield NetworkRow(case.what, case.network, None, "", None, "", f"broke: {said}")


def main() -> int:
    """Run what was asked for; 1 where something is wrong, 2 where nothing can be run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only networks with this in their words")
    asked = parser.parse_args()
    if not may_make_namespaces():
        sys.stdout.write("left out: needs the right to make network namespaces, iproute2, iptables and /dev/net/tun\n")
        return 2
    os.environ.pop("DISPLAY", None)
    rows: dict[tuple[str, str], Any] = {}
    if asked.only:
        rows = {(row["what"], row["network"]): NetworkRow(**row) for row in kept(NETWORK)["rows"]}
    chosen = tuple(case for case in CASES if asked.only in f"{case.what}: {case.network}")
    for row in run_cases(chosen):
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
        rows[row.what, row.network] = row
        order = [(case.what, case.network) for case in CASES]
        keep(NETWORK, sorted(rows.values(), key=lambda row: order.index((row.what, row.network))),
             in_part=bool(asked.only))  # fmt: skip
    write_pages()
    return 1 if any(row.wrong for row in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
