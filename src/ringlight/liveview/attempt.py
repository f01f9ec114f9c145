"""One attempt at a live view: the shell that gives the session machine a socket, a peer and a clock."""

import asyncio
import contextlib
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ringlight.errors import RingError, fault_error
from ringlight.liveview import events, messages
from ringlight.liveview.media_path import MediaPath
from ringlight.liveview.session import Session, State
from ringlight.liveview.signaling_socket import open_socket
from ringlight.liveview.trace import Trace
from ringlight.media import negotiate, sdp
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.media.voice import Voice
from ringlight.secrets import Secret
from ringlight.settings import LiveViewSettings

log = logging.getLogger("ring.live")
COMMAND_WAIT = 5.0  # seconds for the answer to a command
FAREWELL = 1.0  # seconds for the last words to a server that does not read


class Attempt:
    """Opens a socket, offers, and runs the session until it ends.

    Args:
        doorbot_id: The camera's number.
        settings: Deadlines.
        on_action: Called with each `Step`, `Note`, `Halted` and `Speaker` of the session.
        on_agreed: Called once when the answer is understood.
        on_packet: Called with each RTP packet of the camera.
        trace: Records each message; `None` records nothing.
    """

    def __init__(
        self,
        doorbot_id: int,
        settings: LiveViewSettings,
        *,
        on_action: Callable[[events.Step | events.Note | events.Halted | events.Speaker], None],
        on_agreed: Callable[[Agreed], None],
        on_packet: Callable[[Packet], None],
        trace: Trace | None = None,
    ) -> None:
        self._settings = settings
        self._on_action, self._on_agreed = on_action, on_agreed
        self._trace = trace
        self._session = Session(doorbot_id, str(uuid.uuid4()), secrets.token_hex(16), settings)
        self._events: asyncio.Queue[events.Event] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._path = MediaPath(
            self._events.put_nowait, on_packet, stall=settings.stall_timeout, tcp_after=settings.tcp_after
        )
        self._peer = self._path.peer
        self._offer: sdp.Description | None = None
        self._commands: dict[str, asyncio.Future[events.CommandDone]] = {}
        self._voice_ssrc = secrets.randbits(32)
        self._voice: Voice | None = None  # what we send; `None` where the camera takes no sound
        self._speaker_open = False

    async def run(self, url: Secret) -> events.Closed:
        """Run the whole view; return how it ended. Cancelling it closes everything in order.

        Raises:
            RingError: The socket could not be opened.
        """
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._peer.close)
            gathering = asyncio.create_task(self._peer.gather())
            # Gathering is quick and never cut short: the sockets that it just opens would be nobody's.
            stack.push_async_callback(asyncio.wait, {gathering})
            web = await open_socket(url, self._settings.socket_timeout)
            stack.push_async_callback(web.close)
            self._on_action(events.Step("socket"))
            local = await asyncio.shield(gathering)
            self._offer = negotiate.camera_offer(
                local, audio=self._settings.audio, ssrc=self._voice_ssrc, hevc=self._settings.hevc
            )
            self._tasks = [asyncio.create_task(self._read(web))]
            try:
                self._events.put_nowait(events.Start(sdp.write(self._offer)))
                return await self._drive(web)
            except asyncio.CancelledError:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FAREWELL):
                        await self._perform_all(self._session.receive(events.Stop(), now=self._loop.time()), web)
                raise
            finally:
                self._path.close_receiver()
                await end_all(self._tasks)
                for identifier, waiting in self._commands.items():
                    if not waiting.done():
                        waiting.set_result(events.CommandDone(identifier, "the view has ended"))

    def ask_key_frame(self) -> None:
        """Ask the camera for a key frame; nothing before its first packet."""
        self._path.ask_key_frame()

    def talk(self, *, on: bool) -> None:
        """Have the camera's speaker opened, or closed; a `Speaker` action tells when it was told."""
        self._events.put_nowait(events.Talk(on))

    def send_sound(self, packet: Packet) -> None:
        """Send sound in the camera's codec, under numbers of our own; dropped while the speaker is closed."""
        voice = self._voice
        if voice is None or not self._speaker_open:
            return
        now = self._loop.time()
        for data in voice.write(packet, now):
            self._peer.send(data)
        report = voice.report(now, time.time())
        if report is not None:
            self._peer.send_rtcp(report)

    async def command(self, method: str, params: Mapping[str, Any]) -> str | None:
        """Let the camera do something, and wait until it has said that it did.

        Returns:
            Why it stopped by itself, such as `LIMIT_REACHED`; `None` where it did all of it.

        Raises:
            CameraError: CAM-COMMAND where it refused or did not answer.
        """
        identifier = f"c-{secrets.token_hex(4)}"
        done = self._commands[identifier] = self._loop.create_future()
        answer: events.CommandDone
        stamped = {**params, "timestamp": int(time.time() * 1000)}
        self._events.put_nowait(events.Command(identifier, method, stamped))
        try:
            async with asyncio.timeout(COMMAND_WAIT):
                answer = await done
        except TimeoutError:
            answer = events.CommandDone(identifier, f"no answer within {COMMAND_WAIT:g} s")
        finally:
            del self._commands[identifier]
        if answer.refused is not None:
            raise fault_error("CAM-COMMAND", f"{method}: {answer.refused}")
        return answer.halted

    # ---- the session and its actions ----

    async def _drive(self, web: ClientConnection) -> events.Closed:
        while True:
            event: events.Event
            try:
                async with asyncio.timeout_at(self._session.deadline):
                    event = await self._events.get()
            except TimeoutError:
                event = events.Tick()
            actions = self._session.receive(event, now=self._loop.time())
            if self._session.deadline is not None and self._session.deadline <= self._loop.time():
                actions += self._session.receive(events.Tick(), now=self._loop.time())
            closed = await self._perform_all(actions, web)
            if closed is not None:
                return closed

    async def _perform_all(self, actions: list[events.Action], web: ClientConnection) -> events.Closed | None:
        for action in actions:
            match action:
                case events.Send(message):
                    await self._send(message, web)
                case events.UseAnswer(text):
                    self._use_answer(text)
                case events.AddCandidate(line, _):
                    await self._peer.add_candidate(line)
                case events.Step() | events.Note() | events.Halted():
                    self._on_action(action)
                case events.Speaker(is_open):
                    self._speaker_open = is_open
                    self._on_action(action)
                case events.CommandDone(identifier):
                    waiting = self._commands.get(identifier)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(action)
                case events.Closed():
                    return action
        return None

    async def _send(self, message: messages.Message, web: ClientConnection) -> None:
        text = messages.encode(message)
        self._record("out", text)
        with contextlib.suppress(ConnectionClosed):  # the reader tells the session
            await web.send(text)

    def _use_answer(self, text: str) -> None:
        if self._offer is None:
            return
        try:
            agreed = negotiate.read_answer(self._offer, sdp.parse(text))
        except RingError as error:
            self._events.put_nowait(events.PathFailed(error.code, error.detail))
            return
        for code, detail in agreed.notes:
            self._on_action(events.Note(detail, code))
        self._path.agree(agreed)
        if agreed.hears:
            self._voice = Voice(agreed.codecs["audio"], self._voice_ssrc, secrets.randbelow(1 << 15))
        self._on_agreed(agreed)
        self._tasks.append(asyncio.create_task(self._connect(agreed)))

    async def _connect(self, agreed: Agreed) -> None:
        await self._path.connect(agreed)
        if self._peer.over_tcp:
            self._on_action(events.Note("UDP does not come through here; the view goes over TCP", "MEDIA-TCP"))

    async def _read(self, web: ClientConnection) -> None:
        try:
            async for frame in web:
                self._record("in", frame)
                self._events.put_nowait(_event(frame))
        except ConnectionClosed:
            pass
        finally:
            code, reason = web.close_code or 1006, web.close_reason or ""
            if self._trace is not None and self._session.state is not State.CLOSED:
                self._trace.record("note", {"socket": "closed", "code": code, "reason": reason})
            self._events.put_nowait(events.SocketClosed(code, reason))

    def _record(self, direction: str, frame: str | bytes) -> None:
        if self._trace is None and not log.isEnabledFor(logging.DEBUG):
            return
        try:
            envelope = messages.load(frame)
        except RingError as error:
            envelope = {"noise": error.detail}
        if self._trace is not None:
            self._trace.record("out" if direction == "out" else "in", envelope)
        log.debug("%s %s", direction, envelope.get("method", "?"))


async def end_all(tasks: "Iterable[asyncio.Task[Any]]", *, leaving: "Iterable[asyncio.Task[Any]]" = ()) -> None:
    """Cancel tasks and wait until they have ended; one that broke is logged.

    Args:
        tasks: Each is cancelled once. That it is being cancelled may be a deadline inside it, and does not end it.
        leaving: Cancelled before, and only waited for: a second cancel would interrupt the farewell.
    """
    for task in tasks:
        task.cancel()
    ending = {*tasks, *leaving}
    if ending:
        await asyncio.wait(ending)
    for task in ending:
        if not task.cancelled() and task.exception() is not None:
            log.error("a part of the live view broke", exc_info=task.exception())


def _event(frame: str | bytes) -> events.Event:
    try:
        return events.Received(messages.parse(frame))
    except RingError as error:
        return events.Garbled(error.code, error.detail or "")
