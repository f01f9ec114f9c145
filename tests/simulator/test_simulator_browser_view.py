"""The older way of browsers: offer and answer over HTTP, and video by a real peer."""

import asyncio

import pytest

from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request, Response
from ringlight.media import negotiate, rtp, sdp
from ringlight.media.dtls import Role
from ringlight.media.peer import Peer
from ringlight.secrets import Secret
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio

PLACE = "https://api.ring.com/integrations/v1/liveview/"


async def _ask(ring: SimulatedRing, method: str, what: str, **fields: object) -> Response:
    bearer = Secret(ring.world.tokens.grant()["access_token"])
    async with AsyncDriver(base_url=ring.url) as driver:
        return await driver.send(Request(method, PLACE + what, json=fields, bearer=bearer))


async def test_a_view_opens_shows_video_opens_its_speaker_and_ends() -> None:
    packets: list[bytes] = []
    async with simulator() as ring, asyncio.timeout(15):
        peer = Peer(controlling=True, on_rtp=packets.append, on_rtcp=lambda _: None, on_closed=lambda _: None)
        offer = negotiate.camera_offer(await peer.gather(), audio=True)
        began = {"session_id": "S", "device_id": 1001, "sdp": sdp.write(offer), "protocol": "webrtc"}
        answered = (await _ask(ring, "POST", "start", **began)).json()
        assert isinstance(answered, dict)
        agreed = negotiate.read_answer(offer, sdp.parse(str(answered["sdp"])))
        await peer.connect(agreed.transport, Role.SERVER)
        while len(packets) < 50:
            await asyncio.sleep(0.01)
        assert {rtp.parse(packet).payload_type for packet in packets} == {
            codec.payload_type for codec in agreed.codecs.values()
        }
        opened = await _ask(ring, "PATCH", "options", session_id="S", actions=["turn_off_stealth_mode"])
        assert opened.status == 204
        assert ring.world.heard[1001].as_dict()["speaker"] == "open"
        assert (await _ask(ring, "POST", "end", session_id="S")).status == 204
        assert ring.world.heard[1001].as_dict()["speaker"] == "closed"
        assert (await _ask(ring, "POST", "end", session_id="S")).status == 404
        await peer.close()


async def test_what_cannot_be_opened_is_refused_and_nothing_stays_at_the_end() -> None:
    offer = sdp.write(
        negotiate.camera_offer(sdp.Transport("u", "p" * 24, ":".join(["AB"] * 32), "actpass"), audio=False)
    )
    good = {"session_id": "S", "device_id": 1001, "sdp": offer, "protocol": "webrtc"}
    async with simulator(World(time_limit=0.05)) as ring:
        for changed, status in (
            ({"device_id": "1001"}, 404), ({"device_id": 9}, 404), ({"sdp": "words"}, 400), ({"sdp": None}, 400),
            ({"session_id": 5}, 400), ({"protocol": "sip"}, 400), ({"sdp": "v=0\r\n"}, 400),
        ):  # fmt: skip
            assert (await _ask(ring, "POST", "start", **{**good, **changed})).status == status, changed
        assert (await _ask(ring, "PATCH", "options", session_id="S", actions=["sing"])).status == 422
        assert (await _ask(ring, "PATCH", "options", session_id="S", actions=["turn_off_stealth_mode"])).status == 404
        assert ring.world.live_views == 0
        for session in ("S", "S", "T"):  # the second takes the place of the first, the last is left open
            assert (await _ask(ring, "POST", "start", **{**good, "session_id": session})).status == 200
        assert ring.world.live_views == 3
    left = {task.get_name() for task in asyncio.all_tasks()}
    assert "browser view" not in left
