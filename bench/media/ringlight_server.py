"""Ringlight as it serves, with cameras that send plain RTP over UDP instead of Ring's.

Everything behind the camera is the program's own: shared view, broadcast, viewers' port, WHEP.
Usage: python bench/media/ringlight_server.py RTP-PORT...; prints `ready URL`.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

import uvloop

from ringlight.account.devices import parse_devices
from ringlight.cameras.camera import Camera
from ringlight.cameras.driver import Controls
from ringlight.cameras.shared_view import SharedView
from ringlight.errors import RingError, fault_error
from ringlight.media import rtp
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec, Transport
from ringlight.server.program import run_server
from ringlight.settings import MediaSettings, ServerSettings, Settings

H264 = Codec(96, "H264", 90_000, 1, {"profile-level-id": "42e01f", "packetization-mode": "1"})
RECEIVE_BUFFER = 1024 * 1024  # bytes


class PlainRtp(asyncio.DatagramProtocol):
    """A camera's end of a view: RTP that comes to a UDP port."""

    def __init__(
        self, port: int, on_packet: Callable[[Packet], None], on_agreed: Callable[[Agreed], None], **_: Any
    ) -> None:
        self._port, self._on_packet, self._on_agreed = port, on_packet, on_agreed

    async def open(self) -> Agreed:
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.bind(("127.0.0.1", self._port))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=listening)
        agreed = Agreed({"video": H264}, Transport())
        self._on_agreed(agreed)
        return agreed

    def datagram_received(self, data: bytes, _address: object) -> None:
        self._on_packet(rtp.parse(data))

    async def ended(self) -> RingError:
        await asyncio.Event().wait()
        return fault_error("SIG-CLOSED")

    async def close(self) -> None:
        self._transport.close()

    def ask_key_frame(self) -> None:
        """Nobody can be asked; the next one comes by itself."""

    async def command(self, *_: object) -> None:
        raise fault_error("CAM-COMMAND")

    async def talk(self, *, on: bool) -> None:
        raise fault_error("CAM-NO-TALK", f"asked for {on}")

    def send_sound(self, packet: Packet) -> None:
        """It has no speaker."""


class Premises:
    """As many cameras as ports."""

    problems: Sequence[RingError] = ()

    def __init__(self, ports: list[int], settings: Settings) -> None:
        records = [{"id": number + 1, "description": f"camera-{number}"} for number in range(len(ports))]
        devices = parse_devices({"doorbots": records}).cameras

        def view(port: int) -> SharedView:
            return SharedView(lambda **events: PlainRtp(port, **events), settings)

        self._cameras = {
            device.name: Camera(device.name, device, view(port), cast(Controls, None))
            for device, port in zip(devices, ports, strict=True)
        }

    async def cameras(self) -> list[Camera]:
        return list(self._cameras.values())

    async def camera(self, name: str) -> Camera:
        return self._cameras[name]


async def serve(ports: list[int]) -> None:
    settings = Settings(server=ServerSettings(port=0), media=MediaSettings(port=0))
    premises = Premises(ports, settings)
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(run_server(settings, premises))
        for camera in await premises.cameras():  # kept open, so that the first viewer meets a running camera
            await stack.enter_async_context(camera.live_view())
        print(f"ready {running.url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve([int(argument) for argument in sys.argv[1:]]))
