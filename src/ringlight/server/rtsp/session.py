"""A player's dialog: what each request may do, and when. Pure: bytes and the time go in, actions come out.

One connection is one dialog, and carries one session at most: it begins with the first SETUP and ends with TEARDOWN
or with the connection.
"""

from collections import deque
from enum import Enum

import msgspec

from ringlight.errors import RingError
from ringlight.server.rtsp import credentials, transport
from ringlight.server.rtsp.description import Stream
from ringlight.server.rtsp.events import (
    Action,
    Admitted,
    Alive,
    Close,
    Event,
    Judge,
    Open,
    Opened,
    Pause,
    Place,
    Placed,
    Play,
    Received,
    Refused,
    Report,
    Send,
    Tick,
)
from ringlight.server.rtsp.messages import Channel, Reader, Request, Unreadable, response
from ringlight.server.rtsp.transport import OverTcp, OverUdp

TIMEOUT = 60.0  # seconds without a sign of life from a player by UDP, or without PLAY, after which a session ends
WHOLE_WITHIN = 10.0  # seconds from the first byte of a request to its last
WAITING = 32  # requests that wait for the one before; a player has one on the way
BURST, WINDOW = 100, 10.0  # requests in so many seconds; a player has some ten in all, then one every 30 s
GUESSES = 3  # wrong keys on one connection
_PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_UNSERVED = frozenset({"ANNOUNCE", "RECORD", "REDIRECT"})  # RFC 2326 knows them; nobody publishes to a camera


class State(Enum):
    """How far a dialog is."""

    NEW = "new"
    READY = "ready"  # at least one track is set up
    PLAYING = "playing"
    CLOSED = "closed"


class Dialog:
    """One player's dialog.

    Args:
        session: The id of its session.
        nonce: For the proof of the key.
        guarded: Whether a player has to show a key.
        udp: Whether packets may go by UDP.
        address: Ours, as the player reached it.
        now: Seconds on the clock of `receive`.

    Attributes:
        state: How far it is.
        camera: Whose view is open; empty before.
    """

    def __init__(self, session: str, nonce: str, *, guarded: bool, udp: bool, address: str, now: float) -> None:
        self.state = State.NEW
        self.camera = ""
        self._session, self._nonce, self._guarded, self._udp, self._address = session, nonce, guarded, udp, address
        self._reader = Reader()
        self._queue: deque[Request] = deque()
        self._asked: Request | None = None  # it waits for a judgement, for the camera, or for ports
        self._judging = False
        self._stream: Stream | None = None
        self._seats: dict[int, OverTcp | OverUdp] = {}
        self._began: float | None = None  # the request that is not whole yet
        self._moved = self._heard = now
        self._window, self._count, self._guesses = now, 0, 0

    def receive(self, event: Event, now: float) -> list[Action]:
        """Feed one event; return what to do, in order. Never raises; after `Close` it returns nothing."""
        if self.state is State.CLOSED:
            return []
        match event:
            case Received(data):
                return self._read(data, now)
            case Tick():
                return self._tick(now)
            case Alive():
                self._heard = now
                return []
            case Admitted() | Opened() | Refused() | Placed():
                return [*self._answered(event, now), *self._go_on(now)]

    # ---- what comes in ----

    def _read(self, data: bytes, now: float) -> list[Action]:
        actions: list[Action] = []
        for piece in self._reader.feed(data):
            if isinstance(piece, Channel):
                actions += self._report(piece, now)
            elif isinstance(piece, Unreadable):
                return [*actions, *self._end(response(piece.status, None), piece.why)]
            elif not self._counts(now) or len(self._queue) >= WAITING:
                refusal = response(429, piece.headers.get("cseq"), [("Retry-After", str(int(WINDOW)))])
                return [*actions, *self._end(refusal, "too many requests")]
            else:
                self._queue.append(piece)
        self._began = (self._began if self._began is not None else now) if self._reader.halfway else None
        return [*actions, *self._go_on(now)]

    def _counts(self, now: float) -> bool:
        if now - self._window >= WINDOW:
            self._window, self._count = now, 0
        self._count += 1
        return self._count <= BURST

    def _report(self, packet: Channel, now: float) -> list[Action]:
        for track, way in self._seats.items():
            if isinstance(way, OverTcp) and way.channels is not None and packet.number == way.channels[1]:
                self._heard = now
                return [Report(track, packet.payload)]
        return []  # a player that sends RTP, to open a way through a router; or nonsense

    def _tick(self, now: float) -> list[Action]:
        if self._began is not None and now - self._began > WHOLE_WITHIN:
            return self._end(response(408, None), "half a request")
        over_udp = any(isinstance(way, OverUdp) for way in self._seats.values())
        if self.state is State.PLAYING:
            if over_udp and now - self._heard > TIMEOUT:
                return self._end(b"", f"no sign of life for {TIMEOUT:g} s")
        elif self._asked is None and now - self._moved > TIMEOUT:
            return self._end(b"", f"no PLAY for {TIMEOUT:g} s")
        return []

    def _go_on(self, now: float) -> list[Action]:
        """Handle what waits, one after the other."""
        actions: list[Action] = []
        while self._queue and self._asked is None and self.state is not State.CLOSED:
            self._heard = now
            actions += self._handle(self._queue.popleft(), now)
        return actions

    # ---- requests ----

    def _handle(self, request: Request, now: float) -> list[Action]:
        if "cseq" not in request.headers:
            return self._end(response(400, None), "a request without CSeq")
        if self._guarded and request.method != "OPTIONS":
            given = request.headers.get("authorization")
            shown = None if given is None else credentials.read(given, self._nonce, request.method)
            if shown is None:
                return self._challenge(request, is_guess=given is not None)
            self._asked, self._judging = request, True
            named = "" if request.url == "*" else request.target[0]
            return [Judge(named or self.camera, shown)]
        return self._serve(request, now)

    def _serve(self, request: Request, now: float) -> list[Action]:
        """Do what somebody asks who may."""
        refusal = self._unfit(request)
        if refusal is not None:
            return refusal
        match request.method:
            case "OPTIONS":
                return self._say(request, 200, ("Public", _PUBLIC))
            case "DESCRIBE":
                return self._describe(request, now)
            case "SETUP":
                return self._setup(request, now)
            case "PLAY":
                return self._play(request, now)
            case "PAUSE":
                return self._pause(request, now)
            case "TEARDOWN":
                return self._end(self._text(request, 200), None)
            case "GET_PARAMETER":  # without a body it is a sign of life
                return self._say(request, 451 if request.body.strip() else 200)
            case "SET_PARAMETER":
                return self._say(request, 451 if request.body.strip() else 200)
        status = 405 if request.method in _UNSERVED else 501
        return self._say(request, status, ("Allow", _PUBLIC))

    def _challenge(self, request: Request, *, is_guess: bool) -> list[Action]:
        """Ask for a key; who shows wrong ones is let go."""
        challenge = [("WWW-Authenticate", value) for value in credentials.challenges(self._nonce)]
        self._guesses += is_guess
        text = self._text(request, 401, *challenge)
        return self._end(text, "a wrong key") if self._guesses >= GUESSES else [Send(text)]

    def _judged(self, request: Request, event: Admitted | Refused, now: float) -> list[Action]:
        if isinstance(event, Admitted):
            return self._serve(request, now)
        if event.error.code == "KEY-NEEDED":
            return self._challenge(request, is_guess=True)
        text = self._refusal(request, event.error)
        # Whoever has tried too often would only try on.
        return self._end(text, event.error.code) if event.error.code == "KEY-TRIES" else [Send(text)]

    def _unfit(self, request: Request) -> list[Action] | None:
        """Return the refusal of a request that is not for us, or of another session."""
        if "require" in request.headers:
            return self._say(request, 551, ("Unsupported", request.headers["require"][:200]))
        named = request.headers.get("session")
        if named is not None and (named.partition(";")[0].strip() != self._session or not self._seats):
            return self._say(request, 454)
        return None

    def _describe(self, request: Request, now: float) -> list[Action]:
        accepted = request.headers.get("accept", "*/*")
        if "application/sdp" not in accepted and "*/*" not in accepted:
            return self._say(request, 406)
        if self._seats and request.target[0] != self.camera:
            return self._say(request, 455)
        return self._with_camera(request, now)

    def _setup(self, request: Request, now: float) -> list[Action]:
        if self.state is State.PLAYING:
            return self._say(request, 455)
        if self._seats and request.target[0] != self.camera:
            return self._say(request, 459)
        return self._with_camera(request, now)

    def _with_camera(self, request: Request, now: float) -> list[Action]:
        """Go on with a request once the camera is open that it names."""
        camera = request.target[0]
        self._moved = now
        if self._stream is not None and camera == self.camera:
            return self._described(request) if request.method == "DESCRIBE" else self._seated(request)
        self._asked, self.camera, self._stream = request, camera, None
        return [Open(camera)]

    def _answered(self, event: Admitted | Opened | Refused | Placed, now: float) -> list[Action]:
        request, self._asked = self._asked, None
        judging, self._judging = self._judging, False
        if request is None:
            return []
        if judging:
            return self._judged(request, event, now) if isinstance(event, Admitted | Refused) else []
        self._moved = self._heard = now
        match event:
            case Refused(error):
                return [Send(self._refusal(request, error))]
            case Opened(stream):
                self._stream = stream
                return self._described(request) if request.method == "DESCRIBE" else self._seated(request)
            case Placed(ports):
                return self._placed(request, ports)
            case Admitted():  # nobody asked
                return []

    def _described(self, request: Request) -> list[Action]:
        assert self._stream is not None  # noqa: S101 - the callers have looked
        base = request.url.partition("?")[0].rstrip("/") + "/"
        headers = (("Content-Type", "application/sdp"), ("Content-Base", base), ("Cache-Control", "no-store"))
        body = self._stream.write(int(self._nonce[:12], 16), self._address)
        return [Send(self._text(request, 200, *headers, body=body))]

    def _seated(self, request: Request) -> list[Action]:
        """Give a track its way, or ask for ports for it."""
        track = self._track(request)
        if track is None:
            return self._say(request, 459 if not request.target[1] else 404)
        way = transport.parse(request.headers.get("transport", ""), udp=self._udp)
        others = [taken for at, taken in self._seats.items() if at != track]
        if way is None or any(type(taken) is not type(way) for taken in others):
            return self._say(request, 461)
        if isinstance(way, OverUdp):
            self._asked = request
            return [Place(track, way.ports)]
        used = {number for taken in others if isinstance(taken, OverTcp) for number in taken.channels or ()}
        channels = way.channels or (2 * track, 2 * track + 1)
        if used.intersection(channels):
            return self._say(request, 461)
        self._seats[track] = OverTcp(channels)
        self.state = State.READY
        return self._say(request, 200, ("Transport", transport.over_tcp(channels, self._ssrc(track))))

    def _placed(self, request: Request, ports: tuple[int, int]) -> list[Action]:
        track = self._track(request)
        way = transport.parse(request.headers.get("transport", ""), udp=True)
        assert track is not None  # noqa: S101 - it was asked for by `_seated`
        assert isinstance(way, OverUdp)  # noqa: S101 - the same
        self._seats[track], self.state = way, State.READY
        return self._say(request, 200, ("Transport", transport.over_udp(way.ports, ports, self._ssrc(track))))

    def _play(self, request: Request, now: float) -> list[Action]:
        if not self._seats or request.target[0] != self.camera:
            return self._say(request, 455)
        answer = Send(self._text(request, 200, ("Range", "npt=now-")))
        if self.state is State.PLAYING:  # a player that only wants to be sure
            return [answer]
        self.state, self._moved = State.PLAYING, now
        channels = {at: way.channels if isinstance(way, OverTcp) else None for at, way in self._seats.items()}
        return [answer, Play(channels)]

    def _pause(self, request: Request, now: float) -> list[Action]:
        if self.state is not State.PLAYING:
            return self._say(request, 455)
        self.state, self._moved = State.READY, now
        return [Pause(), *self._say(request, 200)]

    # ---- what goes out ----

    def _track(self, request: Request) -> int | None:
        """Return the number of the track that an address names; one that names none is fine if there is but one."""
        assert self._stream is not None  # noqa: S101 - the callers have looked
        count, name = len(self._stream.tracks), request.target[1]
        if not name and count == 1:
            return 0
        known = {f"trackID={at}": at for at in range(count)}
        return known.get(name)

    def _ssrc(self, track: int) -> int:
        assert self._stream is not None  # noqa: S101 - the callers have looked
        return self._stream.tracks[track].ssrc

    def _say(self, request: Request, status: int, *headers: tuple[str, str]) -> list[Action]:
        return [Send(self._text(request, status, *headers))]

    def _text(self, request: Request, status: int, *headers: tuple[str, str], body: bytes = b"") -> bytes:
        named = [("Server", "Ringlight"), *headers]
        if self._seats:
            named.append(("Session", f"{self._session};timeout={TIMEOUT:g}"))
        return response(status, request.headers.get("cseq"), named, body)

    def _refusal(self, request: Request, error: RingError) -> bytes:
        """Write a fault as an answer: players show its first line, so the code is there."""
        fault = error.fault
        headers = [("Content-Type", "application/problem+json")]
        if error.retry_after is not None:
            headers.append(("Retry-After", str(int(error.retry_after + 0.999))))
        body = msgspec.json.encode({"status": fault.http, **fault.as_dict(error.detail)})
        return response(fault.http, request.headers.get("cseq"), headers, body, f"{fault.code} {fault.title}")

    def _end(self, text: bytes, why: str | None) -> list[Action]:
        self.state = State.CLOSED
        self._queue.clear()
        return [*([Send(text)] if text else []), Close(why)]
