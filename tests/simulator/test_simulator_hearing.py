"""The ear of a simulated camera: which tone it hears, and what a client does wrong that is not heard."""

import asyncio
import json
import math
import uuid
from typing import Any

import pytest
from websockets.asyncio.client import connect

from ringlight.media import negotiate, sdp
from ringlight.media.sdp import Codec, Transport
from ringlight.simulator.hearing import RATE, WINDOW, Ear, Listening, loudest
from ringlight.simulator.sound import make_sound
from ringlight.testing import SimulatedRing


def samples(*tones: tuple[float, float], count: int = WINDOW) -> list[int]:
    return [round(sum(level * math.sin(2 * math.pi * hz * at / RATE) for hz, level in tones)) for at in range(count)]


@pytest.mark.parametrize("hz", [100, 440, 441.5, 1000, 3400])
def test_a_tone_is_measured_to_two_hertz(hz: float) -> None:
    found = loudest(samples((hz, 5_000)))
    assert found is not None
    assert abs(found - hz) <= 2


def test_the_loudest_of_several_counts() -> None:
    found = loudest(samples((300, 3_000), (1_200, 9_000), (2_500, 4_000)))
    assert found is not None
    assert abs(found - 1_200) <= 2


def test_silence_and_too_little_sound_have_no_tone() -> None:
    assert loudest([0] * WINDOW) is None
    assert loudest(samples((440, 10))) is None
    assert loudest(samples((440, 5_000), count=WINDOW - 1)) is None


def test_two_views_of_a_camera_share_its_speaker() -> None:
    """At a renewal the new view opens it before the old one is gone."""
    ear = Ear()
    before, after = Listening(ear, "A"), Listening(ear, "B")
    before.options(stealth=False)
    after.options(stealth=False)
    before.close()
    assert ear.as_dict()["speaker"] == "open"
    after.options(stealth=None)
    assert ear.as_dict()["speaker"] == "open"
    after.options(stealth=True)
    assert ear.as_dict()["speaker"] == "closed"


def test_what_is_no_sound_is_counted_as_noise() -> None:
    ear = Ear()
    listening = Listening(ear, "A")
    opus = Codec(111, "OPUS", 48_000, 2)
    for data in (b"", b"no rtp", b"\x80\x6f" + bytes(10), b"\x80\x6f" + bytes(10) + b"\xff" * 3):
        listening.packet(data, opus)
    assert ear.noise == 4
    for payload in make_sound()[:10]:
        listening.packet(b"\x80\x6f" + bytes(10) + payload, opus)
    assert ear.noise == 4
    assert ear.unheard == pytest.approx(0.2, abs=0.021)


def test_a_speaker_opened_too_early_is_told_in_the_record_and_stays_closed(ring: SimulatedRing) -> None:
    """The mistake of a client in a hurry: Ring loses the message, and nobody hears what is said."""
    transport = Transport("ufrag123", "password-of-ice-24-chars", ":".join(["AA"] * 32), "actpass")
    offer = sdp.write(negotiate.camera_offer(transport, audio=True))
    dialog = str(uuid.uuid4())

    async def hurry() -> None:
        url = f"ws{ring.url.removeprefix('http')}/ws?auth_type=ring_solutions&token={ring.world.tokens.make_ticket()}"

        async with connect(url) as socket:

            async def send(method: str, **body: Any) -> None:
                message = {"method": method, "dialog_id": dialog, "body": {"doorbot_id": 1001, **body}}
                await socket.send(json.dumps(message))

            async def receive(method: str) -> dict[str, Any]:
                while (message := json.loads(await socket.recv()))["method"] != method:
                    pass
                return dict(message["body"])

            await send("live_view", sdp=offer, stream_options={"audio_enabled": True})
            session = (await receive("session_created"))["session_id"]
            await receive("sdp")
            await send("activate_session", session_id=session)
            await send("camera_options", session_id=session, stealth_mode=False)
            await send("ping", session_id=session)
            await receive("pong")
            assert ring.world.heard[1001].as_dict()["speaker"] == "closed"
            await receive("notification")
            await send("camera_options", session_id=session, stealth_mode=False)
            await send("ping", session_id=session)
            await receive("pong")
            assert ring.world.heard[1001].as_dict()["speaker"] == "open"

    from ringlight.simulator.world import Delays

    ring.world.delays = Delays(connected=0.5)
    asyncio.run(asyncio.wait_for(hurry(), 10))
    (record,) = ring.world.dialogs
    wrong = [(row["method"], row["code"]) for row in record.messages if row["code"]]
    assert wrong == [("camera_options", "SIG-ORDER")]
    assert record.ended != "SIG-ORDER"
