"""Watch a live view at the lower level: every step, note and attempt as it happens, and the packets counted.

    python examples/live_view_example.py "Front Door" --seconds 5

Most programs want `ringlight.Account` and its cameras, as in save_a_clip.py. This level is for those who need
the packets themselves, or who look for the step at which a view fails. Sign in once with `ringlight login`.
"""

import argparse
import asyncio
import sys
import time
import uuid

from ringlight import LiveViewClient, RingError
from ringlight.account import AccountClient
from ringlight.account.endpoints import signaling_url
from ringlight.errors import fault_error
from ringlight.liveview import Event, Note, Step, Trying
from ringlight.media.rtp import Packet
from ringlight.secrets import Secret


class Watcher:
    """Prints what happens, and counts the packets."""

    def __init__(self) -> None:
        self.packets = self.octets = 0
        self._began = time.monotonic()

    def happened(self, event: Event) -> None:
        """Print an event with the time since the start."""
        match event:
            case Trying(number, code, pause):
                self._say(f"attempt {number}" + (f" after {code}, in {pause:.1f} s" if code else ""))
            case Step(name):
                self._say(f"step {name}")
            case Note(text, code):
                self._say(f"note {code or ''} {text}")

    def arrived(self, packet: Packet) -> None:
        """Count a packet; never wait here, the next one is due."""
        self.packets += 1
        self.octets += len(packet.payload)

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:6.2f} s  {text}", flush=True)


async def watch(name: str, seconds: float) -> None:
    watcher = Watcher()
    async with AccountClient.open() as account:
        device = await account.device(name)
        if device.refusal is not None:  # offline or switched off: say so before the camera is woken
            raise fault_error(device.refusal, device.name)

        async def address() -> Secret:
            # Called for each attempt: a ticket is good for one connection.
            ticket = await account.ticket()
            settings = account.settings
            return signaling_url(settings.ring_url, settings.ring_signaling_url, ticket, f"ring_site-{uuid.uuid4()}")

        view = LiveViewClient(
            device.id,
            token=account.access_token,
            signaling_url=address,
            settings=account.settings.live_view,
            on_packet=watcher.arrived,
            on_event=watcher.happened,
        )
        async with view:
            try:
                async with asyncio.timeout(seconds):
                    raise await view.ended()
            except TimeoutError:
                pass  # it ran until we had enough
    print(f"{watcher.packets} packets, {watcher.octets} bytes")


def main() -> int:
    parser = argparse.ArgumentParser(description="Watch a live view and print what happens.")
    parser.add_argument("camera", help="its name or number, as `ringlight devices` shows them")
    parser.add_argument("--seconds", type=float, default=10, help="how long to watch (default: 10)")
    wanted = parser.parse_args()
    try:
        asyncio.run(watch(wanted.camera, wanted.seconds))
    except RingError as error:
        print(f"{error}\n{error.fix}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
