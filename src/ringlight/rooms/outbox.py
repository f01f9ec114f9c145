"""What somebody in a room has been told: numbered, and kept until it has arrived. Pure."""

from collections.abc import Iterable

from msgspec.structs import force_setattr

from ringlight.rooms import messages
from ringlight.rooms.messages import Event

__all__ = ["Outbox"]

MOVED_UP = 64  # events that an outbox forgets until its list is shortened


class Outbox:
    """The events of one person, numbered, and kept for a connection that broke.

    Args:
        most: Events kept.
        most_bytes: Bytes that they may take.
        seq: The number of the last one so far.
        kept: Those that are kept of them.
    """

    __slots__ = ("_bytes", "_forgotten", "_kept", "most", "most_bytes", "seq")

    def __init__(self, most: int, most_bytes: int, seq: int = 0, kept: Iterable[bytes] = ()) -> None:
        self.seq = seq
        self.most = most
        self.most_bytes = most_bytes
        self._kept = list(kept)  # the last has the number `seq`; a deque would take half a kilobyte while it is empty
        self._bytes = sum(map(len, self._kept))
        self._forgotten = 0  # at the beginning of `_kept`, empty by now: to move the others up each time takes longer

    def add(self, event: Event) -> bytes:
        """Number an event, keep it and return its frame."""
        force_setattr(event, "seq", self.seq + 1)  # told to several, it is numbered for each; nobody else keeps it
        return self.keep(messages.encode(event))

    def keep(self, frame: bytes) -> bytes:
        """Keep the frame of an event that has the number after `seq`, and return it."""
        self.seq += 1
        kept = self._kept
        kept.append(frame)
        self._bytes += len(frame)
        if len(kept) - self._forgotten > self.most or self._bytes > self.most_bytes:
            self._forget()
        return frame

    def _forget(self) -> None:
        kept = self._kept
        while len(kept) - self._forgotten > self.most or self._bytes > self.most_bytes:
            self._bytes -= len(kept[self._forgotten])
            kept[self._forgotten] = b""
            self._forgotten += 1
        if self._forgotten >= MOVED_UP:
            del kept[: self._forgotten]
            self._forgotten = 0

    def forget(self, seq: int) -> None:
        """Forget all events up to a number, as they have arrived; a number that was never sent says nothing."""
        kept = self._kept
        if seq == self.seq:  # as where both talk to each other
            kept.clear()
            self._bytes = self._forgotten = 0
            return
        gone = len(kept) - (self.seq - seq)
        if self._forgotten < gone < len(kept):
            self._bytes -= sum(map(len, kept[:gone]))
            del kept[:gone]
            self._forgotten = 0

    @property
    def kept(self) -> list[bytes]:
        """Those that are kept, oldest first."""
        return self._kept[self._forgotten :]

    def at(self, seq: int) -> bytes | None:
        """Return an event by its number; `None` if it is no longer kept."""
        missed = self.after(seq - 1)
        return missed[0] if missed else None

    def after(self, seq: int) -> list[bytes] | None:
        """Return what came after an event; `None` if some of it is no longer kept, or was never sent."""
        missed = self.seq - seq
        if missed < 0 or missed > len(self._kept) - self._forgotten:
            return None
        return self._kept[len(self._kept) - missed :]
