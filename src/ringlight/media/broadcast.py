"""One camera's packets to everybody who wants them: viewers, recorders, stills."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from ringlight.media.forward import Source
from ringlight.media.h264 import AccessUnit, Assembler
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec

FLUSH_AFTER = 0.004  # seconds that a frame may wait for its last packet
KEY_FRAME_EVERY = 1.0  # seconds; requests that come faster are one


class Sink(Protocol):
    """Takes what the camera sends. Neither call may wait or raise."""

    def join(self, kind: str, group: list[Packet]) -> None:
        """Take what came since the last key frame, at the moment of joining; may be empty."""

    def packets(self, kind: str, batch: list[Packet]) -> None:
        """Take live packets, in the order of the camera."""


class Broadcast:
    """Hands each packet of one camera to all sinks, in batches of a frame.

    Args:
        codecs: The camera's codec of each kind of track.
        keep: Packets kept since the last key frame.
        ask_key_frame: Asks the camera for one; called at most every `KEY_FRAME_EVERY` seconds.
    """

    def __init__(self, codecs: Mapping[str, Codec], keep: int, ask_key_frame: Callable[[], None]) -> None:
        self.received = 0
        self._keep = keep
        self._sources: dict[str, Source] = {}
        self.tune(codecs)
        self._sinks: list[Sink] = []
        self._ask = ask_key_frame
        self._asked_at = float("-inf")
        self._loop = asyncio.get_running_loop()
        self._flushes: dict[str, asyncio.TimerHandle] = {}

    def tune(self, codecs: Mapping[str, Codec]) -> None:
        """Take over the codecs of another attempt or view; who watches stays."""
        self.codecs = dict(codecs)
        self._kind_of = {codec.payload_type: kind for kind, codec in codecs.items()}
        for kind in codecs:
            self._sources.setdefault(kind, Source(kind == "video", self._keep))

    def push(self, packet: Packet) -> str | None:
        """Take a packet of the camera; return the kind of its track, `None` for one that is not known."""
        kind = self._kind_of.get(packet.payload_type)
        if kind is None:
            return None
        self.received += 1
        source = self._sources[kind]
        batch = source.push(packet)
        if batch:
            self._hand_out(kind, batch)
        elif kind not in self._flushes:
            self._flushes[kind] = self._loop.call_later(FLUSH_AFTER, self._flush, kind)
        return kind

    def add(self, sink: Sink) -> None:
        """Let a sink in; it gets the running group of pictures at once."""
        self._sinks.append(sink)
        for kind, source in self._sources.items():
            sink.join(kind, source.sent)
        if self.group == []:
            self.ask_key_frame()

    def remove(self, sink: Sink) -> None:
        """Let a sink go; it is no error if it has gone."""
        if sink in self._sinks:
            self._sinks.remove(sink)

    def ask_key_frame(self) -> None:
        """Ask the camera for a key frame, unless it has just been asked."""
        now = self._loop.time()
        if now - self._asked_at >= KEY_FRAME_EVERY:
            self._asked_at = now
            self._ask()

    @property
    def group(self) -> list[Packet]:
        """The video packets since the last key frame, those sent already."""
        source = self._sources.get("video")
        return source.sent if source else []

    def key_frame(self) -> AccessUnit | None:
        """Return the last key frame if it is whole, for a still; `None` if there is none yet."""
        assembler = Assembler()
        for packet in self.group:
            for unit in assembler.push(packet):
                return unit if unit.key_frame else None
        return None

    def close(self) -> None:
        """Let everybody go."""
        self._sinks.clear()
        for timer in self._flushes.values():
            timer.cancel()
        self._flushes.clear()

    def _flush(self, kind: str) -> None:
        del self._flushes[kind]
        batch = self._sources[kind].flush()
        if batch:
            self._hand_out(kind, batch)

    def _hand_out(self, kind: str, batch: list[Packet]) -> None:
        timer = self._flushes.pop(kind, None)
        if timer is not None:
            timer.cancel()
        for sink in tuple(self._sinks):
            sink.packets(kind, batch)
