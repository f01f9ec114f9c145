"""The simulator's signaling socket: judges what it receives, and answers as Ring's server does."""

import asyncio
import base64
import contextlib
import json
import logging
import time
import uuid
from collections.abc import Coroutine
from typing import Any

from fastapi import APIRouter, Response, WebSocket, WebSocketDisconnect

from ringlight.errors import RingError
from ringlight.liveview import messages
from ringlight.liveview.lint import Judge, Verdict
from ringlight.liveview.messages import Message
from ringlight.media import sdp
from ringlight.simulator.hearing import Ear, Listening
from ringlight.simulator.sender import CameraSender
from ringlight.simulator.turning import Facing, answer, halted
from ringlight.simulator.world import DialogRecord, SimCamera, World

log = logging.getLogger("ringlight.simulator")
PING_LOST_AFTER = 2.0  # seconds of a live view until the switch "ping-lost" ends it
SHORT_VIEW = 4.0  # seconds until the switch "short-view" ends a view
MAX_REASON = 120  # bytes of a WebSocket close reason


def signaling_router(world: World) -> APIRouter:
    """Return the socket at `/ws`."""
    router = APIRouter()

    @router.websocket("/ws")
    async def signaling(websocket: WebSocket) -> None:
        query = websocket.query_params
        if query.get("auth_type") != "ring_solutions" or not world.use_ticket(query.get("token", "")):
            await websocket.send_denial_response(Response(status_code=404))
            return
        await websocket.accept()
        if not websocket.headers.get("user-agent"):
            await websocket.close(1000)
            return
        await SignalingSocket(world, websocket).run()

    return router


class _RefusedError(Exception):
    """The socket is to be closed with 4002."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.code)
        self.verdict = verdict


class SignalingSocket:
    """One socket with its dialogs."""

    def __init__(self, world: World, websocket: WebSocket) -> None:
        self._world = world
        self._websocket = websocket
        self._judge = Judge()
        self._dialogs: dict[str, SimDialog] = {}

    async def run(self) -> None:
        """Serve until the client leaves or breaks the protocol."""
        try:
            while True:
                frame = await self._websocket.receive()
                if frame["type"] == "websocket.disconnect":
                    return
                await self._take(frame.get("text") or frame.get("bytes") or "")
        except _RefusedError as refused:
            reason = f"{refused.verdict.detail or refused.verdict.code}"
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await self._websocket.close(4002, reason.encode()[:MAX_REASON].decode("utf-8", "ignore"))
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            for dialog in self._dialogs.values():
                await dialog.close()

    async def send(self, message: Message) -> None:
        """Send a message; a client that has gone is no error."""
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await self._websocket.send_text(messages.encode(message))

    def session_created(self, dialog_id: str, session_id: str) -> None:
        """Tell the judge the id that the client must use from now on."""
        self._judge.created(dialog_id, session_id)

    def answered(self, dialog_id: str) -> None:
        """Tell the judge that the answer is out."""
        self._judge.answered(dialog_id)

    def connected(self, dialog_id: str) -> None:
        """Tell the judge that the client was told of its camera."""
        self._judge.connected(dialog_id)

    async def _take(self, frame: str | bytes) -> None:
        try:
            envelope = _tampered(messages.load(frame), self._world.on)
        except RingError as error:
            verdict, envelope = Verdict("?", error.code, error.detail or ""), {}
        else:
            verdict = self._judge.receive_envelope(envelope)
        dialog_id = envelope.get("dialog_id")
        record = self._record(dialog_id if isinstance(dialog_id, str) else "", envelope)
        record.messages.append(
            {"at": round(time.time(), 3), "method": verdict.method, "code": verdict.code, "detail": verdict.detail}
        )
        if verdict.code == "SIG-SESSION-ID" and verdict.message is not None:
            # Ring answers this one with a close message and not with 4002.
            await self._dialogs[str(dialog_id)].end(5, "Sessions with the provided ID not found")
        elif verdict.lost:
            return  # what Ring does with such a message: nothing
        elif verdict.code is not None:
            record.ended = verdict.code
            raise _RefusedError(verdict)
        elif verdict.message is not None:
            await self._handle(verdict.message, record)

    def _record(self, dialog_id: str, envelope: dict[str, Any]) -> DialogRecord:
        known = self._dialogs.get(dialog_id)
        if known is not None:
            return known.record
        body = envelope.get("body")
        number = body.get("doorbot_id") if isinstance(body, dict) else None
        return self._world.record(dialog_id, number if isinstance(number, int) else None)

    async def _handle(self, message: Message, record: DialogRecord) -> None:
        dialog_id = message.dialog_id or ""
        if isinstance(message.body, messages.LiveView):
            self._world.live_views += 1
            dialog = SimDialog(self._world, self, message, record)
            self._dialogs[dialog_id] = dialog
            await dialog.offered(message.body.sdp)
        else:
            await self._dialogs[dialog_id].receive(message)


class SimDialog:
    """One live view as the server sees it."""

    def __init__(self, world: World, channel: SignalingSocket, offer: Message, record: DialogRecord) -> None:
        self._world = world
        self._channel = channel
        self._offer = offer
        self.record = record
        self._camera: SimCamera | None = world.camera(offer.body.doorbot_id)
        self._session_id = _session_token(offer.body.doorbot_id, world.ping_interval)
        self._sender: CameraSender | None = None
        ear = world.heard.setdefault(self._camera.id, Ear()) if self._camera is not None else Ear()
        self._listening = Listening(ear, offer.dialog_id or "")
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._activated = False
        self._ended = False
        self._pinged_at = time.monotonic()

    async def offered(self, text: str) -> None:
        """Take the offer and begin."""
        on = self._world.on
        if self._camera is None:
            await self.end(5, "Sessions with the provided ID not found")
        elif "auth-failed" in on:
            await self.end(5, "Authentication failed: -1")
        elif "session-lost" in on:
            await self.end(5, "Sessions with the provided ID not found")
        elif "never-ready" in on or self._world.not_ready_left > 0:
            self._world.not_ready_left = max(0, self._world.not_ready_left - 1)
            await self.end(26, "not ready yet")
        else:
            clip = self._camera.clip_facing(self._world.facing.get(self._camera.id, Facing()))
            self._sender = CameraSender(clip, sdp.parse(text), reachable="no-udp" not in on,
                                        codec=self._world.sound, on_sound=self._listening.packet)  # fmt: skip
            self._spawn(self._live(self._sender))

    async def receive(self, message: Message) -> None:
        """Take any later message, judged already."""
        match message.body:
            case messages.Ping():
                if "ping-lost" not in self._world.on:
                    self._pinged_at = time.monotonic()
                    await self._send(messages.Pong(**self._common()))
            case messages.ActivateSession():
                self._activated = True
            case messages.Ice(ice=line) if self._sender is not None:
                await self._sender.add_candidate(line)
            case messages.MicEnable(enabled=enabled):
                self._listening.microphone(enabled=enabled)
            case messages.CameraOptions(stealth_mode=stealth):
                self._listening.options(stealth=stealth)
            case messages.Rpc(command=command):
                self._spawn(self._turn(command))
            case messages.Close():
                self.record.ended = "closed by the client"
                await self.close()
            case _:
                pass

    async def _turn(self, command: dict[str, Any]) -> None:
        """Carry out a command: the camera turns, says when it can go no further, and answers."""
        camera, sender = self._camera, self._sender
        if camera is None or sender is None:
            return
        before = self._world.facing.get(camera.id, Facing())
        facing, stopped = before.turned(command)
        if facing != before:
            self._world.facing[camera.id] = facing
            sender.show(await asyncio.to_thread(camera.clip_facing, facing))
        if stopped:
            await self._send(messages.Rpc(**self._common(), command=halted(command, f"h-{uuid.uuid4()}")))
        await self._send(messages.Rpc(**self._common(), command=answer(command, int(time.time() * 1000))))

    async def end(self, code: int, text: str) -> None:
        """Close the dialog with a reason."""
        if self._ended:
            return
        self.record.ended = self.record.ended or f"reason {code}"
        await self._send(messages.Close(**self._common(), reason=messages.Reason(code=code, text=text)))
        await self.close()

    async def close(self) -> None:
        """Free everything. Whoever comes second waits for the first."""
        self._ended = True
        if self._closing is None:
            # In a task of its own: to cancel it half way would leave sockets open.
            self._closing = asyncio.create_task(self._free(self._tasks - {asyncio.current_task()}))
        await asyncio.shield(self._closing)

    async def _free(self, tasks: "set[asyncio.Task[None]]") -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._listening.close()
        if self._sender is not None:
            await self._sender.close()

    async def _live(self, sender: CameraSender) -> None:
        """Go through the phases as Ring does, then send video."""
        delays, dialog_id = self._world.delays, self._offer.dialog_id or ""
        await asyncio.sleep(delays.session)
        self._channel.session_created(dialog_id, self._session_id)
        await self._send(messages.SessionCreated(**self._common(), requested_at=int(time.time() * 1000)))
        await asyncio.sleep(delays.answer)
        answer = await sender.answer()
        info = messages.SessionInfo(
            ping_interval=self._world.ping_interval, region="sim-1", session_id=str(uuid.uuid4()),
            ding_kind="on_demand", created_at=int(time.time() * 1000), rms_version="5e0f0000",
        )  # fmt: skip
        self._channel.answered(dialog_id)
        await self._send(messages.Sdp(**self._common(), sdp=answer, type="answer", session_info=info))
        self._spawn(self._watch())
        connecting = asyncio.create_task(sender.connect())
        try:
            await asyncio.sleep(delays.connected)
            self._channel.connected(dialog_id)
            await self._send(messages.Notification(**self._common(), is_ok=True, text="camera_connected"))
            await asyncio.sleep(delays.started)
            await self._send(messages.CameraStarted(**self._common()))
            await connecting
        except RingError as error:
            log.info("no media path to the client: %s", error.code)
            return
        finally:
            connecting.cancel()
        await sender.send()

    async def _watch(self) -> None:
        """End the view for what the client leaves out, and at the time limit."""
        world, began = self._world, time.monotonic()
        ping_limit = PING_LOST_AFTER if "ping-lost" in world.on else 3 * world.ping_interval
        self._pinged_at = began
        while True:
            await asyncio.sleep(min(0.25, ping_limit / 4))
            now = time.monotonic()
            if now - self._pinged_at > ping_limit:
                await self.end(6, "Timeout waiting for ping")
            elif now - began > (SHORT_VIEW if "short-view" in world.on else world.time_limit):
                await self.end(10, "answered_timeout")
            elif not self._activated and now - began > world.activation_limit:
                self.record.ended = "SIG-NO-ACTIVATION"
                await self.end(0, "")
            if self._ended:
                return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a simulated dialog broke", exc_info=task.exception())

    def _common(self) -> dict[str, Any]:
        return {"doorbot_id": self._offer.body.doorbot_id, "session_id": self._session_id}

    async def _send(self, body: messages.Body) -> None:
        offer = self._offer
        await self._channel.send(Message(method=body.METHOD, dialog_id=offer.dialog_id, riid=offer.riid, body=body))


def _session_token(doorbot_id: int, ping_interval: float) -> str:
    """Make a session id that looks like Ring's: a JWT, opaque to clients (the signature is none)."""
    now = int(time.time())
    claims = {"ding_kind": "on_demand", "doorbot_id": doorbot_id, "ping_interval": ping_interval,
              "session_id": str(uuid.uuid4()), "iat": now, "exp": now + 86_400}  # fmt: skip
    parts = ({"alg": "HS256", "kid": "Signalling", "typ": "JWT"}, claims, {"simulated": True})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def _tampered(envelope: dict[str, Any], on: set[str]) -> dict[str, Any]:
    """Change a message on its way, as the switches ask: the mistakes of other clients."""
    body = envelope.get("body")
    if "missing-dialog-id" in on:
        envelope = {key: value for key, value in envelope.items() if key != "dialog_id"}
    if "string-doorbot-id" in on and isinstance(body, dict):
        envelope = {**envelope, "body": {**body, "doorbot_id": str(body.get("doorbot_id"))}}
    return envelope
