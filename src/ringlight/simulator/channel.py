"""The simulator's signaling socket: the upgrade, the judge, and the dialogs that share one socket."""

import asyncio
import contextlib
import logging
import time
from typing import Any

import msgspec
from fastapi import APIRouter, Response, WebSocket, WebSocketDisconnect

from ringlight.errors import RingError
from ringlight.liveview import messages
from ringlight.liveview.lint import Judge, Verdict
from ringlight.liveview.messages import Message
from ringlight.liveview.trace import Direction
from ringlight.simulator.errands import Errands
from ringlight.simulator.premises import SimEvent
from ringlight.simulator.signaling import SimDialog
from ringlight.simulator.strangers import with_more_fields
from ringlight.simulator.subscriptions import Subscriptions
from ringlight.simulator.switchboard import NO_SESSION
from ringlight.simulator.world import KEPT_DIALOGS, DialogRecord, World

__all__ = ["SignalingSocket", "signaling_router"]

log = logging.getLogger("ringlight.simulator")
MAX_REASON = 120  # bytes of a WebSocket close reason
NO_UPGRADE = 60.0  # seconds for which an upgrade that is never answered is kept open


def signaling_router(world: World) -> APIRouter:
    """Return the socket at `/ws`."""
    router = APIRouter()

    @router.websocket("/ws")
    async def signaling(websocket: WebSocket) -> None:
        query, how = websocket.query_params, world.behaviour
        refused = how.upgrade
        if refused == 0:
            await _left_waiting(websocket)
            return
        if query.get("auth_type") != "ring_solutions" or not world.tokens.use_ticket(query.get("token", "")):
            refused = refused or 404
        if refused is not None:
            await websocket.send_denial_response(Response(status_code=refused))
            return
        await websocket.accept()
        if not websocket.headers.get("user-agent") or how.drops_user_agent:
            await websocket.close(1000)
            return
        await SignalingSocket(world, websocket).run()

    return router


async def _left_waiting(websocket: WebSocket) -> None:
    """Never answer an upgrade, until the client gives up."""
    await websocket.receive()  # its wish to connect
    try:
        async with asyncio.timeout(NO_UPGRADE):
            await websocket.receive()  # that it has gone
    except TimeoutError:
        await websocket.send_denial_response(Response(status_code=504))


class _RefusedError(Exception):
    """The socket is to be closed with 4002."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.code)
        self.verdict = verdict


class SignalingSocket:
    """One socket with its dialogs; closing one of them leaves the others."""

    def __init__(self, world: World, websocket: WebSocket) -> None:
        self._world = world
        self._websocket = websocket
        self._judge = Judge()
        self._dialogs: dict[str, SimDialog] = {}
        self._subscriptions = Subscriptions(world.dice)
        self._ending: asyncio.Future[tuple[int | None, str]] = asyncio.get_running_loop().create_future()
        self._errands = Errands("socket")

    async def run(self) -> None:
        """Serve until the client leaves or breaks the protocol, or the world ends it."""
        self._world.lines.add(self)
        reading = self._errands.start(self._read())
        either: set[asyncio.Future[Any]] = {reading, self._ending}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._ending.done():
                await self._close(*self._ending.result())
        finally:
            self._world.lines.discard(self)
            reading.cancel()
            await asyncio.wait({reading})
            for dialog in self._dialogs.values():
                await dialog.close()

    # ---- what the world does with it ----

    def seen(self, event: SimEvent) -> None:
        """Tell of an event, if that was asked for."""
        for message in self._subscriptions.about(event, int(time.time() * 1000)):
            self._errands.start(self.send(message))

    def end_views(self, reason: int, text: str) -> None:
        """Close all views with a reason."""
        for dialog in self._dialogs.values():
            self._errands.start(dialog.end(reason, text))

    def end(self, code: int | None, text: str) -> None:
        """Close the socket; `None` cuts the connection without a close frame."""
        if not self._ending.done():
            self._ending.set_result((code, text))

    async def _close(self, code: int | None, text: str) -> None:
        for dialog in self._dialogs.values():
            dialog.record.ended = dialog.record.ended or f"socket {code if code is not None else 1006}"
        if code is None:
            return  # uvicorn closes the connection of an application that has gone, without a close frame: 1006
        reason = text.encode()[:MAX_REASON].decode("utf-8", "ignore")
        self._trace("note", {"socket": "closed", "code": code, "reason": reason})
        # 1005 is never sent: it stands for a close frame without a code.
        closing = {"type": "websocket.close", "code": None if code == 1005 else code, "reason": reason}
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await self._websocket.send(closing)

    def _trace(self, direction: Direction, message: dict[str, Any]) -> None:
        if self._world.trace is not None:
            self._world.trace.record(direction, message)

    # ---- what its dialogs do with it ----

    async def send(self, message: Message) -> None:
        """Send a message; a client that has gone is no error."""
        await self.send_envelope(messages.load(messages.encode(message)))

    async def send_envelope(self, envelope: dict[str, Any]) -> None:
        """Send a message as it is, with more fields where the behaviour says so."""
        whole = with_more_fields(envelope) if self._world.behaviour.extra_fields else envelope
        self._trace("in", whole)
        await self.send_text(msgspec.json.encode(whole).decode())

    async def send_text(self, text: str) -> None:
        """Send what need not be a message; a client that has gone is no error."""
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await self._websocket.send_text(text)

    def session_created(self, dialog_id: str, session_id: str) -> None:
        """Tell the judge the id that the client must use from now on."""
        self._judge.created(dialog_id, session_id)

    def answered(self, dialog_id: str) -> None:
        """Tell the judge that the answer is out."""
        self._judge.answered(dialog_id)

    def connected(self, dialog_id: str) -> None:
        """Tell the judge that the client was told of its camera."""
        self._judge.connected(dialog_id)

    # ---- what the client does with it ----

    async def _read(self) -> None:
        try:
            while True:
                frame = await self._websocket.receive()
                if frame["type"] == "websocket.disconnect":
                    return
                await self._take(frame.get("text") or frame.get("bytes") or "")
        except _RefusedError as refused:
            self.end(4002, refused.verdict.detail or refused.verdict.code or "")
        except (WebSocketDisconnect, RuntimeError):
            return

    async def _take(self, frame: str | bytes) -> None:
        try:
            envelope = _tampered(messages.load(frame), self._world.on)
        except RingError as error:
            verdict, envelope = Verdict("?", error.code, error.detail or ""), {}
            self._trace("note", {"unreadable": error.detail or error.code})
        else:
            self._trace("out", envelope)
            eats = self._world.behaviour.eats
            if eats and envelope.get("method") == eats:
                return
            verdict = self._judge.receive_envelope(envelope)
        dialog_id = envelope.get("dialog_id")
        record = self._record(dialog_id if isinstance(dialog_id, str) else "", envelope)
        record.messages.append(
            {"at": round(time.time(), 3), "method": verdict.method, "code": verdict.code, "detail": verdict.detail}
        )
        if verdict.code == "SIG-SESSION-ID" and str(dialog_id) in self._dialogs and verdict.message is not None:
            # Ring answers this one with a close message and not with 4002.
            await self._dialogs[str(dialog_id)].end(5, NO_SESSION)
        elif verdict.lost:
            return  # what Ring does with such a message: nothing
        elif verdict.is_forgiven:
            for dialog in self._dialogs.values():
                dialog.record.ended = "closed by the client"
                await dialog.close()
        elif verdict.code is not None:
            record.ended = verdict.code
            raise _RefusedError(verdict)
        elif verdict.message is not None:
            await self._handle(verdict.message, record)

    def _record(self, dialog_id: str, envelope: dict[str, Any]) -> DialogRecord:
        known = self._dialogs.get(dialog_id)
        if known is None and not dialog_id and len(self._dialogs) == 1:
            (known,) = self._dialogs.values()
        if known is not None:
            return known.record
        body = envelope.get("body")
        number = body.get("doorbot_id") if isinstance(body, dict) else None
        return self._world.record(dialog_id, number if isinstance(number, int) else None)

    def _forget_ended(self) -> None:
        """Forget the oldest dialogs that have ended, where one socket has had many."""
        ended = [name for name, dialog in self._dialogs.items() if dialog.ended]
        for name in ended[: max(0, len(ended) - KEPT_DIALOGS + 1)]:
            del self._dialogs[name]

    async def _handle(self, message: Message, record: DialogRecord) -> None:
        dialog_id = message.dialog_id or ""
        if isinstance(message.body, messages.LiveView):
            self._world.live_views += 1
            dialog = SimDialog(self._world, self, message, record)
            self._forget_ended()
            self._dialogs[dialog_id] = dialog
            await dialog.offered(message.body.sdp)
        elif isinstance(message.body, messages.PushBody):
            reply = self._subscriptions.receive(message)
            if reply is not None:
                await self.send(reply)
        elif dialog_id in self._dialogs:
            await self._dialogs[dialog_id].receive(message)


def _tampered(envelope: dict[str, Any], on: set[str]) -> dict[str, Any]:
    """Change a message on its way, as the switches ask: the mistakes of other clients."""
    body = envelope.get("body")
    if "missing-dialog-id" in on:
        envelope = {key: value for key, value in envelope.items() if key != "dialog_id"}
    if "string-doorbot-id" in on and isinstance(body, dict):
        envelope = {**envelope, "body": {**body, "doorbot_id": str(body.get("doorbot_id"))}}
    return envelope
