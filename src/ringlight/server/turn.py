"""A viewer's turn to talk: begun and ended over HTTP, while its sound comes with its media."""

import asyncio
import logging

from ringlight.cameras import View
from ringlight.cameras.talking import Talker
from ringlight.errors import fault_error
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec

log = logging.getLogger("ringlight.server")
_NO_SOUND = "this playback was not answered `sendrecv` for its sound"
SILENT = 5.0  # seconds without a packet after which a talker has vanished; a browser sends silence too


class Turn:
    """What one viewer may do to talk. Neither call fails for being made twice.

    Args:
        view: Of the camera.
        sound: The codec of the sound that the viewer may send, as it was answered; `None` where it may send none.
    """

    def __init__(self, view: View, sound: Codec | None) -> None:
        self._view = view
        self._sound = sound
        self._holding: asyncio.Task[None] | None = None
        self._begun: asyncio.Future[None] | None = None
        self._talker: Talker | None = None

    def hear(self, packet: Packet) -> None:
        """Take sound of the viewer; outside of its turn it is dropped."""
        if self._talker is not None:
            self._talker.forward(packet)

    async def begin(self) -> None:
        """Take the turn, and wait until the speaker was told to open.

        Raises:
            CameraError: CAM-NO-TALK, CAM-TALK-BUSY or CAM-COMMAND.
            UsageError: REQUEST-INVALID where the viewer has no sound to send, or none that the camera hears by now.
            RingError: Why the view ended before.
        """
        if self._sound is None:
            raise fault_error("CAM-NO-TALK" if not self._view.hears else "REQUEST-INVALID", _NO_SOUND)
        while self._holding is not None and not self._holding.done() and self._holding.cancelling():
            await asyncio.wait({self._holding})  # the turn before is just ending
        if self._holding is None or self._holding.done() or self._begun is None:
            self._begun = asyncio.get_running_loop().create_future()
            self._holding = asyncio.create_task(self._hold(self._begun, self._sound), name="turn to talk")
        holding, either = self._holding, {self._holding, self._begun}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if holding.done() and not holding.cancelled():
            error = holding.exception()
            if error is not None:
                raise error

    async def end(self) -> None:
        """Give the turn back, and wait until the speaker was told to close."""
        if self._holding is not None:
            self._holding.cancel()
            await asyncio.wait({self._holding})

    async def _hold(self, begun: "asyncio.Future[None]", sound: Codec) -> None:
        try:
            async with self._view.talk() as talker:
                if not talker.codec.is_called(sound.name):  # the view was renewed; in another codec it would be noise
                    raise fault_error(
                        "REQUEST-INVALID", f"this playback sends {sound.name}; {talker.codec.name} is heard"
                    )
                self._talker = talker
                begun.set_result(None)
                rest = SILENT
                while rest > 0:
                    await asyncio.sleep(rest)
                    rest = SILENT - talker.silent_for
                log.info("a talker fell silent; the speaker is closed")
        finally:
            self._talker = self._holding = None
