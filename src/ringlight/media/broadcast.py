"""One camera's packets to everybody who wants them: viewers, recorders, stills."""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from ringlight.errors import fault_error
from ringlight.media import key_frames
from ringlight.media.forward import Batch, Numbered, Track
from ringlight.media.h264 import AccessUnit, Assembler
from ringlight.media.past import Past
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec

log = logging.getLogger("ringlight.media")
FLUSH_AFTER = 0.004  # seconds that a frame may wait for its last packet
KEY_FRAME_EVERY = 1.0  # seconds; requests that come faster are one
SLICE = 0.002  # seconds that sinks are served before sockets get their turn
MOST_WAITING = 256  # batches, some five seconds of a camera: more is a machine that cannot keep up


class Sink(Protocol):
    """Takes what the camera sends. Neither call may wait or raise."""

    def join(self, kind: str) -> None:
        """Begin with a track; `tracks` has what came since the last key frame."""

    def packets(self, kind: str, batch: Batch) -> None:
        """Take live packets, in the order of the camera."""


class Broadcast:
    """Hands each packet of one camera to all sinks, in batches of a frame.

    Who is served first changes from batch to batch, and nobody is served for longer than a `SLICE` at a
    time: of many viewers none waits for all others.

    Args:
        codecs: The camera's codec of each kind of track.
        keep: Packets kept since the last key frame.
        ask_key_frame: Asks the camera for one; called at most every `KEY_FRAME_EVERY` seconds.
        past: What recordings may begin with; `None` keeps the running group alone.

    Attributes:
        past: Everything that went out, as far back as is kept.
    """

    def __init__(
        self, codecs: Mapping[str, Codec], keep: int, ask_key_frame: Callable[[], None], past: Past | None = None
    ) -> None:
        self.received = self.overrun = 0
        self.past = past or Past()
        self._keep = keep
        self._names: dict[str, str] = {}
        self.tracks: dict[str, Track] = {}
        self.tune(codecs)
        self._sinks: dict[Sink, None] = {}
        self._ask = ask_key_frame
        self._asked_at = float("-inf")
        self._asking: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._flushes: dict[str, asyncio.TimerHandle] = {}
        self._waiting: deque[tuple[str, Batch, deque[Sink]]] = deque()
        self._serving: asyncio.Handle | None = None
        self._turn = 0

    def tune(self, codecs: Mapping[str, Codec]) -> None:
        """Take over the codecs of another attempt or view; who watches stays.

        They decode what was agreed first: a track that comes in another codec now is left out.
        """
        self.codecs = {
            kind: codec for kind, codec in codecs.items() if codec.is_called(self._names.setdefault(kind, codec.name))
        }
        self._kind_of = {codec.payload_type: kind for kind, codec in self.codecs.items()}
        for kind, codec in self.codecs.items():
            if kind in self.tracks:
                self.tracks[kind].change()
            else:
                starts = key_frames.of(codec)
                self.tracks[kind] = Track(
                    kind == "video", secrets.randbits(32), codec.clock_rate, self._keep,
                    index=secrets.randbelow(1 << 15), timestamp=secrets.randbelow(1 << 31), starts_key_frame=starts,
                )  # fmt: skip
                if kind == "video":
                    self.past.starts_key_frame = starts

    def push(self, packet: Packet) -> str | None:
        """Take a packet of the camera; return the kind of its track, `None` for one that is not known."""
        kind = self._kind_of.get(packet.payload_type)
        if kind is None:
            return None
        self.received += 1
        track = self.tracks[kind]
        batch = track.push(packet, self._loop.time())
        if batch is not None:
            self._hand_out(kind, batch)
        elif kind not in self._flushes:
            self._flushes[kind] = self._loop.call_later(FLUSH_AFTER, self._flush, kind)
        return kind

    def add(self, sink: Sink) -> None:
        """Let a sink in; it may take the running group of pictures at once."""
        self._sinks[sink] = None
        for kind in self.tracks:
            sink.join(kind)
        if not self.group:
            self.ask_key_frame()

    def remove(self, sink: Sink) -> None:
        """Let a sink go; it is no error if it has gone."""
        self._sinks.pop(sink, None)

    def ask_key_frame(self) -> None:
        """Ask the camera for a key frame; where it has just been asked, later, unless one has begun by then."""
        now = self._loop.time()
        if now - self._asked_at >= KEY_FRAME_EVERY:
            self._asked_at = now
            self._ask()
        elif self._asking is None:
            self._asking = self._loop.call_at(self._asked_at + KEY_FRAME_EVERY, self._ask_again, self._beginning())

    @property
    def group(self) -> list[Numbered]:
        """The video packets since the last key frame, those sent already."""
        track = self.tracks.get("video")
        return track.sent if track else []

    def check_h264(self) -> None:
        """Judge whether the pictures can be put together here, for a still or a recording.

        Raises:
            MediaError: MEDIA-CODEC: they are only passed through.
        """
        name = self._names.get("video", "H264")
        if name.upper() != "H264":
            raise fault_error("MEDIA-CODEC", f"the camera sends {name}")

    def key_frame(self) -> AccessUnit | None:
        """Return the last key frame if it is whole, for a still; `None` if there is none yet."""
        assembler = Assembler()
        for packet in self.group:
            for unit in assembler.push(packet):
                return unit if unit.key_frame else None
        return None

    def forget(self) -> None:
        """Drop what was kept for newcomers: the view has broken off, and who comes now waits for a new picture."""
        for track in self.tracks.values():
            track.forget()

    def close(self) -> None:
        """Let everybody go."""
        self._sinks.clear()
        self._waiting.clear()
        for timer in self._flushes.values():
            timer.cancel()
        self._flushes.clear()
        for handle in (self._serving, self._asking):
            if handle is not None:
                handle.cancel()

    def _ask_again(self, beginning: int | None) -> None:
        self._asking = None
        if self._beginning() in (None, beginning):
            self._asked_at = self._loop.time()
            self._ask()

    def _beginning(self) -> int | None:
        """Return the number of the packet with which the running group begins."""
        track = self.tracks.get("video")
        return track.group[0].index if track and track.group else None

    def _flush(self, kind: str) -> None:
        del self._flushes[kind]
        batch = self.tracks[kind].flush()
        if batch is not None:
            self._hand_out(kind, batch)

    def _hand_out(self, kind: str, batch: Batch) -> None:
        timer = self._flushes.pop(kind, None)
        if timer is not None:
            timer.cancel()
        self.past.push(kind, batch, self._loop.time())
        if not self._sinks:
            return
        # Who joins from now on has got this batch with the group: it is for those who are here.
        sinks = deque(self._sinks)
        sinks.rotate(self._turn)
        self._turn = (self._turn + 1) % len(sinks)
        self._waiting.append((kind, batch, sinks))
        if len(self._waiting) > MOST_WAITING:
            self._skip()
        if self._serving is None:
            self._serve()

    def _serve(self) -> None:
        """Serve who waits for a slice of time; then let others have theirs."""
        self._serving = None
        until = self._loop.time() + SLICE
        while self._waiting:
            kind, batch, sinks = self._waiting[0]
            while sinks:
                sink = sinks.popleft()
                if sink in self._sinks:
                    try:
                        sink.packets(kind, batch)
                    except Exception:
                        # A bug of ours: one viewer's trouble must not stop the camera's packets to all others.
                        log.exception("a batch of %s could not be taken", kind)
                if sinks and self._loop.time() >= until:
                    self._serving = self._loop.call_soon(self._serve)
                    return
            self._waiting.popleft()

    def _skip(self) -> None:
        """Give up what waits: the machine cannot keep up, and late pictures help nobody."""
        self.overrun += len(self._waiting)
        self._waiting.clear()
        self.ask_key_frame()
