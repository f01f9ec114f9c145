"""python-ring-doorbell, as it is on PyPI: signs in, uses a camera, watches it. Prints what it saw as JSON.

Run inside examples/with_simulated_ring.py; the media peer is aiortc, since the library brings none.
"""

import asyncio
import io
import json
import logging
import sys
from typing import Any

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from ring_doorbell import Auth, Requires2FAError, Ring

FRAMES = 30


async def sign_in() -> tuple[Auth, bool]:
    auth = Auth("Ringlight-test/1.0")
    asked = False
    try:
        await auth.async_fetch_token("ada@ringlight.test", "ringlight")
    except Requires2FAError:
        asked = True
        await auth.async_fetch_token("ada@ringlight.test", "ringlight", "123456")
    return auth, asked


def peer() -> RTCPeerConnection:
    """A peer that wants sound and H.264."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("audio", direction="recvonly")
    video = connection.addTransceiver("video", direction="recvonly")
    known = RTCRtpReceiver.getCapabilities("video")
    assert known is not None
    video.setCodecPreferences(
        [codec for codec in known.codecs if codec.mimeType.lower() in ("video/h264", "video/rtx")]
    )
    return connection


async def watch(camera: Any) -> dict[str, Any]:
    connection = peer()
    tracks: dict[str, Any] = {}
    connection.on("track", lambda track: tracks.__setitem__(track.kind, track))
    await connection.setLocalDescription(await connection.createOffer())
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    failed: list[str] = []

    def told(message: Any) -> None:
        if message.answer:
            answered.set_result(message.answer)
        if message.error_message:
            failed.append(message.error_message)

    await camera.generate_async_webrtc_stream(connection.localDescription.sdp, "view-1", told)
    await connection.setRemoteDescription(RTCSessionDescription(await asyncio.wait_for(answered, 10), "answer"))
    sizes = set()
    heard = 0
    for _ in range(FRAMES):
        frame = await asyncio.wait_for(tracks["video"].recv(), 20)
        sizes.add(f"{frame.width}x{frame.height}")
    for _ in range(FRAMES):
        heard += (await asyncio.wait_for(tracks["audio"].recv(), 20)).samples
    await camera.close_webrtc_stream("view-1")
    await connection.close()
    return {"frames": FRAMES, "sizes": sorted(sizes), "samples": heard, "failed": failed}


async def simple_answer(camera: Any) -> bool:
    """The older call without callback, which waits one second for the answer."""
    connection = peer()
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    answer: str = await camera.generate_webrtc_stream(offer)
    await camera.close_webrtc_stream(offer.split("o=")[1].split(" ")[1])
    await connection.close()
    return answer.startswith("v=0")


async def use(ring: Ring) -> dict[str, Any]:
    driveway: Any = ring.get_video_device_by_name("Driveway")
    door: Any = ring.get_video_device_by_name("Front Door")
    await driveway.async_set_lights("on")
    await driveway.async_set_siren(20)
    await driveway.async_set_motion_detection(False)
    await driveway.async_update_health_data()
    await ring.async_update_devices()
    picture = await driveway.async_get_snapshot()
    history = await door.async_history(kind="ding")
    clip = await door.async_recording_download(history[0]["id"])
    return {
        "lights": driveway.lights,
        "siren": driveway.siren,
        "motion": driveway.motion_detection,
        "wifi": driveway.wifi_signal_strength,
        "jpeg": bool(picture and picture.startswith(b"\xff\xd8")),
        "history": [event["kind"] for event in history],
        "mp4": bool(clip and clip[4:8] == b"ftyp"),
        "url": (await door.async_recording_url(history[0]["id"]) or "").partition("?")[0],
    }


async def dialogs() -> Any:
    async with aiohttp.ClientSession() as session, session.get("https://api.ring.com/_sim/dialogs") as answer:
        return (await answer.json())["dialogs"]


def recorded() -> io.StringIO:
    """What the library writes into its log, as an application would have it."""
    log = io.StringIO()
    shown = logging.StreamHandler(log)
    shown.setFormatter(
        logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)s [%(name)s] %(message)s", "%Y-%m-%d %H:%M:%S")
    )
    logging.getLogger("ring_doorbell").addHandler(shown)
    logging.getLogger("ring_doorbell").setLevel(logging.DEBUG)
    return log


async def main() -> None:
    log = recorded()
    auth, asked = await sign_in()
    ring = Ring(auth)
    await ring.async_update_data()
    seen: dict[str, Any] = {
        "asked_for_code": asked,
        "cameras": {device.name: device.model for device in ring.video_devices()},
        "groups": list(ring.groups()),
        "alerts": list(ring.active_alerts()),
        "use": await use(ring),
    }
    yard = ring.get_video_device_by_name("Back Yard")
    seen["watched"] = await watch(yard)
    seen["answered"] = await simple_answer(yard)
    await auth.async_refresh_tokens()
    await auth.async_close()
    seen["dialogs"] = await dialogs()
    seen["log"] = log.getvalue()
    json.dump(seen, sys.stdout)


asyncio.run(main())
