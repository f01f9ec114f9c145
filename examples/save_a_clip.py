"""Save a clip and a still of one camera.

    python examples/save_a_clip.py "Front Door" door.mp4 --seconds 10

Sign in once with `ringlight login`; the stored tokens are used. With RINGLIGHT_RING_URL set it talks to a simulator.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from ringlight import Account, RingError


async def save(name: str, clip: Path, seconds: float) -> None:
    async with Account.open() as account:
        camera = await account.camera(name)
        # Clip and still share one view: the camera wakes up once.
        async with camera.live_view() as view:
            recording = await view.record(clip, seconds=seconds)
            picture = await view.snapshot()
    still = clip.with_suffix(".jpg")
    await asyncio.to_thread(still.write_bytes, picture)
    print(f"{clip}: {recording.seconds:.1f} s of video")
    print(f"{still}: {len(picture)} bytes")


def main() -> int:
    parser = argparse.ArgumentParser(description="Save a clip and a still of one camera.")
    parser.add_argument("camera", help="its name, as `ringlight devices` shows it")
    parser.add_argument("clip", type=Path, help="an .mp4 file; the still goes beside it")
    parser.add_argument("--seconds", type=float, default=10, help="how much video (default: 10)")
    wanted = parser.parse_args()
    try:
        asyncio.run(save(wanted.camera, wanted.clip, wanted.seconds))
    except RingError as error:
        print(f"{error}\n{error.fix}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
