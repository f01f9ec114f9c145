"""The camera: H.264 encoded once, then sent as plain RTP over UDP, with a record of when each frame left."""

import multiprocessing
import os
import random
import socket
import struct
import time
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NamedTuple

import av

from ringlight.media import h264, rtp

WIDTH, HEIGHT, RATE = 1920, 1080, 15  # pixels, pixels, frames a second
BIT_RATE = 1_490_000  # of the encoder; with the RTP headers 1.5 Mbit/s come out
GROUP = 30  # frames from key frame to key frame
GROUPS = 4  # of the loop; one more is encoded before it, until the rate has settled
CLOCK_STEP = 90_000 // RATE
PAYLOAD_TYPE = 96
PROFILE = "42e01f"  # what the SDP says; forwarders don't look, and every peer takes it
RECORD = struct.Struct("!BIQB")  # camera, RTP timestamp, nanoseconds since 1970 after its last packet, packets


@dataclass(frozen=True, slots=True)
class Loop:
    """Frames as RTP payloads, beginning with a key frame, to be sent round and round."""

    frames: tuple[tuple[bytes, ...], ...]

    @property
    def packets_a_second(self) -> float:
        return sum(map(len, self.frames)) * RATE / len(self.frames)

    @property
    def bits_a_second(self) -> float:
        octets = sum(rtp.HEADER_LENGTH + len(payload) for frame in self.frames for payload in frame)
        return 8 * octets * RATE / len(self.frames)


def make_loop() -> Loop:
    """Draw and encode: a scene that moves and a rain of noise, so that the encoder needs its bits."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.bit_rate = BIT_RATE
    encoder.thread_count = 1
    encoder.options = {
        "preset": "superfast", "tune": "zerolatency", "profile": "baseline", "x264-params":
        f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:repeat-headers=1:slices=1:aud=0"
        f":vbv-maxrate={BIT_RATE // 1000}:vbv-bufsize={BIT_RATE // 2500}:ipratio=4",
    }  # fmt: skip
    dice = random.Random(1)
    grain = bytes(60 + value % 90 for value in dice.randbytes(WIDTH * 64))
    encoded = []
    for index in range(GROUP * (GROUPS + 1)):
        frame = _draw(index, grain, dice)
        frame.pts, frame.time_base = index, Fraction(1, RATE)
        encoded += encoder.encode(frame)
    encoded += encoder.encode(None)
    frames = []
    for packet in encoded:
        units = tuple(unit for unit in h264.split_annex_b(bytes(packet)) if unit[0] & 0x1F != 6)
        frames.append(tuple(h264.packetize(units)))
    return Loop(tuple(frames[GROUP:]))


def _draw(index: int, grain: bytes, dice: random.Random) -> av.VideoFrame:
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    rows = []
    for row in range(HEIGHT):
        at = ((row // 8) * 331 + index * 5) % (len(grain) - WIDTH)
        rows.append(grain[at : at + WIDTH])
    luma = bytearray(b"".join(rows))
    for _ in range(120):
        x, y = dice.randrange(WIDTH - 32), dice.randrange(HEIGHT - 16)
        for row in range(y, y + 16):
            luma[row * WIDTH + x : row * WIDTH + x + 32] = dice.randbytes(32)
    for plane, data in zip(frame.planes, (bytes(luma), bytes([120]) * (WIDTH * HEIGHT // 4)), strict=False):
        plane.update(data)
    frame.planes[2].update(bytes([130]) * (WIDTH * HEIGHT // 4))
    return frame


class Sent(NamedTuple):
    """A frame that left: its RTP timestamp, when its last packet left in ns since 1970, how many packets it has."""

    timestamp: int
    at: int
    packets: int


class Cameras:
    """As many cameras as ports are given, in a process of its own. Use with `with`.

    Args:
        loop: What they film; each camera begins at another frame.
        ports: Where the server takes each camera's RTP, on 127.0.0.1.
        log: File for the records; made anew.
        core: Where the process may run.
    """

    def __init__(self, loop: Loop, ports: list[int], log: Path, core: int) -> None:
        self._log = log
        self._process: SpawnProcess = multiprocessing.get_context("spawn").Process(
            target=_play, args=(loop, ports, log, core), daemon=True
        )

    def __enter__(self) -> "Cameras":
        self._log.write_bytes(b"")
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def frames(self, camera: int = 0) -> list[Sent]:
        """Return each frame so far."""
        data = self._log.read_bytes()
        whole = len(data) - len(data) % RECORD.size
        return [Sent(*row) for number, *row in RECORD.iter_unpack(data[:whole]) if number == camera]


def _play(loop: Loop, ports: list[int], log: Path, core: int) -> None:
    os.sched_setaffinity(0, {core})
    sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    count = len(ports)
    sequences = [1000] * count
    began = time.monotonic()
    with log.open("ab", buffering=0) as record:
        for tick in range(10**9):
            for camera, port in enumerate(ports):
                due = began + (tick + camera / count) / RATE
                time.sleep(max(0.0, due - time.monotonic()))
                frame = loop.frames[(tick + camera * GROUP // count) % len(loop.frames)]
                stamp = (camera * 1_000_003 + tick * CLOCK_STEP) % rtp.TIMESTAMPS
                for index, payload in enumerate(frame):
                    marker = index == len(frame) - 1
                    head = rtp.header(PAYLOAD_TYPE, marker, sequences[camera], stamp, 0xCA0000 + camera)
                    sending.sendto(head + payload, ("127.0.0.1", port))
                    sequences[camera] = (sequences[camera] + 1) % rtp.SEQUENCES
                record.write(RECORD.pack(camera, stamp, time.time_ns(), len(frame)))
