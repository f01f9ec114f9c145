"""Live view by WHEP, with real pictures from a real peer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from partner_calls import Partner, code_of, partner

from ringlight.media import negotiate, rtp, sdp
from ringlight.media.dtls import Role
from ringlight.media.peer import Peer
from ringlight.simulator.world import Delays

pytestmark = pytest.mark.anyio

SDP = {"Content-Type": "application/sdp"}
NOWHERE = sdp.Transport("u", "p" * 24, ":".join(["AB"] * 32), "actpass")
OFFER = sdp.write(negotiate.camera_offer(NOWHERE, audio=False))


class Viewer:
    """Somebody who watches: the packets that came, and whether the path was closed."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.closed: list[object] = []
        self.words: list[bytes] = []
        self.peer = Peer(
            controlling=True, on_rtp=self.packets.append, on_rtcp=self.words.append, on_closed=self.closed.append
        )
        self.location = ""
        self.answer: sdp.Description

    async def watch(self, app: Partner, name: str = "Front Door", *, audio: bool = False) -> Any:
        offer = negotiate.camera_offer(await self.peer.gather(), audio=audio)
        path = f"{await app.device(name)}/media/streaming/whep/sessions"
        began = await app.call("POST", path, content=sdp.write(offer), headers=SDP)
        self.location, self.answer = began.headers["Location"], sdp.parse(began.text)
        agreed = negotiate.read_answer(offer, self.answer)
        await self.peer.connect(agreed.transport, Role.SERVER)
        return began

    async def see(self, count: int) -> None:
        """Wait for so many packets more."""
        wanted = len(self.packets) + count
        while len(self.packets) < wanted:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def viewer() -> AsyncIterator[Viewer]:
    one = Viewer()
    try:
        async with asyncio.timeout(20):
            yield one
    finally:
        await one.peer.close()


async def test_an_offer_is_answered_with_pictures_that_are_only_sent() -> None:
    async with partner(wire=True) as app, viewer() as one:
        began = await one.watch(app, audio=True)
        assert (began.status_code, began.headers["Content-Type"]) == (201, "application/sdp")
        assert one.location.startswith(str(app.web.base_url))
        assert {section.kind: section.direction for section in one.answer.sections} == {
            "video": "sendonly", "audio": "sendonly",
        }  # fmt: skip
        await one.see(60)
        video, audio = one.answer.find("video"), one.answer.find("audio")
        assert video is not None
        assert audio is not None
        assert {rtp.parse(packet).payload_type for packet in one.packets} == {
            video.codecs[0].payload_type, audio.codecs[0].payload_type,
        }  # fmt: skip
        (row, *_) = (await app.events()).json()["data"]
        assert row["attributes"] == {"event_type": "on_demand", "is_third_party_reviewed": True, "start": app.now}
        app.seconds += 20
        assert (await app.call("DELETE", one.location)).status_code == 200
        (row, *_) = (await app.events()).json()["data"]
        assert row["attributes"]["end"] == app.now, "and it has made a recording"
        assert code_of(await app.call("DELETE", one.location)) == (404, "Not Found")


async def test_the_time_of_a_view_ends_without_a_word() -> None:
    """Neither RTCP nor DTLS says so: only the pictures stop. A battery camera's time is shorter."""
    async with partner("observed", wire=True) as app, viewer() as one:
        app.estate.view_battery, app.estate.view_line = 0.3, 1000.0
        await one.watch(app, "Back Yard")
        await one.see(1)
        while (await app.events("Back Yard")).json()["data"][0]["attributes"]["end"] is None:
            await asyncio.sleep(0.02)
        seen = len(one.packets)
        assert seen > 1
        await asyncio.sleep(0.3)
        assert len(one.packets) == seen
        assert one.closed == []
        assert not [words for words in one.words if words[1] == 203], "no BYE"
        assert (await app.call("DELETE", one.location)).status_code == 404


async def test_a_view_can_be_cut_short_and_leaves_footage_behind() -> None:
    """Of three seconds at most; the event that it was has a recording."""
    async with partner("documented", "partner-view-short", wire=True) as app, viewer() as one:
        begun = app.now
        await one.watch(app)
        await one.see(1)
        app.seconds += 5
        while "end" not in (await app.events()).json()["data"][0]["attributes"]:
            await asyncio.sleep(0.05)
        assert one.closed == []
        app.seconds += 3
        path = f"{await app.device()}/media/video/download"
        assert (await app.call("POST", path, json={"timestamp": begun, "duration": 1000})).status_code == 200


async def test_a_battery_camera_has_half_the_time_of_one_on_mains() -> None:
    async with partner() as app:
        assert (app.estate.view_battery, app.estate.view_line) == (30.0, 60.0)


async def test_the_first_picture_can_be_late() -> None:
    async with partner(wire=True) as app, viewer() as one:
        app.world.delays = Delays(started=0.4)
        await one.watch(app)
        assert one.packets == []
        begun = asyncio.get_running_loop().time()
        await one.see(1)
        assert asyncio.get_running_loop().time() - begun > 0.2


async def test_a_view_can_stay_dark() -> None:
    async with partner("documented", "partner-view-dark", wire=True) as app, viewer() as one:
        await one.watch(app)
        await asyncio.sleep(0.2)
        assert one.packets == []
        assert (await app.call("DELETE", one.location)).status_code == 200


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"content": "words"}, 400), ({"content": ""}, 400), ({"content": b"\xff\xfe"}, 400),
        ({"content": OFFER.replace("recvonly", "sendonly")}, 400), ({"content": OFFER.replace("H264", "VP8")}, 400),
        ({"headers": {"Content-Type": "application/json"}}, 415), ({"headers": {}}, 415),
    ],
)  # fmt: skip
async def test_an_offer_that_cannot_be_answered_is_refused(changed: dict[str, Any], status: int) -> None:
    async with partner() as app:
        path = f"{await app.device()}/media/streaming/whep/sessions"
        answer = await app.call("POST", path, **{"content": OFFER, "headers": SDP, **changed})
        assert answer.status_code == status
        assert app.world.live_views == 0


async def test_a_device_that_is_offline_is_not_the_same_as_a_busy_server() -> None:
    async with partner("documented", "partner-early-access") as app:
        app.estate.offline.add("1001")
        path = f"{await app.device()}/media/streaming/whep/sessions"
        offline = await app.call("POST", path, content=OFFER, headers=SDP)
        assert code_of(offline) == (503, "Device Unavailable")
        app.world.switch(["partner-503"])
        assert code_of(await app.call("POST", path, content=OFFER, headers=SDP)) == (503, "SERVER_BUSY")
        app.world.switch(["partner-early-access"])
        chime = f"{await app.device('Hallway Chime')}/media/streaming/whep/sessions"
        assert (await app.call("POST", chime, content=OFFER, headers=SDP)).status_code == 400


@pytest.mark.parametrize(
    ("switch", "begins"), [("partner-view-relative", "/v1/devices/ava1"), ("partner-view-foreign", "http://elsewhere")]
)
async def test_the_address_of_a_view_can_be_of_another_form(switch: str, begins: str) -> None:
    async with partner("documented", switch, wire=True) as app, viewer() as one:
        await one.watch(app)
        assert one.location.startswith(begins)


async def test_only_one_may_watch_where_the_switch_says_so_and_all_ends_with_the_program() -> None:
    async with partner("documented", "partner-view-busy", wire=True) as app, viewer() as one:
        await one.watch(app)
        path = f"{await app.device()}/media/streaming/whep/sessions"
        assert (await app.call("POST", path, content=OFFER, headers=SDP)).status_code == 409
        back = f"{await app.device('Back Yard')}/media/streaming/whep/sessions"
        assert (await app.call("POST", back, content=OFFER, headers=SDP)).status_code == 201
    assert "partner view" not in {task.get_name() for task in asyncio.all_tasks()}
