"""Every server that is measured: how it is started on its core, and how viewers get in."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from media import kernel, signaling
from media.signaling import Signaling
from media.source import PAYLOAD_TYPE, PROFILE

HERE = Path(__file__).parent
START_WITHIN = 20.0  # seconds
LOG = "server.log"  # in the folder of the run
FORMAT = f"profile-level-id={PROFILE};packetization-mode=1"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers: its process, and the way in."""

    pid: int
    signaling: Callable[[], AbstractAsyncContextManager[Signaling]]


Start = Callable[[list[int], Path, int], contextlib.AbstractContextManager[Running]]


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """Return a port that nobody holds now."""
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def camera_description(port: int) -> str:
    """Describe a camera's RTP as SDP."""
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=video {port} RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} H264/90000\r\n"
        f"a=fmtp:{PAYLOAD_TYPE} {FORMAT}\r\na=recvonly\r\n"
    )


@contextlib.contextmanager
def _program(command: list[str], folder: Path, core: int) -> "Iterator[subprocess.Popen[str]]":
    with (folder / LOG).open("w") as log:
        with kernel.on_core(core):
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, text=True)
        try:
            yield process
        finally:
            kernel.stop(process)


def _wait_for(answer: Callable[[], str], process: "subprocess.Popen[str]", folder: Path) -> str:
    """Ask until there is an answer; return it."""
    end = time.monotonic() + START_WITHIN
    while not (found := answer()):
        if time.monotonic() > end or process.poll() is not None:
            raise RuntimeError(f"the server did not start: {(folder / LOG).read_text()[-2000:]}")
        time.sleep(0.1)
    return found


def _ready_url(process: "subprocess.Popen[str]", folder: Path) -> str:
    def printed() -> str:
        text = (folder / LOG).read_text()
        return text.partition("ready ")[2].split()[0] if "ready http" in text and text.endswith("\n") else ""

    return _wait_for(printed, process, folder)


def _answers(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return url
    except urllib.error.HTTPError:
        return url
    except OSError:
        return ""


@contextlib.contextmanager
def ringlight(ports: list[int], folder: Path, core: int) -> Iterator[Running]:
    """Ringlight behind its own WHEP."""
    command = [sys.executable, str(HERE / "ringlight_server.py"), *map(str, ports)]
    with _program(command, folder, core) as process:
        url = _ready_url(process, folder)
        urls = [f"{url}whep/camera-{number}" for number in range(len(ports))]
        yield Running(process.pid, lambda: signaling.whep(urls))


@contextlib.contextmanager
def media_relay(ports: list[int], folder: Path, core: int) -> Iterator[Running]:
    """Run aiortc's `MediaRelay`: one camera only."""
    description = folder / "camera.sdp"
    description.write_text(camera_description(ports[0]))
    with _program([sys.executable, str(HERE / "relay_server.py"), str(description)], folder, core) as process:
        url = _ready_url(process, folder)
        yield Running(process.pid, lambda: signaling.whep([f"{url}whep"]))


_JANUS = """general: {{ debug_level = 3, session_timeout = 0, event_loops = 1 }}
nat: {{ nice_debug = false }}
media: {{ rtp_port_range = "20000-59999" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""


@contextlib.contextmanager
def janus(ports: list[int], folder: Path, core: int) -> Iterator[Running]:
    """Run Janus with its streaming plugin and its HTTP interface alone."""
    program = shutil.which("janus")
    assert program is not None
    port = free_port(socket.SOCK_STREAM)
    installed = next(iter(Path("/usr/lib").glob("*/janus")), Path("/usr/lib/janus"))
    others = {
        kind: ",".join(sorted(path.name for path in (installed / kind).glob("*.so") if keep not in path.name))
        for kind, keep in (("plugins", "streaming"), ("transports", "http"))
    }
    (folder / "janus.jcfg").write_text(_JANUS.format(**others))
    (folder / "janus.transport.http.jcfg").write_text(
        f'general: {{ base_path = "/janus", http = true, port = {port}, ip = "127.0.0.1", https = false }}\n'
    )
    mountpoints = "".join(
        f'camera-{number}: {{ type = "rtp", id = {number + 1}, media = ( {{ type = "video", mid = "v", port = {rtp}, '
        f'pt = {PAYLOAD_TYPE}, codec = "h264", fmtp = "{FORMAT}" }} ) }}\n'
        for number, rtp in enumerate(ports)
    )
    (folder / "janus.plugin.streaming.jcfg").write_text(mountpoints)
    with _program([program, "-F", str(folder)], folder, core) as process:
        url = f"http://127.0.0.1:{port}/janus"
        _wait_for(lambda: _answers(f"{url}/info"), process, folder)
        yield Running(process.pid, lambda: signaling.janus(url))


@contextlib.contextmanager
def mediamtx(ports: list[int], folder: Path, core: int) -> Iterator[Running]:
    """Run mediamtx, of a version that takes plain RTP (`udp+rtp`)."""
    program = shutil.which("mediamtx")
    assert program is not None
    port = free_port(socket.SOCK_STREAM)
    lines = ["rtsp: no", "rtmp: no", "hls: no", "srt: no", "webrtc: yes", f"webrtcAddress: 127.0.0.1:{port}"]
    lines += [f"webrtcLocalUDPAddress: :{free_port()}", "webrtcAdditionalHosts: [127.0.0.1]", "paths:"]
    for number, rtp in enumerate(ports):
        lines += [f"  camera-{number}:", f"    source: udp+rtp://127.0.0.1:{rtp}", "    rtpSDP: |"]
        lines += [f"      {line}" for line in camera_description(rtp).splitlines()]
    (folder / "mediamtx.yml").write_text("\n".join([*lines, ""]))
    with _program([program, str(folder / "mediamtx.yml")], folder, core) as process:
        url = f"http://127.0.0.1:{port}/"
        _wait_for(lambda: _answers(url), process, folder)
        urls = [f"{url}camera-{number}/whep" for number in range(len(ports))]
        yield Running(process.pid, lambda: signaling.whep(urls))


# Name, program to look for, how it is started.
PEERS: tuple[tuple[str, str, Start], ...] = (("Janus", "janus", janus), ("mediamtx", "mediamtx", mediamtx))
