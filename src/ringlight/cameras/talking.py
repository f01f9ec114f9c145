"""Who talks to a camera: one at a time, and its speaker is open for just as long."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Protocol

from ringlight.errors import fault_error
from ringlight.media import speech
from ringlight.media.rtp import SEQUENCES, TIMESTAMPS, Packet
from ringlight.media.sdp import Codec

MAX_PAYLOAD = 1200  # bytes: 60 ms of Opus at its highest rate are less
AHEAD = 25  # frames that are encoded at a time: half a second
TAIL = 0.3  # seconds that the speaker stays open after the last frame: the camera plays what it has kept
MAX_RATE = 200  # packets in a second; sound in frames of 10 ms is 100


class Loudspeaker(Protocol):
    """A camera that can be made to hear; an upstream of the shared view is one."""

    async def talk(self, *, on: bool) -> None:
        """Open the speaker and wait until it was told to, or close it without waiting."""

    def send_sound(self, packet: Packet) -> None:
        """Send a packet of sound; must not raise."""


class Talker:
    """One person's turn to talk. It is over when the `async with` is left.

    Attributes:
        codec: What to send: Opus at 48 kHz, or PCMU at 8 kHz.
        sent: How many packets went out.
    """

    def __init__(self, codec: Codec, send: Callable[["Talker", Packet], None]) -> None:
        self.codec = codec
        self.sent = 0
        self._send = send
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbelow(SEQUENCES)
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._second, self._in_second = 0, 0

    def send(self, payload: bytes, timestamp: int) -> None:
        """Send one frame of encoded sound.

        Args:
            payload: One Opus packet, or PCMU samples (a byte each).
            timestamp: When it begins, in samples of the codec's clock from any beginning.
        """
        self._sequence = (self._sequence + 1) % SEQUENCES
        self.forward(Packet(0, False, self._sequence, timestamp % TIMESTAMPS, self._ssrc, payload))

    def forward(self, packet: Packet) -> None:
        """Send a packet as it came from elsewhere; one that is too long, or comes too fast, is dropped."""
        now = self._loop.time()
        if int(now) != self._second:
            self._second, self._in_second = int(now), 0
        self._in_second += 1
        if len(packet.payload) > MAX_PAYLOAD or self._in_second > MAX_RATE:
            return
        # The marker says that a talk begins: the player may let its clock jump (RFC 3551 section 4.1).
        packet = replace(packet, marker=not self.sent)
        self.sent += 1
        self._last = now
        self._send(self, packet)

    @property
    def silent_for(self) -> float:
        """Seconds since the last packet, or since the turn began."""
        return self._loop.time() - self._last


class Floor:
    """Gives the turn to talk to one at a time.

    Args:
        speaker: The camera.
        on_change: Called when somebody begins or ends.

    Attributes:
        codec: What the camera hears; `None` where it hears nothing. Another view of it may bring another.
    """

    def __init__(self, speaker: Loudspeaker, on_change: Callable[[], None]) -> None:
        self.codec: Codec | None = None
        self._speaker = speaker
        self._on_change = on_change
        self._holder: Talker | None = None

    @property
    def taken(self) -> bool:
        """Whether somebody talks."""
        return self._holder is not None

    @contextlib.asynccontextmanager
    async def take(self) -> AsyncIterator[Talker]:
        """Take the turn: opens the speaker, and closes it at the end.

        Raises:
            CameraError: CAM-NO-TALK, CAM-TALK-BUSY, or CAM-COMMAND where the speaker did not open.
            RingError: Why the view ended before.
        """
        if self.codec is None:
            raise fault_error("CAM-NO-TALK")
        if self._holder is not None:
            raise fault_error("CAM-TALK-BUSY")
        talker = self._holder = Talker(self.codec, self._pass_on)
        self._on_change()
        try:
            await self._speaker.talk(on=True)
            yield talker
        finally:
            await self._speaker.talk(on=False)
            self._holder = None
            self._on_change()

    def _pass_on(self, talker: Talker, packet: Packet) -> None:
        # After a renewal the camera may hear another codec; then this talker's sound would be noise.
        if talker is self._holder and self.codec is not None and self.codec.is_called(talker.codec.name):
            self._speaker.send_sound(packet)


async def play(talker: Talker, frames: Iterator[bytes], ahead: list[bytes], check: Callable[[], None]) -> float:
    """Send encoded sound in real time; return how many seconds it was.

    Args:
        talker: Whose turn it is.
        frames: What follows `ahead`; read in a thread, some at a time.
        ahead: The first frames.
        check: Raises what ended the view.
    """
    loop = asyncio.get_running_loop()
    step, count, due = speech.samples_in_frame(talker.codec), 0, loop.time()
    while ahead:
        for payload in ahead:
            check()
            talker.send(payload, count * step)
            count += 1
            due += speech.FRAME
            await asyncio.sleep(max(0.0, due - loop.time()))
        ahead = await read_on(frames)
    await asyncio.sleep(TAIL)
    return count * speech.FRAME


async def read_on(frames: Iterator[bytes]) -> list[bytes]:
    """Encode the next half second in a thread; when cancelled, let it end first: it holds the file."""
    reading = asyncio.ensure_future(asyncio.to_thread(speech.take, frames, AHEAD))
    try:
        return await asyncio.shield(reading)
    except asyncio.CancelledError:
        await asyncio.wait({reading})
        raise
