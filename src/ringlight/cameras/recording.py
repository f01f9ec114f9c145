"""A recording of a view: whether there is room, what it begins with, and when it is enough."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from ringlight.errors import RingError
from ringlight.media.broadcast import Broadcast
from ringlight.media.recorder import Recorder, Recording
from ringlight.media.sdp import Codec
from ringlight.media.sound import TRANSCODED
from ringlight.media.space import MEGABYTE, Space, disk_fault
from ringlight.settings import RecordingSettings

FIRST_PICTURE = 15.0  # seconds that a recording waits for a key frame


@contextlib.asynccontextmanager
async def run(
    broadcast: Broadcast,
    path: Path,
    seconds: float | None,
    settings: RecordingSettings,
    *,
    before: float,
    faststart: bool,
    sound: bool,
    allowed: Callable[[], int] | None,
    on_slow: Callable[[], None],
    on_recording: Callable[[int], None],
) -> AsyncIterator[Recorder]:
    """Record while inside. `View.recorder` tells of the arguments that have the same name there.

    Args:
        broadcast: The packets.
        path: The file.
        seconds: How much is wanted; `None` goes on until the end.
        settings: What stays free of the disk, and what a second needs as long as nobody knows it.
        before: Seconds of what was shown before.
        faststart: Write it once more at the end, with its index first.
        sound: Keep the sound.
        allowed: How many more bytes may be written.
        on_slow: Called when the disk begins to be too slow.
        on_recording: Called with 1 when it begins and -1 when it ends.

    Raises:
        MediaError: FILE-WRITE or FILE-FULL.
    """
    space = Space(path.parent, int(settings.keep_free * MEGABYTE), allowed)
    now = asyncio.get_running_loop().time()
    rate = broadcast.past.rate(now) or settings.bit_rate * MEGABYTE / 8
    try:
        space.check(rate * ((seconds or 0) + before))
    except OSError as error:
        raise disk_fault(path, error) from error
    recorder = Recorder(
        path, seconds, sound=kept_sound(broadcast) if sound else None, space=space, faststart=faststart,
        on_broken=broadcast.ask_key_frame, on_slow=on_slow,
    )  # fmt: skip
    on_recording(1)
    try:
        async with recorder:
            recorder.begin(broadcast.past.since(now - before), before)
            broadcast.add(recorder)
            try:
                yield recorder
            finally:
                broadcast.remove(recorder)
    finally:
        on_recording(-1)


async def enough(recorder: Recorder, no_picture: Callable[[float], RingError]) -> Recording:
    """Wait for the end of a recording; without a first picture soon there will be none.

    Args:
        recorder: Records already.
        no_picture: Returns why none came for so many seconds.

    Raises:
        MediaError: What the disk has refused.
        RingError: Why no picture came.
    """
    done = asyncio.ensure_future(recorder.done())
    begun = asyncio.ensure_future(recorder.begun.wait())
    try:
        await asyncio.wait({done, begun}, timeout=FIRST_PICTURE, return_when=asyncio.FIRST_COMPLETED)
        if not (done.done() or begun.done()):
            raise no_picture(FIRST_PICTURE)
        return await done
    finally:
        done.cancel()
        begun.cancel()


def kept_sound(broadcast: Broadcast) -> Codec | None:
    """Return the codec of the sound if a file can hold it."""
    codec = broadcast.codecs.get("audio")
    return codec if codec and any(codec.is_called(name) for name in ("opus", *TRANSCODED)) else None
