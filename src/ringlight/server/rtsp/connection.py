"""One player's connection: carries out what its dialog says, and ties it to its place in a camera's view."""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from ringlight.cameras import Cameras, View
from ringlight.errors import RingError, fault_error
from ringlight.media import rtcp
from ringlight.secrets import Secret
from ringlight.server.entrance import Entrance
from ringlight.server.places import Places
from ringlight.server.rtsp import description
from ringlight.server.rtsp.credentials import Answer
from ringlight.server.rtsp.description import Stream
from ringlight.server.rtsp.events import (
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
from ringlight.server.rtsp.player import Player
from ringlight.server.rtsp.session import Dialog
from ringlight.server.rtsp.ways import DRAINED, FULL, Between, Ports
from ringlight.server.scopes import OWNER, Holder, may
from ringlight.server.watches import Seer, Watches

log = logging.getLogger("ringlight.server")
FIRST_PICTURE = 20.0  # seconds for a camera that has to wake up first
FAREWELL = 1.0  # seconds for the last words to a player that does not read
# A player whose machine is gone says nothing: after 4 s of silence the kernel asks, and gives up 9 s later.
# And what waits inside of the kernel, unsent, is old when it leaves.
_OPTIONS = {
    "TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 13_000, "TCP_NOTSENT_LOWAT": 64 * 1024,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class House:
    """What all connections share.

    Attributes:
        cameras: Those there are.
        places: Of players.
        watches: Who watches what.
        entrance: Says whose key a player shows; `None` on a loopback address, where none is asked for.
        udp: Whether packets may go by UDP.
    """

    cameras: Cameras
    places: Places
    watches: Watches
    entrance: Entrance | None = None
    udp: bool = True


class Connection(asyncio.Protocol):
    """A player's connection.

    Args:
        house: What all share.
        on_made: Called when it is open; returns whether it may stay.
        on_lost: Called once when it has ended and its view is left.

    Attributes:
        host: The player's address.
        playing: Whether it has been asked to play; until then it is a stranger.
    """

    def __init__(
        self, house: House, on_made: "Callable[[Connection], bool]", on_lost: "Callable[[Connection], None]"
    ) -> None:
        self._house, self._on_made, self._on_lost = house, on_made, on_lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._dialog: Dialog | None = None
        self._opening: asyncio.Task[None] | None = None
        self._judging: asyncio.Task[None] | None = None
        self._holder = OWNER  # where nobody is asked for a key
        self._over: Callable[[], None] | None = None
        self._held: contextlib.AsyncExitStack | None = None
        self._watching: asyncio.Task[None] | None = None
        self._view: View | None = None
        self._stream: Stream | None = None
        self._player: Player | None = None
        self._ports: dict[int, Ports] = {}
        self._full = self._ending = False
        self._why: str | None = None
        self._last_words: asyncio.TimerHandle | None = None
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self.host = self._own = self._camera = ""
        self.playing = False

    # ---- asyncio's side ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the open connection."""
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=FULL, low=DRAINED)
        _set_options(transport.get_extra_info("socket"))
        # `None` where the player had gone before we looked.
        self.host = (transport.get_extra_info("peername") or ("",))[0]
        self._own = (transport.get_extra_info("sockname") or ("",))[0]
        self._dialog = Dialog(
            secrets.token_hex(8), secrets.token_hex(16), guarded=self._house.entrance is not None,
            udp=self._house.udp, address=self._own, now=self._loop.time(),
        )  # fmt: skip
        if not self._on_made(self):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Let the dialog read."""
        self._feed(Received(data))

    def pause_writing(self) -> None:
        """Note that the player is too slow."""
        self._full = True

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        self._full = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the view."""
        self._ending = True
        if self._last_words is not None:
            self._last_words.cancel()
        leaving = asyncio.ensure_future(self._leave())
        leaving.add_done_callback(lambda _: self._left())

    # ---- what the listener asks ----

    def tick(self) -> None:
        """Do what time asks for; call about once a second."""
        now = self._loop.time()
        self._feed(Tick())
        if self._player is None or not self.playing or self._ending:
            return
        self._player.tick(now)
        if self._player.stuck(now):
            self.end(fault_error("VIEWER-SLOW"), at_once=True)
        elif any(ports.refuses(now) for ports in self._ports.values()):
            self.end(None)

    def end(self, error: RingError | None, *, at_once: bool = False) -> None:
        """Say goodbye and end, because of a fault or because the server stops."""
        if self._ending:
            return
        self._why = error.code if error is not None else self._why
        if self._player is not None:
            self._player.goodbye()
        self._close(at_once=at_once)

    # ---- what the dialog says ----

    def _feed(self, event: Event) -> None:
        if self._dialog is None or self._ending:
            return
        for action in self._dialog.receive(event, self._loop.time()):
            if self._ending:
                return
            match action:
                case Send(data):
                    self._write(data)
                case Judge(camera, shown):
                    self._judging = asyncio.create_task(self._judge(camera, shown), name="rtsp judges")
                case Open(camera):
                    self._open(camera)
                case Place(track, ports):
                    self._place(track, ports)
                case Play(channels):
                    self._play(channels)
                case Pause():
                    self._pause()
                case Report(_, data):
                    self._take_report(data)
                case Close(why):
                    self._why = why
                    self._close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._ending:
            self._transport.write(data)

    def _close(self, *, at_once: bool = False) -> None:
        """Let what waits go out, for a moment at most, and end.

        Until the player has ended its side too, what it still says is read and forgotten: the kernel resets a
        connection that is closed with something unread, and our last answers would be lost with it. Pictures end now:
        those that go by UDP would come as long as the connection stays.
        """
        if self._transport is None or self._ending:
            return
        self._ending = True
        self._pause()
        if not at_once:
            with contextlib.suppress(OSError):  # it is gone already
                self._transport.write_eof()
                self._last_words = self._loop.call_later(FAREWELL, self._transport.abort)
                return
        self._transport.abort()

    async def _judge(self, camera: str, shown: Secret | Answer) -> None:
        """Say whether a player may watch a camera, by what it shows."""
        try:
            self._holder = await self._let_in(shown)
            if camera:  # requests about none are signs of life
                may(self._holder, "RTSP", f"/{camera}")
        except RingError as error:
            self._feed(Refused(error))
        else:
            self._feed(Admitted())

    async def _let_in(self, shown: Secret | Answer) -> Holder:
        entrance = self._house.entrance
        if entrance is None:
            return OWNER
        if isinstance(shown, Answer):
            holder = await entrance.by_answer(shown, self.host)
        else:
            holder = await entrance.by_key(shown, self.host)
        if holder is None:
            raise fault_error("KEY-NEEDED")
        return holder

    def _open(self, camera: str) -> None:
        self._opening = asyncio.create_task(self._join(camera), name="rtsp opens")

    async def _join(self, camera: str) -> None:
        """Take a place in a camera's view, and describe it as soon as there is a picture."""
        await self._release()
        held = contextlib.AsyncExitStack()
        try:
            held.enter_context(self._house.places.take())
            found = await self._house.cameras.camera(camera)
            view = await held.enter_async_context(found.player_view())
            picture = await view.key_frame(within=FIRST_PICTURE)
        except RingError as error:
            await held.aclose()
            log.info("rtsp: %s refused: %s", ascii(camera), error.code)
            self._feed(Refused(error))
            return
        except BaseException as broken:
            await held.aclose()
            if not isinstance(broken, Exception):
                raise
            # A bug of ours: the player is told, and the rest goes on.
            log.exception("rtsp: a view could not be described")
            self._feed(Refused(fault_error("SERVER-ERROR", type(broken).__name__)))
            return
        broadcast = view.broadcast
        ssrcs = {kind: track.ssrc for kind, track in broadcast.tracks.items()}
        self._held, self._view, self._camera = held, view, found.id
        self._stream = description.describe(found.name, broadcast.codecs, ssrcs, picture)
        self._watching = asyncio.create_task(self._watch(view), name="rtsp watches")
        self._feed(Opened(self._stream))

    async def _watch(self, view: View) -> None:
        self.end(await view.ended())

    def _place(self, track: int, ports: tuple[int, int]) -> None:
        before = self._ports.pop(track, None)
        if before is not None:
            before.close()
        try:
            bound = self._ports[track] = Ports(self._own, self.host, ports, self._heard)
        except RingError as error:
            self._feed(Refused(error))
        else:
            self._feed(Placed(bound.numbers))

    def _play(self, channels: Mapping[int, tuple[int, int] | None]) -> None:
        if self._view is None or self._stream is None:
            return
        broadcast = self._view.broadcast
        if self._player is None:
            self._player = Player(broadcast.ask_key_frame, secrets.token_hex(8))
            for number, between in sorted(channels.items()):
                offered = self._stream.tracks[number]
                way = Between(self._write, lambda: self._full, between) if between else self._ports[number]
                self._player.seat(offered.kind, broadcast.tracks[offered.kind], offered.codec.payload_type, way)
        self.playing = True
        broadcast.add(self._player)
        if self._over is None:
            seer, camera = Seer(self._holder.who, self._holder), self._camera
            self._over = self._house.watches.began(
                seer, camera, "rtsp", self.end, path=f"/{camera}", method="RTSP"
            )  # fmt: skip

    def _pause(self) -> None:
        if self._view is not None and self._player is not None:
            self._view.broadcast.remove(self._player)
            self._player.pause()

    def _heard(self, data: bytes) -> None:
        self._feed(Alive())
        self._take_report(data)

    def _take_report(self, data: bytes) -> None:
        if self._view is not None and any(isinstance(report, rtcp.KeyFrameRequest) for report in rtcp.parse(data)):
            self._view.broadcast.ask_key_frame()

    # ---- the end ----

    async def _release(self) -> None:
        """Leave the view, if one is open."""
        watching, held, view, self._watching, self._held, self._view = (
            self._watching, self._held, self._view, None, None, None,
        )  # fmt: skip
        if self._over is not None:
            self._over()
            self._over = None
        if view is not None and self._player is not None:
            view.broadcast.remove(self._player)
            self._player.pause()
        if watching is not None:
            watching.cancel()
            await asyncio.wait({watching})
        if held is not None:
            await held.aclose()

    async def _leave(self) -> None:
        for task in (self._judging, self._opening):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task})
        await self._release()
        for ports in self._ports.values():
            ports.close()

    def _left(self) -> None:
        dialog, player = self._dialog, self._player
        if player is not None and dialog is not None:
            log.info("rtsp: %s ended: %s, %d packets", ascii(dialog.camera), self._why or "left", player.sent)
        if not self.gone.done():
            self.gone.set_result(None)
        self._on_lost(self)


def _set_options(plain: socket.socket) -> None:
    with contextlib.suppress(OSError):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _OPTIONS.items():
            if hasattr(socket, name):  # each system knows some of them
                plain.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
