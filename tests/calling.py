"""What the tests of the rooms' client ask of a real Chromium, and of the network between it and the server."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from conftest import CHROMIUM_FLAGS, Program, clean_environment
from own_coturn import OwnCoturn

FLAGS = [
    *CHROMIUM_FLAGS,
    "--use-fake-device-for-media-stream=device-count=3",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",  # there, a person has pressed a button
    "--host-resolver-rules=MAP clinic.example 127.0.0.1",
]
JOIN = """async ([options]) => {
  const { Call } = await import("/rooms-page/client/index.js");
  const call = globalThis.call = new Call(options);
  globalThis.events = [];
  for (const name of ["met", "gone", "went-away", "came-back"]) call.addEventListener(name, () => events.push(name));
  globalThis.signals = 0;
  globalThis.began = performance.now();
  void call.join();
}"""
KEEP_CONNECTIONS = """globalThis.pcs = [];
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(given) {
    const through = (url) => url.replace(/\\d+$/, "PORT" || "$&");
    const iceServers = given.iceServers.map((one) => ({ ...one, urls: one.urls.map(through) }));
    super({ ...given, iceServers, iceTransportPolicy: "POLICY" });
    pcs.push(this);
  }
};"""
_FRAMES = """async ([screen]) => {
  const stats = await call.people[0]?.getStats();
  const videos = [...stats?.values() ?? []].filter(({ type, kind }) => type === "inbound-rtp" && kind === "video");
  const [camera, display] = videos.sort((one, other) => Number(one.mid) - Number(other.mid));
  return (screen ? display : camera)?.framesDecoded ?? 0;
}"""


_NAMES = "const [them] = call.people, pc = () => pcs.at(-1);"


@contextlib.contextmanager
def demo_with_turn(state: Path) -> Iterator[tuple[str, OwnCoturn]]:
    """A demo whose rooms have a TURN server; its address, and that server."""
    with contextlib.closing(OwnCoturn()) as coturn:
        turn = {"RINGLIGHT_TURN_URL": f"turn:127.0.0.1:{coturn.port}", "RINGLIGHT_TURN_SECRET": coturn.secret}
        program = Program("demo", "--port", "0", env={**clean_environment(state), **turn})
        try:
            yield program.url, coturn
        finally:
            program.stop()


@contextlib.contextmanager
def made_up_devices(chromium: Browser) -> Iterator[Browser]:
    """Chromium with three cameras and microphones that are made up, given to whoever asks.

    Of the second camera (Chromium 156) nothing gets into any call, of the third it does.
    """
    with chromium.browser_type.launch(executable_path="/usr/bin/chromium", args=FLAGS) as browser:
        yield browser


class Caller:
    """A page in a call."""

    def __init__(self, page: Page, url: str, *, policy: str = "all", turn: int | None = None) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.add_init_script(KEEP_CONNECTIONS.replace("POLICY", policy).replace("PORT", str(turn or "")))
        page.goto(f"{url}health")  # any document of the server's: the client draws nothing

    def join(self, role: str, name: str, room: str, **options: Any) -> "Caller":
        """Enter a room in open mode."""
        self.page.evaluate(JOIN, [{"room": room, "role": role, "name": name, **options}])
        return self

    def ask(self, expression: str) -> Any:
        """Return what an expression of JavaScript says; `call` is the call, `them` the only other person.

        `pc()` is the newest connection to them.
        """
        return self.page.evaluate(f"async () => {{ {_NAMES} return ({expression}); }}")

    def until(self, expression: str, *, seconds: float = 30) -> None:
        """Wait until it is true."""
        condition = f"() => {{ {_NAMES} return ({expression}); }}"
        self.page.wait_for_function(condition, timeout=seconds * 1000)

    def frames(self, *, screen: bool = False) -> int:
        """Pictures of the other one decoded so far."""
        return int(self.page.evaluate(_FRAMES, [screen]))

    def sees_frames(self, more: int = 10, *, screen: bool = False, seconds: float = 30) -> None:
        """Wait until more pictures were decoded than now."""
        before = self.frames(screen=screen)
        for _ in range(int(seconds * 10)):
            if self.frames(screen=screen) >= before + more:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{self.frames(screen=screen) - before} pictures in {seconds} s; {self.ask('them?.path')}")

    def sees_no_frames(self, seconds: float, *, within: float = 30) -> None:
        """Wait until no picture was decoded for so long; some are still on their way."""
        before, since = -1, time.monotonic()
        until = since + within
        while time.monotonic() < since + seconds:
            now = self.frames()
            if now != before:
                before, since = now, time.monotonic()
            assert time.monotonic() < until, "pictures still come"
            self.page.wait_for_timeout(100)


class Gate:
    """A way to the server that can be cut, and held up.

    With several servers it leads to the first of them that takes connections, as a load balancer does.
    """

    def __init__(self, *ports: int) -> None:
        self._targets = ports
        self._open = threading.Event()
        self._open.set()
        self._socket: socket.socket | None = None
        self._pairs: list[socket.socket] = []
        self.port = 0
        self.mend()

    @property
    def url(self) -> str:
        """The server, through here."""
        return f"http://127.0.0.1:{self.port}/"

    def cut(self) -> None:
        """Let every connection break, and refuse new ones."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes whoever accepts
            self._socket.close()
        self._socket = None
        for one in self._pairs:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()
        self._open.set()

    def mend(self) -> None:
        """Take connections, at the port of before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._socket = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    @contextlib.contextmanager
    def held_up(self) -> Iterator[None]:
        """Let nothing through meanwhile, and all of it afterwards."""
        self._open.clear()
        yield
        self._open.set()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                one, _ = listener.accept()
                other = self._reach()
                if other is None:
                    one.close()
                    continue
                other.settimeout(None)
                self._pairs += [one, other]
                for source, sink in ((one, other), (other, one)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _reach(self) -> socket.socket | None:
        for port in self._targets:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), timeout=5)
        return None

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                self._open.wait()
                sink.sendall(data)
        except OSError:
            pass  # one of the two broke
        finally:
            for one in (source, sink):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()


class Narrow:
    """A way by UDP to a server through which only so much fits; the rest is dropped, as a full queue does.

    Attributes:
        kbps: What fits from the browser to the server, in kbit/s; infinite at first.
        is_up: Whether anything gets through, either way.
    """

    def __init__(self, port: int) -> None:
        self.kbps = float("inf")
        self.is_up = True
        self._target = ("127.0.0.1", port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._ways: dict[tuple[str, int], socket.socket] = {}
        self._free_at = 0.0
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._forth, daemon=True).start()

    def close(self) -> None:
        self._socket.close()
        for way in self._ways.values():
            way.close()

    def _forth(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, source = self._socket.recvfrom(65_536)
                if not self.is_up:
                    continue
                if source not in self._ways:
                    self._ways[source] = way = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    way.connect(self._target)
                    threading.Thread(target=self._back, args=(way, source), daemon=True).start()
                now = time.monotonic()
                self._free_at = max(self._free_at, now) + len(data) * 8 / 1000 / self.kbps
                if self._free_at > now + 0.3:  # seconds that wait in the queue
                    self._free_at -= len(data) * 8 / 1000 / self.kbps
                else:
                    self._ways[source].send(data)

    def _back(self, way: socket.socket, source: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):
            while True:
                data = way.recv(65_536)
                if self.is_up:
                    self._socket.sendto(data, source)


def two_callers(
    chromium: Browser, doctors: str, patients: str, room: str, *, policy: str = "all", turn: int | None = None
) -> tuple[Caller, Caller]:  # fmt: skip
    """A doctor and a patient in one room, connected; each comes by an address of their own.

    With `turn` the patient comes to the TURN server by this port.
    """
    doctor = Caller(chromium.new_context().new_page(), doctors, policy=policy)
    patient = Caller(chromium.new_context().new_page(), patients, policy=policy, turn=turn)
    doctor.join("clinician", "Dr A", room).until("call.phase === 'inside'")
    patient.join("patient", "B", room)
    doctor.until("call.knocks.length === 1")
    doctor.ask("call.admit(call.knocks[0].id)")
    for caller in (doctor, patient):
        caller.until("them?.path === 'connected'")
    return doctor, patient
