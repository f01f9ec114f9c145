"""Probes: each looks at one thing and says what it saw, or raises the fault."""

import asyncio
import contextlib
import os
import socket
import tempfile
import uuid

from ringlight.account import AccountClient
from ringlight.account.endpoints import TOKEN, signaling_url
from ringlight.cameras import Account
from ringlight.errors import RingError, fault_error
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request
from ringlight.http.serving import Serving, listen
from ringlight.liveview.attempt import open_socket
from ringlight.media.addresses import own_addresses
from ringlight.media.port import segment, segments_refused
from ringlight.settings import Settings

DATAGRAM_WAIT = 1.0  # seconds
PICTURE_WAIT = 20.0  # seconds; a cold battery camera needs ten


async def settings_probe(settings: Settings) -> str:
    """Say which settings matter here; that they could be read is shown by our being here."""
    return f"Ring is {settings.ring_url or 'the real one'}; server on {settings.server.host}:{settings.server.port}"


async def state_probe(settings: Settings) -> str:
    """Write and read in the state directory."""
    folder = settings.state_dir

    def try_it() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix="doctor-")
        os.close(handle)
        os.unlink(name)

    try:
        await asyncio.to_thread(try_it)
    except OSError as error:
        raise fault_error("CFG-STATE-DIR", f"{folder}: {error.strerror}") from error
    return f"{folder} can be written"


async def port_probe(settings: Settings) -> str:
    """Take the server's port for a moment; our own server there is no fault."""
    host, port = settings.server.host, settings.server.port
    try:
        listen(host, port).close()
    except RingError:
        if await _is_ringlight(settings):
            return f"{port} is taken by a Ringlight server that runs"
        raise
    return f"{port} is free"


async def _is_ringlight(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.server.host, settings.server.host)
    url = f"{Serving(host, settings.server.port).url}api/about"
    async with AsyncDriver(timeout=2) as driver:
        try:
            answer = await driver.send(Request("GET", url, bearer=settings.secret_key))
        except RingError:
            return False
    return b'"Ringlight"' in answer.body


async def udp_probe() -> str:
    """Send a datagram from this machine's first address to itself: what a local firewall would stop."""
    address = own_addresses(ipv6=False)[0]

    def send_to_ourselves() -> None:
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as ours:
            ours.settimeout(DATAGRAM_WAIT)
            ours.bind((address, 0))
            ours.sendto(b"ringlight", ours.getsockname())
            ours.recv(64)

    try:
        await asyncio.to_thread(send_to_ourselves)
    except OSError as error:
        raise fault_error("MEDIA-UDP", f"a datagram from {address} to itself did not arrive") from error
    return f"datagrams pass on {address}"


async def segments_probe() -> str:
    """Send two packets to ourselves in one call, as viewers get theirs; that it does not work is no fault."""

    def try_it() -> str:
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as ours:
            ours.settimeout(DATAGRAM_WAIT)
            ours.bind(("127.0.0.1", 0))
            why_not = segments_refused(ours)
            if why_not is None:
                try:
                    ours.sendmsg([b"ring", b"lite"], [segment(4)], 0, ours.getsockname())
                    if ours.recv(64) != b"ring" or ours.recv(64) != b"lite":
                        why_not = "what is sent in one call comes out in one piece"
                except OSError as error:
                    why_not = f"the kernel knows UDP_SEGMENT, but it does not work: {error.strerror or error}"
        if why_not is None:
            return "UDP_SEGMENT is used: the packets of a frame leave in one call"
        return f"UDP_SEGMENT is not used, since {why_not}; each packet leaves by itself, and a viewer costs more"

    return await asyncio.to_thread(try_it)


async def reach_probe(settings: Settings) -> str:
    """Ask the token service for anything: an answer of any kind proves name, route and TLS."""
    async with AsyncDriver(timeout=5, base_url=settings.ring_url) as driver:
        answer = await driver.send(Request("GET", TOKEN))
    if answer.status == 406:
        raise fault_error("AUTH-EDGE-BLOCK", "HTTP 406 from the token service")
    return f"the token service answers (HTTP {answer.status})"


async def token_probe(client: AccountClient) -> str:
    """Get an access token, renewing it if need be, and register with it."""
    await client.access_token()
    return f"signed in as {(await client.profile()).email}"


async def cameras_probe(client: AccountClient) -> str:
    """Read the device list."""
    cameras = await client.devices()
    refused = [(camera.name, camera.refusal) for camera in cameras if camera.refusal]
    if refused:
        names = ", ".join(name for name, _ in refused)
        raise fault_error(refused[0][1], f"of {len(cameras)} cameras cannot be watched now: {names}")
    return f"{len(cameras)} cameras, and each can be watched"


async def upgrade_probe(client: AccountClient) -> str:
    """Fetch a ticket and open the signaling socket, without a word on it."""
    settings, ticket = client.settings, await client.ticket()
    url = signaling_url(settings.ring_url, settings.ring_signaling_url, ticket, f"ring_site-{uuid.uuid4()}")
    socket_ = await open_socket(url, settings.live_view.socket_timeout)
    await socket_.close()
    return "the signaling WebSocket opens"


async def camera_probe(account: Account, name: str) -> str:
    """Watch a camera until a whole picture has come."""
    camera = await account.camera(name)
    if camera.device.refusal is not None:
        raise fault_error(camera.device.refusal, f"Ring's device list says so of {camera.name}")
    async with camera.live_view() as view:
        picture = await view.snapshot(within=PICTURE_WAIT)
    progress = camera.view.progress
    way = "; over TCP, since UDP does not come through" if any("MEDIA-TCP" in note for note in progress.notes) else ""
    return f"a picture of {len(picture)} bytes; first packet after {dict(progress.steps).get('media', 0):.0f} ms{way}"
