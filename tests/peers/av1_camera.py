"""A camera that sends AV1 and Opus: what Firefox decodes without a plugin."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, cast

import av

from ringlight.account.devices import parse_devices
from ringlight.cameras.camera import Camera
from ringlight.cameras.driver import Controls
from ringlight.cameras.shared_view import SharedView
from ringlight.errors import RingError, fault_error
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import SEQUENCES, Packet
from ringlight.media.sdp import Codec, Transport
from ringlight.settings import Settings

AV1, OPUS = Codec(45, "AV1", 90_000, 1, {"profile": "0"}), Codec(111, "opus", 48_000, 2)
WIDTH, HEIGHT, RATE, FRAMES = 320, 180, 15, 30
SOUNDS = 50  # packets a second
LIMIT = 1100  # bytes of a packet
_DELIMITER, _HAS_SIZE, _HAS_EXTENSION = 2, 0x02, 0x04


@cache
def av1_clip() -> tuple[tuple[bytes, ...], ...]:
    """Return the RTP payloads of two seconds of a moving picture, frame by frame, the first one a key frame."""
    encoder = av.CodecContext.create("libsvtav1", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, RATE)
    encoder.options = {"preset": "12", "svtav1-params": f"keyint={FRAMES}:pred-struct=1:lp=1"}
    packets = []
    for at in range(FRAMES):
        picture = av.VideoFrame(WIDTH, HEIGHT, "rgb24")
        picture.planes[0].update(bytes((at * 9 + column // 3) % 256 for column in range(3 * WIDTH)) * HEIGHT)
        picture.pts = at
        packets += encoder.encode(picture.reformat(format="yuv420p"))
    packets += encoder.encode(None)
    return tuple(tuple(_payloads(bytes(packet), packet.is_keyframe)) for packet in packets)


def _payloads(unit: bytes, is_key_frame: bool) -> Iterator[bytes]:
    """Cut a temporal unit into RTP payloads, each with a piece of one OBU (AV1's RTP format, section 4.4)."""
    new_sequence = 0x08 if is_key_frame else 0
    for obu in _obus(unit):
        for at in range(0, len(obu), LIMIT):
            continues, continued = at > 0, at + LIMIT < len(obu)
            yield bytes([continues << 7 | continued << 6 | 1 << 4 | new_sequence]) + obu[at : at + LIMIT]
            new_sequence = 0


def _obus(unit: bytes) -> Iterator[bytes]:
    """Yield the OBUs without their sizes; the delimiter is left out (section 5)."""
    while unit:
        head = 2 if unit[0] & _HAS_EXTENSION else 1
        size, place = 0, head
        while True:
            size |= (unit[place] & 0x7F) << 7 * (place - head)
            place += 1
            if not unit[place - 1] & 0x80:
                break
        if unit[0] >> 3 & 0x0F != _DELIMITER:
            yield bytes([unit[0] & ~_HAS_SIZE]) + unit[1:head] + unit[place : place + size]
        unit = unit[place + size :]


@cache
def tone() -> tuple[bytes, ...]:
    """Return a second of a tone in Opus."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    packets = []
    for at in range(SOUNDS + 5):
        frame = av.AudioFrame("s16", "mono", 48_000 // SOUNDS)
        samples = (8000 if (at * 960 + sample) // 50 % 2 else -8000 for sample in range(960))
        frame.planes[0].update(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
        frame.sample_rate, frame.pts, frame.time_base = 48_000, at * 960, Fraction(1, 48_000)
        packets += encoder.encode(frame)
    return tuple(bytes(packet) for packet in packets[:SOUNDS])


class _View:
    """The camera's end of a view."""

    def __init__(self, on_packet: Callable[[Packet], None], on_agreed: Callable[[Agreed], None], **_: Any) -> None:
        self._on_packet, self._on_agreed = on_packet, on_agreed
        self._sending: list[asyncio.Task[None]] = []

    async def open(self) -> Agreed:
        agreed = Agreed({"video": AV1, "audio": OPUS}, Transport())
        self._on_agreed(agreed)
        self._sending = [asyncio.create_task(self._film()), asyncio.create_task(self._sound())]
        return agreed

    async def _film(self) -> None:
        sequence = 0
        for at in range(10**9):
            payloads = av1_clip()[at % FRAMES]
            for number, payload in enumerate(payloads):
                marker = number == len(payloads) - 1
                self._on_packet(Packet(45, marker, sequence % SEQUENCES, at * 90_000 // RATE, 1, payload))
                sequence += 1
            await asyncio.sleep(1 / RATE)

    async def _sound(self) -> None:
        for at in range(10**9):
            self._on_packet(Packet(111, False, at % SEQUENCES, at * 960, 2, tone()[at % SOUNDS]))
            await asyncio.sleep(1 / SOUNDS)

    async def ended(self) -> RingError:
        await asyncio.Event().wait()
        return fault_error("SIG-CLOSED")

    async def close(self) -> None:
        for task in self._sending:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._sending)

    def ask_key_frame(self) -> None:
        """The next one comes within two seconds."""

    async def command(self, method: str, _: Mapping[str, Any]) -> str | None:
        raise fault_error("CAM-COMMAND", method)

    async def talk(self, *, on: bool) -> None:
        raise fault_error("CAM-NO-TALK", f"asked for {on}")

    def send_sound(self, packet: Packet) -> None:
        """It has no speaker."""


class Premises:
    """Cameras, of which there is one: `av1`."""

    problems: Sequence[RingError] = ()

    def __init__(self, settings: Settings) -> None:
        av1_clip(), tone()
        (device,) = parse_devices({"doorbots": [{"id": 1, "description": "av1"}]}).cameras
        self._camera = Camera("av1", device, SharedView(_View, settings), cast(Controls, None))

    async def cameras(self) -> list[Camera]:
        return [self._camera]

    async def camera(self, name: str) -> Camera:
        if name not in ("av1", "1"):
            raise fault_error("CAM-UNKNOWN", name[:40])
        return self._camera
