"""A way for media that shows nothing: a browser tries whether it reaches the viewers' port, and no camera wakes up."""

import asyncio
import contextlib
import secrets
from dataclasses import replace

from ringlight.media import negotiate, sdp
from ringlight.media.forward import Track
from ringlight.media.port import ViewerPort
from ringlight.media.sdp import Codec
from ringlight.server.places import Places

__all__ = ["Trials"]

LASTS = 10.0  # seconds; a browser that reaches the port does so within one
MOST = 8  # at once
_PICTURE = Codec(96, "H264", 90_000, parameters={"packetization-mode": "1", "profile-level-id": "42e01f"})


class Trials:
    """The trials that run; each ends by itself."""

    def __init__(self, port: ViewerPort) -> None:
        self._port = port
        self._places = Places(MOST)
        self._running: set[asyncio.Task[None]] = set()

    def answer(self, offer_text: str) -> str:
        """Answer a browser's offer of a video section to receive; nothing will come by it.

        Raises:
            MediaError: VIEWER-OFFER or VIEWER-MANY.
        """
        offer = negotiate.read_viewer_offer(offer_text)
        local = replace(self._port.transport(), setup=negotiate.our_part(offer))
        track, cname = Track(True, secrets.randbits(32), _PICTURE.clock_rate), secrets.token_hex(8)
        answer, seats = negotiate.answer_viewer(offer, {"video": _PICTURE}, local, {"video": track.ssrc}, cname)
        stack = contextlib.ExitStack()
        stack.enter_context(self._places.take())
        gone = asyncio.Event()
        viewer = self._port.add(
            local, negotiate.way_of(offer), seats, {"video": track}, cname,
            on_key_frame=lambda: None, on_closed=lambda _: gone.set(),
        )  # fmt: skip

        async def keep() -> None:
            with stack:
                try:
                    async with asyncio.timeout(LASTS):
                        await gone.wait()
                except TimeoutError:
                    pass
                finally:
                    viewer.close(None)

        task = asyncio.create_task(keep(), name="trial of the media port")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return sdp.write(answer)

    async def close(self) -> None:
        """End all."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
