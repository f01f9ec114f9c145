"""Ringlight inside a program that has its own event loop and aiohttp session, built as Home Assistant builds.

    python examples/home_assistant_style.py --seconds 5

A coordinator asks for the cameras every few seconds; each camera is an entity that gives a still picture and answers
a browser's WebRTC offer. The names are Home Assistant's; nothing of it is imported, so this runs anywhere. Sign in
once with `ringlight login`. docs/how-to/inside-home-assistant.md says what goes where in an integration.
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from ringlight import Account, RingError, Settings, load_settings
from ringlight.cameras import AccountCamera
from ringlight.errors import AuthError
from ringlight.media.port import ViewerPort
from ringlight.server.playback import Playbacks
from ringlight.store import TokenStore


class Coordinator:
    """Asks Ring for the cameras again and again, and tells who wants to know.

    Attributes:
        cameras: As Ring listed them last, by Ring's number; the same camera stays the same object.
        problem: Why the last time failed; `None` if it did not. Entities are then unavailable, not gone.
    """

    def __init__(self, account: Account, every: float, on_sign_in_lost: Callable[[AuthError], None]) -> None:
        self.cameras: dict[int, AccountCamera] = {}
        self.problem: RingError | None = None
        self.listeners: list[Callable[[], None]] = []
        self._account = account
        self._every = every
        self._on_sign_in_lost = on_sign_in_lost
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ask for the first time, and then from time to time.

        Raises:
            RingError: The first time failed: Home Assistant would try the whole set-up again later.
        """
        await self._ask()
        self._polling = asyncio.create_task(self._poll(), name="ring coordinator")

    async def stop(self) -> None:
        """Ask no more."""
        if self._polling is not None:
            self._polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._polling

    async def refresh(self) -> None:
        """Ask now. A failure is kept in `problem`."""
        try:
            await self._ask()
            self.problem = None
        except RingError as error:
            self.problem = error
            if isinstance(error, AuthError):  # only a person can mend that: let Home Assistant ask for it
                self._on_sign_in_lost(error)
        for tell in self.listeners:
            tell()

    async def _ask(self) -> None:
        self.cameras = {camera.device.id: camera for camera in await self._account.cameras()}

    async def _poll(self) -> None:
        while not isinstance(self.problem, AuthError):
            await asyncio.sleep(self._every)
            await self.refresh()


class CameraEntity:
    """One camera, with the methods that Home Assistant calls."""

    def __init__(self, integration: "Integration", camera: AccountCamera) -> None:
        self.unique_id = f"ring-{camera.device.id}"
        self.name = camera.name
        self.camera = camera
        self._integration = integration
        self._sessions: dict[str, str] = {}  # Home Assistant's session id to the playback's
        self._picture: tuple[float, bytes] | None = None

    @property
    def available(self) -> bool:
        """Whether it could be watched, by what Ring said last."""
        coordinator = self._integration.coordinator
        listed = self.camera.device.id in coordinator.cameras
        return listed and coordinator.problem is None and self.camera.device.refusal is None

    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        """Return a JPEG: of the live view while there is one, else a picture that the camera takes for it.

        The dashboard asks every ten seconds, and each picture costs a battery charge; so one is shown for longer.
        """
        now, live = asyncio.get_running_loop().time(), self.camera.view.progress.state == "live"
        if live or self._picture is None or now - self._picture[0] > self._integration.picture_life:
            try:
                self._picture = now, await self._taken(live)
            except RingError:  # a view may end at any moment; the last picture is shown on
                return self._picture[1] if self._picture else None
        return self._picture[1]

    async def _taken(self, live: bool) -> bytes:
        if not live:
            return await self._integration.account.fresh_snapshot(self.camera.device)
        async with self.camera.live_view() as view:
            return await view.snapshot()

    async def async_handle_async_webrtc_offer(
        self, offer_sdp: str, session_id: str, send_message: Callable[[dict[str, str]], None]
    ) -> None:
        """Answer a browser's offer; the first one opens the camera, all share its one view.

        The answer holds our addresses, so no candidates are trickled from here; a failure names its code.
        """
        try:
            playback = await self._integration.playbacks.start(self.camera, offer_sdp)
        except RingError as error:
            send_message({"type": "error", "code": error.code, "message": f"{error.fault.title}. {error.fix}"})
            return
        self._sessions[session_id] = playback.id
        send_message({"type": "answer", "answer": playback.answer})

    async def async_on_webrtc_candidate(self, session_id: str, candidate: object) -> None:
        """Take a browser's candidate, which is not needed: its address shows in its connectivity checks (ICE-lite)."""

    async def async_close_webrtc_session(self, session_id: str) -> None:
        """End what a browser watched. A session that has ended by itself is no error."""
        identifier = self._sessions.pop(session_id, None)
        with contextlib.suppress(RingError):
            if identifier is not None:
                playbacks = self._integration.playbacks
                await playbacks.stop(playbacks.find(self.camera.id, identifier))


class Integration:
    """What one config entry has open. Use with `async with`: entering is set-up, leaving is unload.

    Args:
        session: The program's own; it stays open.
        settings: For example `load_settings(state_dir=…, media={"port": 8555})`, read outside the event loop.
        store: Where the tokens are kept; `None` is a file in `settings.state_dir`.
        every: Seconds between two lists of the cameras.
        picture_life: Seconds that a still picture is shown again.
    """

    account: Account
    coordinator: Coordinator
    playbacks: Playbacks

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: Settings,
        *,
        store: TokenStore | None = None,
        every: float = 60.0,
        picture_life: float = 60.0,
    ) -> None:
        self.entities: list[CameraEntity] = []
        self.picture_life = picture_life
        self.sign_in_lost = asyncio.Event()
        self._session, self._settings, self._store, self._every = session, settings, store, every
        self._open = AsyncExitStack()

    async def __aenter__(self) -> "Integration":
        async with AsyncExitStack() as opening:
            self.account = await opening.enter_async_context(
                Account.open(self._settings, store=self._store, session=self._session)
            )
            port = await opening.enter_async_context(ViewerPort(self._settings.media))
            self.playbacks = Playbacks(port)
            opening.push_async_callback(self.playbacks.close)
            self.coordinator = Coordinator(self.account, self._every, lambda _: self.sign_in_lost.set())
            await self.coordinator.start()
            opening.push_async_callback(self.coordinator.stop)
            self.entities = [CameraEntity(self, camera) for camera in self.coordinator.cameras.values()]
            self._open = opening.pop_all()  # all went well: it is closed at the unload, not here
        return self

    async def __aexit__(self, *_: object) -> None:
        # Backwards: no more questions, then the browsers, the port, the cameras' views, the account.
        await self._open.aclose()


async def show(seconds: float, pictures: Path) -> None:
    settings = await asyncio.to_thread(load_settings)
    async with aiohttp.ClientSession() as session, Integration(session, settings, every=2.0) as integration:
        for entity in integration.entities:
            image = await entity.async_camera_image()
            print(f"{entity.name}: {'available' if entity.available else 'unavailable'}, {len(image or b'')} bytes")
            if image:
                await asyncio.to_thread((pictures / f"{entity.camera.id}.jpg").write_bytes, image)
        await asyncio.sleep(seconds)
        print(f"problem: {integration.coordinator.problem}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run Ringlight as Home Assistant would.")
    parser.add_argument("--seconds", type=float, default=5, help="how long to go on (default: 5)")
    parser.add_argument("--pictures", type=Path, default=Path(), help="where stills go (default: here)")
    wanted = parser.parse_args()
    try:
        asyncio.run(show(wanted.seconds, wanted.pictures))
    except RingError as error:
        print(f"{error}\n{error.fix}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
