"""The server's addresses, against the simulated Ring: answers, problem bodies, WHEP, who may use it."""

import asyncio
import base64
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.errors import SetupError
from ringlight.faults import FAULTS
from ringlight.http.serving import listen
from ringlight.liveview import attempt
from ringlight.media.sdp import Transport
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import CameraSettings, LiveViewSettings, ServerSettings, Settings
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator
from whep_viewer import offer_text, viewer

pytestmark = pytest.mark.anyio
SDP = {"Content-Type": "application/sdp"}
GOOD_OFFER = offer_text(Transport("ufra", "p" * 22, ":".join(["AA"] * 32), "actpass"))


@contextlib.asynccontextmanager
async def house(
    host: str = "127.0.0.1",
    key: str | None = None,
    origins: list[str] | None = None,
    linger: float = 0.2,
    retries: int = 3,
) -> AsyncIterator[tuple[httpx2.AsyncClient, World]]:
    """A simulated Ring, a signed-in account and the server, with a client for it."""
    async with simulator() as ring:
        settings = Settings(
            ring_url=ring.url,
            secret_key=Secret(key) if key else None,
            allowed_origins=origins or [],
            server=ServerSettings(host=host, port=0),
            cameras=CameraSettings(linger=linger),
            live_view=LiveViewSettings(path_timeout=2, retries=retries),
        )
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account) as serving,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{serving.port}/", timeout=20) as http,
        ):
            yield http, ring.world


async def test_the_cameras_are_listed_with_what_a_person_wants_to_know() -> None:
    async with house() as (http, _):
        cameras = (await http.get("api/cameras")).json()["cameras"]
        assert [camera["id"] for camera in cameras] == ["front-door", "back-yard", "driveway"]
        assert [camera["power"] for camera in cameras] == ["wired", "battery", "wired"]
        assert cameras[1]["battery_percent"] == 87
        assert {camera["state"] for camera in cameras} == {"online"}
        assert (await http.get("api/cameras/1003")).json()["id"] == "driveway"


async def test_an_unknown_camera_is_a_problem_that_names_those_there_are() -> None:
    async with house() as (http, _):
        answer = await http.get("api/cameras/garage")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body["code"] == "CAM-UNKNOWN"
        assert body["status"] == 404
        assert body["fix"] == FAULTS["CAM-UNKNOWN"].fix
        assert "Front Door" in body["detail"]


async def test_the_catalogue_is_served_whole_and_row_by_row() -> None:
    async with house() as (http, _):
        assert [row["code"] for row in (await http.get("api/faults")).json()["faults"]] == list(FAULTS)
        assert (await http.get("api/faults/sig-ticket")).json()["title"] == FAULTS["SIG-TICKET"].title
        assert (await http.get("api/faults/SIG-NONE")).json()["code"] == "FAULT-UNKNOWN"


async def test_health_docs_page_and_openapi_answer() -> None:
    async with house() as (http, _):
        assert (await http.get("health")).json() == {"status": "ok"}
        assert "Ringlight" in (await http.get("/")).text
        assert (await http.get("docs")).status_code == 200
        assert "/whep/{camera}" in (await http.get("openapi.json")).json()["paths"]
        assert "script" in (await http.get("page/main.js")).headers["content-type"]
        assert (await http.get("nowhere")).json()["code"] == "REQUEST-INVALID"


async def test_whep_plays_and_delete_ends_it() -> None:
    async with house() as (http, world):
        async with viewer(str(http.base_url), "front-door", http) as playing:
            await playing.receive(30)
            assert playing.answer.ice_lite
            location = playing.location
        assert (await http.delete(location)).status_code == 200, "to end it twice is no error"
        assert world.live_views == 1


async def test_viewers_share_one_upstream_and_the_late_one_begins_with_a_key_frame() -> None:
    from ringlight.media import h264

    async with house() as (http, world), viewer(str(http.base_url), "front-door", http) as first:
        await first.receive(80)
        async with viewer(str(http.base_url), "front-door", http) as second:
            await second.receive(10)
            assert h264.starts_key_frame(second.packets[0].payload)
            assert second.packets[0].ssrc == first.packets[0].ssrc  # numbered once, for all
            numbers = [packet.sequence for packet in second.packets]
            assert [(b - a) % 65536 for a, b in itertools.pairwise(numbers)] == [1] * (len(numbers) - 1)
        assert world.live_views == 1


async def test_the_view_closes_some_time_after_the_last_viewer_left() -> None:
    async with house(linger=0.1) as (http, world):
        async with viewer(str(http.base_url), "front-door", http) as playing:
            await playing.receive(5)
        async with asyncio.timeout(5):
            while world.dialogs[0].ended is None:
                await asyncio.sleep(0.02)
        assert world.dialogs[0].ended == "closed by the client"
        assert [row["code"] for row in world.dialogs[0].messages] == [None] * len(world.dialogs[0].messages)


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ("", "v=0"),
        ("nonsense", "not a line"),
        ("v=0\r\n", "no video"),
        (GOOD_OFFER.replace("H264", "VP8"), "H264"),
        (GOOD_OFFER.replace("recvonly", "sendonly"), "receive H264"),
        (GOOD_OFFER.replace("a=ice-ufrag", "a=x"), "ice-ufrag"),
        (GOOD_OFFER.replace("a=fingerprint", "a=x"), "fingerprint"),
        (GOOD_OFFER + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 50, "media sections"),
        ("v=0\r\n" + "a=" + "x" * 1_000_000, "bytes"),
    ],
)
async def test_an_offer_that_cannot_be_used_is_told_why(offer: str, said: str) -> None:
    async with house() as (http, world):
        answer = await http.post("whep/front-door", content=offer.encode(), headers=SDP)
        assert answer.status_code == 400, answer.text
        assert answer.json()["code"] == "VIEWER-OFFER"
        assert said in answer.json()["detail"]
        assert all(dialog.ended is None or "closed" in dialog.ended for dialog in world.dialogs)


async def test_noise_as_an_offer_is_refused() -> None:
    async with house() as (http, _):
        answer = await http.post("whep/front-door", content=bytes(range(256)) * 256, headers=SDP)
        assert answer.json()["code"] == "VIEWER-OFFER"
        wrong = await http.post("whep/front-door", content=GOOD_OFFER, headers={"Content-Type": "text/plain"})
        assert wrong.json()["code"] == "REQUEST-TYPE"


@pytest.mark.parametrize(
    ("switch", "code"),
    [("expired-ticket", "SIG-TICKET"), ("offline", "CAM-OFFLINE"), ("wrong-password", "AUTH-PASSWORD"),
     ("string-doorbot-id", "SIG-DOORBOT-ID")],
)  # fmt: skip
async def test_a_camera_that_cannot_be_watched_answers_the_offer_with_the_fault(switch: str, code: str) -> None:
    async with house() as (http, world):
        world.switch([switch])
        answer = await http.post("whep/front-door", content=GOOD_OFFER, headers=SDP)
        assert answer.status_code == FAULTS[code].http
        assert answer.json()["code"] == code
        world.switch([])
        async with viewer(str(http.base_url), "front-door", http) as playing:
            await playing.receive(5)


async def test_a_view_that_ends_says_goodbye_to_its_viewers_and_tells_the_page_why() -> None:
    async with house(retries=0) as (http, world):
        world.switch(["ping-lost"])
        async with viewer(str(http.base_url), "front-door", http) as playing:
            await playing.receive(5)
            async with asyncio.timeout(8):
                await playing.closed.wait()
        async with http.stream("GET", "api/cameras/front-door/events") as events:
            async for line in events.aiter_lines():
                snapshot = json.loads(line.removeprefix("data: "))
                break
        assert snapshot["state"] == "failed"
        assert snapshot["fault"]["code"] == "SIG-PING"


async def test_a_camera_turns_step_by_step_until_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "COMMAND_WAIT", 60.0)  # the simulated camera shares the processor with whoever asks
    async with house() as (http, world), viewer(str(http.base_url), "driveway", http) as playing:
        await playing.receive(5)
        turned = [await http.post("api/cameras/driveway/ptz", json={"direction": "left"}) for _ in range(3)]
        assert [answer.json() for answer in turned] == [{"result": "moved"}] * 2 + [{"result": "limit"}]
        assert world.facing[1003].pan == -2
        async with http.stream("GET", "api/cameras/driveway/events") as events:
            line = await anext(events.aiter_lines())
        halted = json.loads(line.removeprefix("data: "))["halted"]
        assert (halted["axis"], halted["reason"]) == ("pan", "LIMIT_REACHED")
        assert all(row["code"] is None for row in world.dialogs[0].messages)


async def test_turning_what_cannot_turn_and_nonsense_are_refused() -> None:
    async with house() as (http, world):
        fixed = await http.post("api/cameras/front-door/ptz", json={"direction": "left"})
        assert fixed.json()["code"] == "CAM-NO-PTZ"
        wrong = await http.post("api/cameras/driveway/ptz", json={"direction": "around"})
        assert wrong.json()["code"] == "REQUEST-INVALID"
        assert world.live_views == 0


async def test_a_page_that_listens_does_not_hold_up_the_end_of_the_server() -> None:
    loop = asyncio.get_running_loop()
    async with house() as (http, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", http.base_url.port)
        writer.write(b"GET /api/cameras/front-door/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"data: ")
        began = loop.time()
    assert loop.time() - began < 1.5
    writer.close()


async def test_a_camera_that_leaves_rings_list_keeps_its_view_and_its_place() -> None:
    async with house() as (http, world), viewer(str(http.base_url), "driveway", http) as playing:
        await playing.receive(5)
        everything = world.cameras
        world.cameras = tuple(camera for camera in everything if camera.id != 1003)
        await asyncio.sleep(2.1)  # the list is shown again for two seconds
        assert (await http.get("api/cameras/driveway")).json()["code"] == "CAM-UNKNOWN"
        before = len(playing.packets)
        await playing.receive(before + 10)
        world.cameras = everything
        await asyncio.sleep(2.1)
        assert (await http.get("api/cameras/driveway")).json()["view"] == "live"
        assert world.live_views == 1


async def test_a_still_is_a_jpeg() -> None:
    async with house() as (http, _):
        answer = await http.get("api/cameras/back-yard/snapshot.jpg")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.content[:3] == b"\xff\xd8\xff"


# ---- who may use it ----


async def test_a_page_of_another_origin_may_not_write() -> None:
    async with house() as (http, world):
        foreign = {**SDP, "Origin": "https://evil.example"}
        answer = await http.post("whep/front-door", content=GOOD_OFFER, headers=foreign)
        assert answer.status_code == 403
        assert answer.json()["code"] == "ORIGIN-REFUSED"
        assert world.live_views == 0


async def test_a_page_of_another_site_cannot_wake_a_camera_with_a_picture() -> None:
    """`<img src=…/snapshot.jpg>` carries no Origin, but browsers say that it comes from elsewhere."""
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with house() as (http, world):
        for path, headers in (("api/cameras/back-yard/snapshot.jpg", image), ("api/cameras", link)):
            assert (await http.get(path, headers=headers)).json()["code"] == "ORIGIN-REFUSED"
        assert (await http.get("/", headers=link)).status_code == 200
        assert world.live_views == 0


@pytest.mark.parametrize("headers", [{"Origin": "http://["}, {"Authorization": "Basic \xe9"}, {"Host": "["}])
async def test_broken_headers_are_refused_and_break_nothing(headers: dict[str, str]) -> None:
    async with house(host="0.0.0.0", key="long and random") as (http, _):
        raw = [(name.encode(), value.encode("latin-1")) for name, value in {**SDP, **headers}.items()]
        answer = await http.post("whep/front-door", content=GOOD_OFFER, headers=raw)
        assert answer.status_code in (400, 401, 403)


async def test_an_allowed_origin_may_and_can_read_the_answer() -> None:
    async with house(origins=["https://home.example"]) as (http, _):
        answer = await http.options("whep/front-door", headers={"Origin": "https://home.example"})
        assert answer.headers["access-control-allow-origin"] == "https://home.example"
        assert "Location" in answer.headers["access-control-expose-headers"]


async def test_the_preflight_of_an_allowed_origin_is_answered_without_a_key() -> None:
    ask = {"Origin": "https://home.example", "Access-Control-Request-Method": "DELETE"}
    async with house(host="0.0.0.0", key="long and random", origins=["https://home.example"]) as (http, _):
        answer = await http.options("whep/front-door/session", headers=ask)
        assert answer.status_code == 204
        assert "DELETE" in answer.headers["access-control-allow-methods"]
        assert "Authorization" in answer.headers["access-control-allow-headers"]
        foreign = await http.options("whep/front-door/session", headers={**ask, "Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in foreign.headers


async def test_a_foreign_host_name_that_resolves_to_loopback_is_refused() -> None:
    """DNS rebinding: a page could otherwise read what only this machine may."""
    async with house() as (http, _):
        answer = await http.get("api/cameras", headers={"Host": "evil.example"})
        assert answer.json()["code"] == "ORIGIN-REFUSED"


async def test_other_than_loopback_needs_a_secret_and_then_a_key() -> None:
    with pytest.raises(SetupError, match="CFG-SECRET-KEY"):
        async with house(host="0.0.0.0"):
            pass
    async with house(host="0.0.0.0", key="long and random") as (http, _):
        assert (await http.get("health")).status_code == 200
        refused = await http.get("api/cameras")
        assert refused.status_code == 401
        assert refused.json()["code"] == "KEY-NEEDED"
        assert "Basic" in refused.headers["www-authenticate"]
        for wrong in ("Bearer nonsense", "Basic !!!", "Basic " + base64.b64encode(b"me:wrong").decode(), "Digest x"):
            assert (await http.get("api/cameras", headers={"Authorization": wrong})).status_code == 401
        basic = "Basic " + base64.b64encode(b"me:long and random").decode()
        for right in ("Bearer long and random", basic):
            assert (await http.get("api/cameras", headers={"Authorization": right})).status_code == 200


async def test_every_answer_carries_the_protective_headers() -> None:
    async with house() as (http, _):
        for path in ("/", "api/cameras", "nowhere"):
            headers = (await http.get(path)).headers
            assert "default-src 'self'" in headers["content-security-policy"], path
            assert headers["x-content-type-options"] == "nosniff"


async def test_a_taken_port_is_named() -> None:
    taken = listen("127.0.0.1", 0)
    with contextlib.closing(taken), pytest.raises(SetupError, match="another program listens"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_no_file_of_the_page_is_left_out_of_the_package() -> None:
    from ringlight.web import PAGE

    page = (PAGE / "index.html").read_text()
    for path in Path(PAGE).iterdir():
        assert path.suffix in {".html", ".css", ".js", ".svg"}, path
    assert "<script" in page
    assert "onclick" not in page


async def test_what_is_not_there_is_a_problem_of_the_status_that_is_answered() -> None:
    """RFC 9457 section 3.1.2: `status` is the answer's own, also where the fault's row has another."""
    async with house() as (http, _):
        answer = await http.get("nothing/here")
        assert answer.status_code == answer.json()["status"] == 404


async def test_head_is_answered_as_get_without_the_body() -> None:
    """Those who watch servers ask by HEAD: `curl -I`, load balancers, uptime checks (RFC 9110 section 9.3.2)."""
    async with house() as (http, _):
        for path in (
            "", "health", "ready", "metrics", "docs", "openapi.json", "faults", "faults/SIG-TICKET", "api/about",
            "api/faults", "api/faults/SIG-TICKET", "api/cameras", "api/cameras/front-door",
        ):  # fmt: skip
            got, head = await http.get(path), await http.head(path)
            assert (head.status_code, head.content) == (200, b""), path
            assert head.headers["content-type"] == got.headers["content-type"]
        assert (await http.head("api/cameras/nope")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "taken"),
    [("PUT", "health", "GET, HEAD"), ("PUT", "j/any", "GET, HEAD, POST"),
     ("PUT", "api/cameras/front-door/recordings", "GET, POST"), ("PATCH", "api/rooms/any", "GET, DELETE")],
)  # fmt: skip
async def test_405_names_every_method_of_the_address(method: str, path: str, taken: str) -> None:
    async with house() as (http, _):
        answer = await http.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, taken)


async def test_the_page_of_the_api_leads_to_that_of_the_websockets() -> None:
    """OpenAPI knows no WebSockets, and who looks whether they are there looks at `/docs`."""
    async with house() as (http, _):
        docs = (await http.get("docs")).text
        assert "swagger-ui" in docs
        assert 'href="/docs/websockets"' in docs
        assert "/docs/websockets" in (await http.get("openapi.json")).json()["info"]["description"]
        page = (await http.get("docs/websockets")).text
        for told in ("/ws/signaling/{consultation_id}/{user_type}", "/ws/v2", "user-joined", "hello, rid", "ROOM-FULL"):
            assert told in page, told
        assert "default-src 'self'" in (await http.get("docs/websockets")).headers["content-security-policy"]
