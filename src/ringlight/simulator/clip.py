"""What a simulated camera sees: a moving picture with a clock, drawn and encoded here, once, and looped."""

import random
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av

from ringlight.media import h264

WIDTH, HEIGHT, RATE = 640, 360, 15  # pixels, pixels, frames a second
SECONDS = 10  # length of the loop
PAN_STEP, TILT_STEP = 120, 30  # pixels that the picture moves when the camera turns one step
KEY_FRAME_EVERY = 15  # frames; a request for a key frame is answered by going on at the next of these
CLOCK_STEP = 90_000 // RATE  # RTP clock units from frame to frame

_PROFILES = {"high": "640029", "main": "4d0029", "baseline": "42e029"}

# Five rows of three dots for each sign of the clock and the label.
_DOTS = {
    " ": (0, 0, 0, 0, 0), ":": (0, 2, 0, 2, 0), ".": (0, 0, 0, 0, 2), "-": (0, 0, 7, 0, 0),
    "0": (7, 5, 5, 5, 7), "1": (2, 6, 2, 2, 7), "2": (7, 1, 7, 4, 7), "3": (7, 1, 7, 1, 7), "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7), "6": (7, 4, 7, 5, 7), "7": (7, 1, 1, 2, 2), "8": (7, 5, 7, 5, 7), "9": (7, 5, 7, 1, 7),
    "A": (2, 5, 7, 5, 5), "B": (6, 5, 6, 5, 6), "C": (3, 4, 4, 4, 3), "D": (6, 5, 5, 5, 6), "E": (7, 4, 6, 4, 7),
    "F": (7, 4, 6, 4, 4), "G": (3, 4, 5, 5, 3), "H": (5, 5, 7, 5, 5), "I": (7, 2, 2, 2, 7), "J": (1, 1, 1, 5, 2),
    "K": (5, 5, 6, 5, 5), "L": (4, 4, 4, 4, 7), "M": (5, 7, 7, 5, 5), "N": (6, 5, 5, 5, 5), "O": (2, 5, 5, 5, 2),
    "P": (6, 5, 6, 4, 4), "Q": (2, 5, 5, 6, 3), "R": (6, 5, 6, 5, 5), "S": (3, 4, 2, 1, 6), "T": (7, 2, 2, 2, 2),
    "U": (5, 5, 5, 5, 7), "V": (5, 5, 5, 5, 2), "W": (5, 5, 7, 7, 5), "X": (5, 5, 2, 5, 5), "Y": (5, 5, 2, 2, 2),
    "Z": (7, 1, 2, 4, 7),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded frame, cut into RTP payloads."""

    payloads: tuple[bytes, ...]
    key_frame: bool


@dataclass(frozen=True, slots=True)
class Clip:
    """A loop of frames. `profile_level_id` is what the SDP says of it."""

    frames: tuple[Frame, ...]
    profile_level_id: str

    def next_key_frame(self, at: int) -> int:
        """Return the index of the first key frame at or after a position, around the end if need be."""
        count = len(self.frames)
        return next((at + step) % count for step in range(count) if self.frames[(at + step) % count].key_frame)


@cache
def make_clip(label: str, hue: int, profile: str, pan: int = 0, tilt: int = 0, mark: str = "") -> Clip:
    """Draw and encode the loop of one camera; takes about a third of a second, once.

    Args:
        label: Shown in the picture; letters, digits and spaces.
        hue: 128 to 200, how blue the sky is; tells the cameras apart.
        pan: Steps that the camera has turned to the right; negative to the left.
        tilt: Steps that it has turned up; negative down.
        profile: `baseline`, `main` or `high`: H.264 profiles as real cameras use them.
        mark: Shown at the top right, beside a sign at the top left; empty for neither.
    """
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)  # noqa: S101 - tells the type checker what libx264 is
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.bit_rate = 700_000
    encoder.thread_count = 1
    encoder.options = {
        "preset": "veryfast", "tune": "zerolatency", "profile": profile, "level": "4.1", "x264-params":
        f"keyint={KEY_FRAME_EVERY}:min-keyint={KEY_FRAME_EVERY}:scenecut=0:repeat-headers=1:slices=1:aud=0",
    }  # fmt: skip
    encoded = []
    for index in range(SECONDS * RATE):
        frame = _draw(label, hue, index, pan * PAN_STEP, tilt * TILT_STEP, mark)
        frame.pts, frame.time_base = index, Fraction(1, RATE)
        encoded += encoder.encode(frame)
    encoded += encoder.encode(None)
    frames = []
    for packet in encoded:
        units = tuple(unit for unit in h264.split_annex_b(bytes(packet)) if unit[0] & 0x1F != 6)
        frames.append(Frame(tuple(h264.packetize(units)), packet.is_keyframe))
    return Clip(tuple(frames), _PROFILES[profile])


def _draw(label: str, hue: int, index: int, right: int, up: int, mark: str) -> av.VideoFrame:
    """Draw one picture: a sky that darkens downwards, a sun on its way, a walker, the clock."""
    luma = bytearray(b"".join(bytes([200 - row // 3]) * WIDTH for row in range(HEIGHT)))
    horizon = HEIGHT * 2 // 3 + up
    # A breeze: the ground moves a little from frame to frame.
    shift = (index * 7) % 24
    luma[horizon * WIDTH :] = (_grass()[shift:] + _grass()[:shift])[: WIDTH * (HEIGHT - horizon)]
    progress = index / (SECONDS * RATE)
    _disc(luma, int(progress * WIDTH) - right, up + 90 + int(160 * (progress - 0.5) ** 2), 34, 235)
    walker = int((progress * 3 % 1) * (WIDTH + 60)) - 30 - right
    _box(luma, walker, horizon - 60 + (index % 4), 26, 80, level=40)
    _disc(luma, walker + 13, horizon - 74 + (index % 4), 15, 60)
    _box(luma, 0, HEIGHT - 44, WIDTH, 44, level=20)
    seconds, tenths = divmod(index * 10 // RATE, 10)
    _text(luma, label.upper(), 14, HEIGHT - 34, dot=5, level=210)
    _text(luma, f"00:{seconds:02}.{tenths}", WIDTH - 170, HEIGHT - 34, dot=5, level=235)
    if mark:
        _text(luma, "RING", 14, 14, dot=4, level=60)
        _text(luma, mark.upper(), WIDTH - 14 - 12 * len(mark), 14, dot=3, level=60)
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    half = WIDTH // 2
    above, below = half * horizon // 2, half * (HEIGHT - horizon) // 2
    blue = bytes([hue]) * above + bytes([112]) * below
    red = bytes([112]) * above + bytes([255 - hue]) * below
    for plane, data in zip(frame.planes, (bytes(luma), blue, red), strict=True):
        stride, width = plane.line_size, plane.width
        rows = (data[row * width : (row + 1) * width].ljust(stride, b"\0") for row in range(plane.height))
        plane.update(b"".join(rows))
    return frame


@cache
def _grass() -> bytes:
    """Return the texture of the ground: noise, so that the encoder has to work as in a real garden."""
    noise = random.Random(1).randbytes(WIDTH * HEIGHT // 3)  # noqa: S311 - a picture, no secret
    return bytes(56 + value % 32 for value in noise)


def _box(luma: bytearray, left: int, top: int, width: int, height: int, *, level: int) -> None:
    start, end = max(left, 0), min(left + width, WIDTH)
    if start < end:
        for row in range(max(top, 0), min(top + height, HEIGHT)):
            luma[row * WIDTH + start : row * WIDTH + end] = bytes([level]) * (end - start)


def _disc(luma: bytearray, x: int, y: int, radius: int, level: int) -> None:
    for row in range(-radius, radius + 1):
        half = int((radius * radius - row * row) ** 0.5)
        _box(luma, x - half, y + row, 2 * half, 1, level=level)


def _text(luma: bytearray, text: str, left: int, top: int, *, dot: int, level: int) -> None:
    for sign in text:
        for row, bits in enumerate(_DOTS.get(sign, _DOTS["-"])):
            for column in range(3):
                if bits >> (2 - column) & 1:
                    _box(luma, left + column * dot, top + row * dot, dot, dot, level=level)
        left += 4 * dot
