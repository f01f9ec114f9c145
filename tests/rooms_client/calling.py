"""What the tests of the rooms' client ask of a real Chromium, and of the network between it and the server."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Page

from conftest import CHROMIUM_FLAGS

FLAGS = [
    *CHROMIUM_FLAGS,
    "--use-fake-device-for-media-stream=device-count=3",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",  # there, a person has pressed a button
    "--host-resolver-rules=MAP clinic.example 127.0.0.1",
]
_JOIN = """async ([options]) => {
  const { Call } = await import("/rooms-page/client/index.js");
  const call = globalThis.call = new Call(options);
  globalThis.events = [];
  for (const name of ["met", "gone", "went-away", "came-back"]) call.addEventListener(name, () => events.push(name));
  globalThis.signals = 0;
  globalThis.began = performance.now();
  void call.join();
}"""
_KEEP_CONNECTIONS = """globalThis.pcs = [];
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(given) { super({ ...given, iceTransportPolicy: "POLICY" }); pcs.push(this); }
};"""
_FRAMES = """async ([screen]) => {
  const stats = await call.people[0]?.getStats();
  const videos = [...stats?.values() ?? []].filter(({ type, kind }) => type === "inbound-rtp" && kind === "video");
  const [camera, display] = videos.sort((one, other) => Number(one.mid) - Number(other.mid));
  return (screen ? display : camera)?.framesDecoded ?? 0;
}"""


_NAMES = "const [them] = call.people, pc = () => pcs.at(-1);"


class Caller:
    """A page in a call."""

    def __init__(self, page: Page, url: str, *, policy: str = "all") -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.add_init_script(_KEEP_CONNECTIONS.replace("POLICY", policy))
        page.goto(f"{url}health")  # any document of the server's: the client draws nothing

    def join(self, role: str, name: str, room: str, **options: Any) -> "Caller":
        """Enter a room in open mode."""
        self.page.evaluate(_JOIN, [{"room": room, "role": role, "name": name, **options}])
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


class Gate:
    """A way to the server that can be cut, and held up."""

    def __init__(self, port: int) -> None:
        self._target = port
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
                try:
                    other = socket.create_connection(("127.0.0.1", self._target), timeout=5)
                except OSError:
                    one.close()
                    continue
                other.settimeout(None)
                self._pairs += [one, other]
                for source, sink in ((one, other), (other, one)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

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


def two_callers(
    chromium: Browser, doctors: str, patients: str, room: str, *, policy: str = "all"
) -> tuple[Caller, Caller]:  # fmt: skip
    """A doctor and a patient in one room, connected; each comes by an address of their own."""
    doctor, patient = (
        Caller(chromium.new_context().new_page(), url, policy=policy) for url in (doctors, patients)
    )  # fmt: skip
    doctor.join("clinician", "Dr A", room).until("call.phase === 'inside'")
    patient.join("patient", "B", room)
    doctor.until("call.knocks.length === 1")
    doctor.ask("call.admit(call.knocks[0].id)")
    for caller in (doctor, patient):
        caller.until("them?.path === 'connected'")
    return doctor, patient
