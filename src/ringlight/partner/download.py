"""The plan by which footage is fetched: what to ask next, whether what came fits, when to stop trying. Pure.

The plan is a generator. It yields steps and is sent `(now, result)`, `now` in seconds since 1970. A shell that runs
it does for each step what is written there, and nothing else; errors of calls and of reading are sent, not raised.
Where the plan returns, the shell finishes its sink; whatever else ends it, a cancellation too, discards it.

The waits for footage that is still being made are the plan's, so its calls go with `fresh_until=0`: the client does not
wait for it a second time.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from ringlight.errors import MediaNotReadyError, NetworkError, RingError, StatusError, fault_error
from ringlight.partner.api import origin_of, resolve, shown_origin
from ringlight.partner.call import Call
from ringlight.partner.media import Head, Wish, fetch

__all__ = ["Open", "Plan", "Read", "Restart", "Saved", "Sink", "Step", "Wait", "Write", "download"]

NOT_READY_FOR = 120.0  # seconds after the end of the time asked for; what is not there then never will be
PAUSES = (1.0, 2.0, 3.0, 5.0)  # seconds between asking for what is not ready; the last goes on
MOST_FRUITLESS = 5  # tries in a row that bring nothing further
MOST_REDIRECTS = 5
MOST_RENEWED = 2  # addresses in a row of which none was good for a byte
_EXPIRED = {400, 401, 403, 404, 410}
_TELLING = 12  # bytes by which a file is known


class Open(Struct, frozen=True):
    """Close what is open and make a call. If its answer is not an error, leave the body unread and send what
    `decode` makes of status and fields; else send the error.
    """

    call: Call[Head]


class Read(Struct, frozen=True):
    """Send the next piece of the body that is open, `None` at its end, or the error that cut it."""


class Restart(Struct, frozen=True):
    """Empty the file. Send `None`."""


@dataclass(frozen=True, slots=True)
class Write:
    """Add a piece to the file and tell the progress. Send `None`.

    Attributes:
        piece: The bytes.
        done: How many there are with these.
        total: How many there will be; `None` if that is not known.
    """

    piece: bytes = field(repr=False)
    done: int
    total: int | None


class Wait(Struct, frozen=True):
    """Wait. Send `None`."""

    seconds: float


Step: TypeAlias = Open | Read | Restart | Write | Wait
Result: TypeAlias = Head | RingError | bytes | None


@dataclass(frozen=True, slots=True)
class Saved:
    """Footage that is here whole.

    Attributes:
        size: Bytes.
        head: What the storage said of it.
        is_partial: Whether Ring had only part of the time asked for.
        resumed: How often it was taken up again in the middle.
        restarted: How often it had to begin anew.
    """

    size: int
    head: Head
    is_partial: bool
    resumed: int
    restarted: int


Plan: TypeAlias = Generator[Step, tuple[float, Result], Saved]


class Sink(Protocol):
    """Where a shell puts what the plan writes; errors of the disk are its own."""

    def restart(self) -> None:
        """Become empty."""

    def write(self, piece: bytes) -> None:
        """Add bytes."""

    def finish(self) -> None:
        """Become what was asked for: whole, and there after a loss of power."""

    def discard(self) -> None:
        """Leave nothing behind."""


def download(wish: Wish, attempts: int | None = None) -> Plan:
    """Fetch footage.

    Args:
        wish: What is wanted.
        attempts: How many tries in a row may bring nothing further, and one more; `None` is five and one more.

    Raises:
        MediaNotReadyError: PARTNER-NOT-READY or PARTNER-NO-FOOTAGE, until two minutes after the end of its time.
        MediaError: PARTNER-ENCRYPTED.
        NetworkError: PARTNER-CUT, or what a call came to.
        BadAnswerError: PARTNER-ORIGIN or PARTNER-ANSWER.
        StatusError: What the API refused it with.
    """
    return _Download(wish, MOST_FRUITLESS if attempts is None else attempts - 1).run()


class _Download:
    def __init__(self, wish: Wish, most_fruitless: int) -> None:
        self.wish = wish
        self.most_fruitless = most_fruitless
        self.address: Call[Head] | None = None  # where a redirect led; `None` asks the API
        self.head = Head(0)
        self.have = self.furthest = 0
        self.total: int | None = None
        self.etag: str | None = None
        self.resumed = self.restarted = self.fruitless = self.redirects = self.not_ready = 0
        self.renewed = 0  # since the last byte
        self.deadline: float | None = None
        self.patience = 0.0  # seconds of waiting that are left

    def run(self) -> Plan:
        while True:
            call = self._call()
            now, said = yield Open(call)
            if isinstance(said, RingError):
                pause = self._after_refusal(said, call, now)
            elif not isinstance(said, Head):
                raise TypeError(f"a call for footage does not come to {said!r}")
            elif said.location is not None:
                self._follow(call, said)
                continue
            elif self._fits(said, call) and (yield from self._body(said)):
                return Saved(self.have, self.head, self._is_partial(), self.resumed, self.restarted)
            else:
                pause = self._again()
            if pause:
                yield Wait(pause)

    def _call(self) -> Call[Head]:
        if self.address is None:
            return self.wish.call
        request = self.address.request
        if not self.have or request.method != "GET" or self.etag is None:
            return self.address  # without a mark of the file nobody knows whether the rest belongs to it
        headers = {"Range": f"bytes={self.have}-", "If-Range": self.etag}  # RFC 9110 section 13.1.5
        return fetch(self.wish, request.url, request, 303, headers)

    def _after_refusal(self, error: RingError, call: Call[Head], now: float) -> float:
        """Return the seconds to wait before another try; raise where none helps."""
        asked_rest = "Range" in call.request.headers
        if isinstance(error, MediaNotReadyError) and asked_rest and error.status != 425:
            self.have, self.etag = 0, None  # the file has no such rest: it is another, or has another length
            return self._again()
        if isinstance(error, MediaNotReadyError):
            self.address = None  # the whole request is made again, unchanged
            return self._patience(error, now)
        if self.address is not None and isinstance(error, StatusError) and error.status in _EXPIRED:
            self.address = None  # it allows for a while only; the API gives a new one
            self.renewed += 1
            if self.renewed <= MOST_RENEWED:
                return 0.0
        if isinstance(error, NetworkError) and self.have:
            return self._again(error)
        raise error

    def _patience(self, error: MediaNotReadyError, now: float) -> float:
        if self.deadline is None:
            end = now if self.wish.until is None else self.wish.until / 1000
            self.deadline = min(end, now + 900) + NOT_READY_FOR  # at most, if this machine's clock is behind
            self.patience = self.deadline - now
        pause = max(PAUSES[min(self.not_ready, len(PAUSES) - 1)], error.retry_after or 0.0)
        self.not_ready += 1
        if now + pause > self.deadline or pause > self.patience:
            raise error
        self.patience -= pause  # counted too, for the clock may be set back meanwhile
        return pause

    def _follow(self, call: Call[Head], head: Head) -> None:
        self.redirects += 1
        former, api = call.request, self.wish.api
        url = resolve(head.location or "", former.url)
        origin, own = origin_of(url), origin_of(api.origin)
        if self.redirects > MOST_REDIRECTS:
            raise fault_error("PARTNER-ORIGIN", "it leads from one address to the next")
        if origin is None or (own is not None and own[0] == "https" != origin[0]):
            raise fault_error("PARTNER-ORIGIN", f"the footage is said to be at {shown_origin(url)}")
        self.address = fetch(self.wish, url, former, head.status, {})

    def _fits(self, head: Head, call: Call[Head]) -> bool:
        """Judge whether a body goes on from what is here, or begins anew; `False` if it does neither."""
        self.redirects = 0
        asked_rest = "Range" in call.request.headers
        span = head.span
        if asked_rest and head.status == 206 and span is not None:
            same = span.first == self.have and head.etag in {None, self.etag}
            if same and (span.total is None or self.total is None or span.total == self.total):
                self.resumed += 1
                self.total = span.total if span.total is not None else self.total
                return True
            self.have, self.etag = 0, None  # ask for the whole next
            return False
        if span is not None and span.first != 0:
            return False
        self.restarted += self.furthest > 0
        self.have, self.etag, self.head = 0, head.etag, head
        self.total = span.total if span is not None else head.length
        self._cap(self.total or 0)
        return True

    def _body(self, head: Head) -> Generator[Step, tuple[float, Result], bool]:
        """Take the body; return whether the footage is whole now."""
        fresh, begin = not self.have, b""
        if fresh:
            yield Restart()
        while True:
            _, piece = yield Read()
            if isinstance(piece, RingError):
                if not isinstance(piece, NetworkError):
                    raise piece
                return False
            if not isinstance(piece, bytes):
                break
            if fresh:
                begin += piece
                if len(begin) < _TELLING:
                    continue
                fresh, piece = False, begin
                self._known(begin, head)
            yield self._write(piece)
        if fresh:
            self._known(begin, head)
            yield self._write(begin)
        return self.total is None or self.have == self.total

    def _write(self, piece: bytes) -> Write:
        self._cap(self.have + len(piece))
        self.have += len(piece)
        self.renewed = 0
        return Write(piece, self.have, self.total)

    def _known(self, begin: bytes, head: Head) -> None:
        if not begin:
            raise fault_error("PARTNER-ANSWER", f"HTTP {head.status}: no footage, and no error")
        if not self.wish.is_footage(begin):
            raise fault_error("PARTNER-ENCRYPTED", f"it is no {'MP4' if self.wish.kind == 'clip' else 'JPEG or PNG'}")

    def _cap(self, size: int) -> None:
        limit = self.wish.limit if self.total is None else min(self.wish.limit, self.total)
        if size > limit:
            raise fault_error("PARTNER-ANSWER", f"more than {limit} bytes")

    def _is_partial(self) -> bool:
        """Whether it is a 206 that nobody asked for by a range: Ring's way to say that it has only part of the time."""
        return self.head.status == 206 and (self.head.span is None or self.head.duration is not None)

    def _again(self, error: RingError | None = None) -> float:
        """Count a try by what it brought: a line that is cut at every step still gets there, a circle ends."""
        if self.have > self.furthest:
            self.furthest, self.fruitless = self.have, 0
            return 0.0
        self.fruitless += 1
        if self.fruitless > self.most_fruitless:
            host = urlsplit((self.address or self.wish.call).request.url).hostname
            raise error or fault_error("PARTNER-CUT", f"{host}: {self.furthest} of {self.total or 'unknown'} bytes")
        return PAUSES[min(self.fruitless, len(PAUSES)) - 1]
