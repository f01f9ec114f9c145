"""A running view as fragments of MP4 in memory, for players that take it over HTTP. Pictures are never decoded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import av

from ringlight.media import fragments
from ringlight.media.film import Heard, Part, Picture
from ringlight.media.forward import Batch, Track, source_of
from ringlight.media.h264 import PPS, SPS, AccessUnit, Assembler
from ringlight.media.outlet import Outlet
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec
from ringlight.media.timing import PICTURE_CLOCK, Timing

YOUNG = 0.5  # seconds that a group may have run: a player stays behind by as much


@dataclass(frozen=True, slots=True)
class Fragment:
    """One fragment.

    Attributes:
        data: The bytes.
        at: When its pictures begin, in seconds since its description; `None` where it has sound alone.
        key_frame: Whether it begins with a key frame.
    """

    data: bytes
    at: float | None
    key_frame: bool


class Reel:
    """A sink of a broadcast that makes fragments. It begins with the running group if that is young, or the next one.

    Args:
        tracks: The camera's.
        sound: The codec of the sound, as a recording keeps it; `None` leaves sound out.
        fragment: Seconds at most in one fragment.
        on_description: Called with what describes the tracks: once, and anew where the camera changes its pictures.
        on_fragment: Called with each fragment behind it.
        on_broken: Called when frames are lost, and at the beginning, to ask for a key frame.
        clock: Tells the time in seconds.

    Attributes:
        lost: Frames that are missing because packets were.
    """

    def __init__(
        self,
        tracks: Mapping[str, Track],
        sound: Codec | None,
        fragment: float,
        *,
        on_description: Callable[[bytes], None],
        on_fragment: Callable[[Fragment], None],
        on_broken: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        wanted = ("video",) if sound is None else ("video", "audio")
        self._outlets = {kind: Outlet(tracks[kind], 0) for kind in wanted if kind in tracks}
        self._sound, self._fragment = sound, round(fragment * 1_000_000)
        self._on_description, self._on_fragment, self._on_broken = on_description, on_fragment, on_broken
        self._clock = clock
        self._assembler = Assembler()
        self._timing = Timing(sound.clock_rate if sound else 48_000)
        self._part: Part[_Buffer] | None = None
        self._sets: tuple[bytes, ...] = ()
        self._keys: set[int] = set()
        self._source: int | None = None
        self._start = 0
        self._skipping, self._closed = True, False
        self.lost = 0

    def join(self, kind: str) -> None:
        """Begin with the running group, or ask for the next."""
        outlet = self._outlets.get(kind)
        group = outlet.join(young=YOUNG) if outlet is not None else []
        for batch in group:
            self._take(kind, batch)
        if kind == "video" and not group:
            self._on_broken()

    def packets(self, kind: str, batch: Batch) -> None:
        """Take live packets."""
        outlet = self._outlets.get(kind)
        wanted = outlet.take(batch) if outlet is not None else None
        if wanted is not None:
            self._take(kind, wanted)

    def close(self) -> None:
        """Hand out what is left; nothing is taken after."""
        self._closed = True
        self._finish()

    def _finish(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            try:
                part.close(None)
            except av.FFmpegError:  # nothing in it could be read
                self.lost += 1
            self._hand_out(part)

    def _take(self, kind: str, batch: Sequence[Packet]) -> None:
        now = self._clock()
        try:
            for packet in () if self._closed else batch:
                if kind == "video":
                    self._see(packet, now)
                else:
                    self._hear(packet, now)
        except av.FFmpegError:  # bytes that are no video
            self.lost += 1
            self._skipping = True
        if self._part is not None:
            self._hand_out(self._part)

    def _see(self, packet: Packet, now: float) -> None:
        lost, source = self._assembler.dropped, source_of(packet)
        units = self._assembler.push(packet)
        broken = self._assembler.dropped > lost
        if broken or source != self._source:
            self._skipping = True  # what refers to a lost frame, or to another session's
            self.lost += broken
            self._on_broken()
        self._source = source
        for unit in units:
            self._show(Picture(unit, self._timing.see(unit.timestamp, source, now)))
            # Where the newer of two frames is the broken one, the older does not mend it.
            self._skipping |= broken and unit.timestamp != packet.timestamp

    def _show(self, picture: Picture) -> None:
        if picture.unit.key_frame:
            self._skipping = False
            self._begin(picture)
        if self._part is None or self._skipping:
            return
        if picture.unit.key_frame:
            self._keys.add(picture.at - self._start)
        self._part.show(picture)

    def _begin(self, picture: Picture) -> None:
        """Begin another part where the pictures are others."""
        sets = _sets(picture.unit)
        if len(sets) < 2 if self._part is None else not sets or sets == self._sets:
            return
        self._finish()
        if self._closed:
            return
        self._part = Part(_Buffer(), picture, self._sound, fragment=self._fragment)
        self._sets, self._start = sets, picture.at
        self._keys.clear()

    def _hear(self, packet: Packet, now: float) -> None:
        at = self._timing.hear(packet.timestamp, source_of(packet), now)
        if at is not None and self._part is not None:
            self._part.hear(Heard(packet.payload, at))

    def _hand_out(self, part: "Part[_Buffer]") -> None:
        data = part.file.take()
        if not data:
            return
        description, pieces = fragments.split(data)
        if description:
            self._on_description(description)
        for piece in pieces:
            at = fragments.begins_at(piece)
            key_frame = at in self._keys
            if at is not None:
                self._keys = {key for key in self._keys if key > at}
            self._on_fragment(Fragment(piece, None if at is None else at / PICTURE_CLOCK, key_frame))


class _Buffer:
    """Keeps what the muxer writes until a fragment is whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self._buffer += data
        return len(data)

    def take(self) -> bytes:
        """Return the whole fragments."""
        end = fragments.whole(self._buffer)
        taken = bytes(self._buffer[:end])
        del self._buffer[:end]
        return taken


def _sets(unit: AccessUnit) -> tuple[bytes, ...]:
    return tuple(one for one in unit.units if one[0] & 0x1F in (SPS, PPS))
