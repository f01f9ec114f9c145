"""One simulated dialog: answers an offer as Ring's server does, in the way that the behaviour says."""

import asyncio
import base64
import json
import logging
import time
from typing import Any, Protocol

from ringlight.errors import RingError
from ringlight.liveview import messages
from ringlight.liveview.messages import Message
from ringlight.media import sdp
from ringlight.simulator.errands import Errands
from ringlight.simulator.hearing import Ear, Listening
from ringlight.simulator.motor import Motor
from ringlight.simulator.sender import CameraSender
from ringlight.simulator.strangers import for_others, unheard_of
from ringlight.simulator.switchboard import NO_SESSION, Ending
from ringlight.simulator.world import DialogRecord, SimCamera, World

log = logging.getLogger("ringlight.simulator")
PING_LOST_AFTER = 2.0  # seconds of a live view until the switch "ping-lost" ends it


class Channel(Protocol):
    """The socket as a dialog needs it."""

    async def send(self, message: Message) -> None:
        """Send a message; a client that has gone is no error."""

    async def send_envelope(self, envelope: dict[str, Any]) -> None:
        """Send a message as it is."""

    async def send_text(self, text: str) -> None:
        """Send what need not be a message."""

    def session_created(self, dialog_id: str, session_id: str) -> None:
        """Tell the judge the id that the client must use from now on."""

    def answered(self, dialog_id: str) -> None:
        """Tell the judge that the answer is out."""

    def connected(self, dialog_id: str) -> None:
        """Tell the judge that the client was told of its camera."""

    def end(self, code: int | None, text: str) -> None:
        """Close the socket; `None` cuts the connection."""


class SimDialog:
    """One live view as the server sees it."""

    def __init__(self, world: World, channel: Channel, offer: Message, record: DialogRecord) -> None:
        self._world = world
        self._channel = channel
        self._offer = offer
        self._how = world.behaviour
        self.record = record
        self._camera: SimCamera | None = world.camera(offer.body.doorbot_id)
        self._ping_interval = self._how.ping_interval or world.ping_interval
        self._session_id = session_token(world, offer.body.doorbot_id, self._ping_interval)
        self._sender: CameraSender | None = None
        self._motor: Motor | None = None
        ear = world.ear(self._camera.id) if self._camera is not None else Ear()
        self._listening = Listening(ear, offer.dialog_id or "")
        self._errands = Errands("dialog")
        self._closing: asyncio.Task[None] | None = None
        self._activated = False
        self._ended = False
        self._pinged_at = time.monotonic()

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._ended

    async def offered(self, text: str) -> None:
        """Take the offer and begin."""
        if self._camera is None:
            await self.end(5, NO_SESSION)
        elif self._how.refusal is not None:
            await self.end(*self._how.refusal)
        elif "never-ready" in self._world.on or self._world.not_ready_left > 0:
            self._world.not_ready_left = max(0, self._world.not_ready_left - 1)
            await self.end(26, "not ready yet")
        else:
            clip = self._world.clip(self._camera)
            self._sender = CameraSender(clip, sdp.parse(text), self._how, self._world.dice, self._listening.packet)
            self._motor = Motor(self._camera, self._world.facing, show=self._sender.show, say=self._say)
            self._errands.start(self._live(self._sender))

    async def receive(self, message: Message) -> None:
        """Take any later message, judged already."""
        match message.body:
            case messages.Ping():
                if self._world.behaviour.hears_pings:
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
            case messages.Rpc(command=command) if self._motor is not None:
                self._errands.start(self._motor.carry_out(command))
            case messages.Close():
                self.record.ended = "closed by the client"
                await self.close()
            case _:
                pass

    async def _say(self, command: dict[str, Any]) -> None:
        await self._send(messages.Rpc(**self._common(), command=command))

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
            self._closing = asyncio.create_task(self._free(self._errands.others))
        await asyncio.shield(self._closing)

    async def _free(self, tasks: "set[asyncio.Task[None]]") -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._motor is not None:
            await self._motor.close()
        self._listening.close()
        if self._sender is not None:
            await self._sender.close()

    async def _live(self, sender: CameraSender) -> None:
        """Go through the phases as Ring does, then send video."""
        phases = [self._begin_session, self._answer]
        if self._how.answer_first:
            phases.reverse()
        for phase in phases:
            if not await phase(sender):
                return
        await self._interrupt()
        self._errands.start(self._watch())
        if self._how.candidates != "answer":
            self._errands.start(self._trickle(sender))
        connecting = asyncio.create_task(sender.connect())
        try:
            if self._how.silent_at == "camera":  # the media server is there all the same
                await connecting
                return
            await self._wake()
            await connecting
        except RingError as error:
            log.info("no media path to the client: %s", error.code)
            return
        finally:
            connecting.cancel()
        await sender.send()

    async def _begin_session(self, _: CameraSender) -> bool:
        if self._how.silent_at == "session":
            return False
        if self._how.garbles:
            await self._channel.send_text("<!doctype html><title>Welcome to our Wi-Fi</title>")
            return False
        await asyncio.sleep(self._world.delay("session"))
        self._channel.session_created(self._offer.dialog_id or "", self._session_id)
        requested = int(time.time() * 1000)
        created = messages.SessionCreated(**self._common(), requested_at=requested)
        started = messages.SessionStarted(**self._common())
        await self._send(created if self._how.created_as == "session_created" else started)
        if self._how.duplicates:
            another = {**self._common(), "session_id": f"another-{self._world.hexadecimal(4)}"}
            await self._send(messages.SessionCreated(**another, requested_at=requested))
        return True

    async def _answer(self, sender: CameraSender) -> bool:
        if self._how.silent_at == "answer":
            return False
        await asyncio.sleep(self._world.delay("answer"))
        text = await sender.answer()
        if self._how.early_candidate:
            await self._send(messages.Ice(**self._common(), ice=(await sender.candidates())[0], mlineindex=0))
        self._channel.answered(self._offer.dialog_id or "")
        info = session_info(self._world, self._ping_interval) if self._how.session_info else None
        for _ in range(2 if self._how.duplicates else 1):
            if self._how.answer_as == "live_view":
                await self._send(messages.LiveView(**self._common(), sdp=text, type="answer"))
            else:
                await self._send(messages.Sdp(**self._common(), sdp=text, type="answer", session_info=info))
        return True

    async def _interrupt(self) -> None:
        """Say what a client must live through."""
        how, offer, dice = self._how, self._offer, self._world.dice
        odd = for_others(offer, self._session_id, dice) if how.noise else []
        odd += unheard_of(offer, self._session_id, dice) if how.unknown_methods else []
        for envelope in odd:
            await self._channel.send_envelope(envelope)
        if how.notice:
            await self._send(messages.Notification(**self._common(), is_ok=False, text=how.notice))
        if how.transcoding:
            told = messages.StreamInfo(**self._common(), transcoding=True, transcoding_reason=how.transcoding)
            await self._send(told)

    async def _trickle(self, sender: CameraSender) -> None:
        for line in await sender.candidates():
            await asyncio.sleep(self._how.trickle_after)
            await self._send(messages.Ice(**self._common(), ice=line, mlineindex=0))

    async def _wake(self) -> None:
        await asyncio.sleep(self._world.delay("connected"))
        self._channel.connected(self._offer.dialog_id or "")
        for text in ("camera_connected", "PeerConnectionState::kConnecting"):
            await self._send(messages.Notification(**self._common(), is_ok=True, text=text))
        await asyncio.sleep(self._world.delay("started"))
        await self._send(messages.CameraStarted(**self._common()))

    async def _watch(self) -> None:
        """End the view for what the client leaves out, at the time limit, and where a switch says so."""
        world, how, began = self._world, self._how, time.monotonic()
        ping_limit = 3 * self._ping_interval if how.hears_pings else PING_LOST_AFTER
        # A switch names real seconds; the world's own limits pass as fast as its time does.
        time_limit = how.time_limit or world.time_limit / world.speed
        activation_limit = how.activation_limit or world.activation_limit / world.speed
        self._pinged_at = began
        while not self._ended:
            await asyncio.sleep(min(0.1, ping_limit / 4))
            now = time.monotonic()
            if self._sender is not None:
                self._sender.key_frames = world.behaviour.key_frames
            if how.ending is not None and now - began >= how.ending.after:
                await self._end_as(how.ending)
            elif now - self._pinged_at > ping_limit:
                await self.end(6, "Timeout waiting for ping")
            elif now - began > time_limit:
                await self.end(10, "answered_timeout")
            elif not self._activated and now - began > activation_limit:
                self.record.ended = "SIG-NO-ACTIVATION"
                await self.end(0, "")

    async def _end_as(self, ending: Ending) -> None:
        if ending.reason is not None:
            await self.end(ending.reason, ending.text)
        else:
            self._channel.end(ending.socket, ending.text)
            self._ended = True

    def _common(self) -> dict[str, Any]:
        return {"doorbot_id": self._offer.body.doorbot_id, "session_id": self._session_id}

    async def _send(self, body: messages.Body) -> None:
        offer = self._offer
        riid = offer.riid if self._how.echoes_riid else None
        await self._channel.send(Message(method=body.METHOD, dialog_id=offer.dialog_id, riid=riid, body=body))


def session_token(world: World, doorbot_id: int, ping_interval: float) -> str:
    """Make a session id that looks like Ring's: a JWT, opaque to clients (the signature is none)."""
    now = int(time.time())
    claims = {"ding_kind": "on_demand", "doorbot_id": doorbot_id, "ping_interval": ping_interval,
              "ding_id": str(world.dice.randrange(75 * 10**17, 76 * 10**17)), "ip": "127.0.0.1",
              "created_at": now * 1000, "rms_fqdn": "127-0-0-1.1.sim-1.prod.rms.ring.devices.a2z.com",
              "session_id": world.uuid(), "iat": now, "exp": now + 86_400,
              "rms_version": world.hexadecimal(4)}  # fmt: skip
    parts = ({"alg": "HS256", "kid": "Signalling", "typ": "JWT"}, claims, {"simulated": True})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def session_info(world: World, ping_interval: float) -> messages.SessionInfo:
    """Make what newer servers tell beside the answer; its session id is a third one."""
    return messages.SessionInfo(
        ping_interval=ping_interval, region="sim-1", session_id=world.uuid(), ip="127.0.0.1",
        ding_id=str(world.dice.randrange(75 * 10**17, 76 * 10**17)), ding_kind="on_demand", cell_id="sim",
        created_at=int(time.time() * 1000), rms_version=world.hexadecimal(4),
    )  # fmt: skip
