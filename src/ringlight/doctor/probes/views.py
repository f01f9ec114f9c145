"""A person's Ring account: its signaling socket, and a view of one camera as others open it."""

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection

from ringlight.account.endpoints import signaling_url
from ringlight.cameras import Account, Camera, View
from ringlight.doctor.evidence import Viewed
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.liveview import messages
from ringlight.liveview.lint import Judge
from ringlight.liveview.signaling_socket import open_socket
from ringlight.liveview.trace import Direction, Trace

PICTURE_WAIT = 20.0  # seconds; a cold battery camera needs ten
SOCKET_WAIT = 4.0  # seconds; a view waits longer, the doctor has not the time
CLOSED_WITHIN = 0.5  # seconds in which Ring closes a socket that came without a User-Agent


async def open_signaling(account: Account) -> str:
    """Fetch a ticket and open the signaling socket, without a word on it.

    Raises:
        RingError: Why it does not open.
    """
    settings, ticket = account.settings, await account.ticket()
    url = signaling_url(settings.ring_url, settings.ring_signaling_url, ticket, f"ring_site-{uuid.uuid4()}")
    web = await open_socket(url, min(settings.live_view.socket_timeout, SOCKET_WAIT))
    try:
        await _stays_open(web)
    finally:
        await web.close()
    return "the signaling WebSocket opens"


async def _stays_open(web: ClientConnection) -> None:
    try:
        async with asyncio.timeout(CLOSED_WITHIN):
            await web.wait_closed()
    except TimeoutError:
        return
    if web.close_code in (1000, 1005):
        raise fault_error("SIG-USER-AGENT", f"closed with {web.close_code} before the first message")
    raise fault_error("SIG-DROPPED", f"closed with {web.close_code or 1006} before the first message")


class _Sent:
    """Judges each message that goes out, by the rules by which Ring judges them; hands all on to the trace."""

    def __init__(self, then: Trace | None, account_id: int | None) -> None:
        self._then = then
        self._account_id = account_id
        self._judge = Judge()
        self._pings: set[str] = set()
        self.complaints: list[tuple[str, str, str]] = []
        self.count = 0
        self.ponged = asyncio.Event()

    def record(self, direction: Direction, message: Mapping[str, Any]) -> None:
        """Take one message."""
        if self._then is not None:
            self._then.record(direction, message)
        if direction == "out":
            self._out(message)
        elif direction == "in":
            with suppress(RingError):
                self._in(message)

    def _out(self, message: Mapping[str, Any]) -> None:
        self.count += 1
        verdict = self._judge.receive_envelope(message)
        if verdict.method == "ping":
            self._pings.add(str(message.get("dialog_id")))
        if verdict.code is not None:
            self.complaints.append((verdict.method, verdict.code, verdict.detail))
        body = message.get("body")
        if self._account_id is not None and isinstance(body, Mapping) and self._account_id in body.values():
            self.complaints.append((verdict.method, "ACCOUNT-ID", "it holds the account's id, which is never sent"))

    def _in(self, message: Mapping[str, Any]) -> None:
        parsed = messages.parse_envelope(message)
        dialog_id, body = parsed.dialog_id or "", parsed.body
        if dialog_id not in self._judge.dialogs:
            return
        match body:
            case messages.SessionCreated() | messages.SessionStarted() if body.session_id:
                self._judge.created(dialog_id, body.session_id)
            case messages.Sdp() | messages.LiveView():
                self._judge.answered(dialog_id)
            case messages.CameraStarted() | messages.Notification(text="camera_connected"):
                self._judge.connected(dialog_id)
            case messages.Pong():
                self.ponged.set()
            case _:
                pass

    def end(self) -> None:
        """Say what never came, now that the view is over."""
        for name, dialog in self._judge.dialogs.items():
            if dialog.answered and dialog.session_id and not dialog.activated:
                self.complaints.append(("activate_session", "SIG-NO-ACTIVATION", "it was never sent"))
            if dialog.answered and dialog.session_id and name not in self._pings:
                self.complaints.append(("ping", "SIG-PING", "none was sent"))


async def watch(account: Account, camera: Camera, trace: Trace | None, seconds: float) -> Viewed:
    """Watch a camera until a whole picture and the answer to a ping have come, and for so many seconds at least."""
    try:
        account_id: int | None = await account.account_id()
    except RingError:
        account_id = None
    sent = _Sent(trace, account_id)
    before, account.trace = account.trace, sent
    try:
        viewed = await see(camera, seconds, (sent.ponged, account.settings.live_view.pong_timeout + 1.0))
    finally:
        account.trace = before
    sent.end()
    return replace(viewed, complaints=tuple(sent.complaints), sent=sent.count)


async def see(camera: Camera, seconds: float, awaited: tuple[asyncio.Event, float] | None = None) -> Viewed:
    """Watch a camera until a whole picture has come, and for so many seconds at least.

    Args:
        camera: Any.
        seconds: How long.
        awaited: What else has to happen, and within how many seconds.
    """
    loop = asyncio.get_running_loop()
    began, picture, error = loop.time(), 0, None
    try:
        async with camera.live_view() as view:
            picture = len(await view.snapshot(within=PICTURE_WAIT))
            await _stay(view, awaited, began + seconds)
    except RingError as caught:
        error = caught
    progress = camera.view.progress
    notes = [(text.partition(":")[0], text.partition(": ")[2]) for text in progress.notes]
    return Viewed(
        error, picture, dict(progress.steps).get("media"),
        tuple((code, text) for code, text in notes if code in FAULTS and (error is None or code != error.code)),
        seconds=loop.time() - began,
    )  # fmt: skip


async def _stay(view: View, awaited: tuple[asyncio.Event, float] | None, until: float) -> None:
    """Stay until what is awaited has happened and the time is over.

    Raises:
        RingError: Why the view ended before.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.create_task(view.ended())
    tasks: set[asyncio.Task[Any]] = {ended}
    try:
        if awaited is not None:
            happened, within = awaited
            tasks.add(asyncio.create_task(happened.wait()))
            await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await asyncio.wait({ended}, timeout=max(0.0, until - loop.time()))
        if ended.done():
            raise ended.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
