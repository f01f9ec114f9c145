"""Light, siren, turning, fresh stills, history and recordings over HTTP, against the simulated Ring."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.faults import FAULTS
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import CameraSettings, ServerSettings, Settings
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio
KNOWN = Credentials("ada@ringlight.test", Secret("ringlight"), "123456")
BELL = "7500000000000000003"


@asynccontextmanager
async def _house(world: World | None = None) -> AsyncIterator[tuple[httpx2.AsyncClient, World]]:
    async with simulator(world) as ring:
        settings = Settings(ring_url=ring.url, server=ServerSettings(port=0), cameras=CameraSettings(linger=0.2))
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=KNOWN) as account,
            run_server(settings, account) as serving,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{serving.port}/api/cameras/", timeout=20) as http,
        ):
            yield http, ring.world


async def test_light_and_siren_answer_with_the_camera_as_it_is_then() -> None:
    async with _house() as (http, world):
        lit = await http.post("driveway/light", json={"on": True})
        assert (lit.status_code, lit.json()["light_on"], world.lights) == (200, True, {1003: True})
        loud = await http.post("driveway/siren", json={"on": True, "seconds": 7})
        assert (loud.json()["siren_seconds"], world.siren_seconds(1003)) == (7, 7)
        assert (await http.post("driveway/siren", json={"on": False})).json()["siren_seconds"] == 0
        shown = (await http.get("driveway")).json()
        assert (shown["light_on"], shown["has_siren"], shown["has_recordings"]) == (True, True, True)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("front-door/light", {"on": True}, "CAM-UNABLE"),
        ("front-door/siren", {"on": True}, "CAM-UNABLE"),
        ("front-door/ptz", {"direction": "left", "continuous": True}, "CAM-NO-PTZ"),
        ("garage/light", {"on": True}, "CAM-UNKNOWN"),
        ("driveway/light", {}, "REQUEST-INVALID"),
        ("driveway/siren", {"on": True, "seconds": 121}, "REQUEST-INVALID"),
        ("driveway/ptz", {"direction": "left", "continuous": True, "speed": 1.1}, "REQUEST-INVALID"),
        ("driveway/ptz", {"direction": "round"}, "REQUEST-INVALID"),
    ],
)
async def test_what_a_camera_cannot_do_is_a_problem_with_a_fix(path: str, body: object, code: str) -> None:
    async with _house() as (http, _):
        answer = await http.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (FAULTS[code].http, code)
        assert answer.json()["fix"] == FAULTS[code].fix


async def test_turning_says_whether_it_moved_or_came_to_the_end() -> None:
    async with _house() as (http, world):

        async def turn(**wanted: object) -> str:
            answer = await http.post("driveway/ptz", json={"direction": "right", **wanted})
            assert answer.status_code == 200, answer.text
            return str(answer.json()["result"])

        assert [await turn() for _ in range(3)] == ["moved", "moved", "limit"]
        async with asyncio.timeout(20):
            while await turn(direction="left", continuous=True, speed=1) == "moved":
                await asyncio.sleep(0.1)  # the simulated motor takes its real time
        assert await turn(direction="left", continuous=True, speed=0) == "limit"
        assert world.facing[1003].pan == -2
        assert {message["code"] for dialog in world.dialogs for message in dialog.messages} == {None}


async def test_a_turning_that_nobody_asks_for_any_more_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    from ringlight.cameras import camera

    monkeypatch.setitem(camera.Camera.keep_turning.__kwdefaults__ or {}, "seconds", 0.1)
    async with _house() as (http, world):
        await http.post("driveway/ptz", json={"direction": "left", "continuous": True, "speed": 0.05})
        async with asyncio.timeout(10):
            while len([one for one in world.dialogs[0].messages if one["method"] == "rpc"]) < 2:
                await asyncio.sleep(0.02)
        assert world.facing.get(1003) is None, "so slow that it had not come a step far"


async def test_a_fresh_still_opens_no_view_and_says_where_it_is_from() -> None:
    async with _house() as (http, world):
        fresh = await http.get("back-yard/snapshot.jpg?fresh=1")
        assert (fresh.headers["x-still-source"], fresh.content[:2], world.live_views) == ("camera", b"\xff\xd8", 0)
        seen = await http.get("back-yard/snapshot.jpg")
        assert (seen.headers["x-still-source"], world.live_views) == ("view", 1)
        world.takes_stills = False
        failed = await http.get("front-door/snapshot.jpg?fresh=1")
        assert (failed.status_code, failed.json()["code"]) == (503, "CAM-SNAPSHOT")


async def test_the_history_comes_in_pages() -> None:
    async with _house() as (http, _):
        first = (await http.get("front-door/history?limit=2")).json()
        assert [event["kind"] for event in first["events"]] == ["ding", "motion"]
        assert first["events"][1] == {
            "id": "7500000000000000002", "kind": "motion", "at": 1770141838.0, "answered": False, "person": True,
            "has_recording": True,
        }  # fmt: skip
        last = (await http.get("front-door/history", params={"limit": 2, "before": first["next"]})).json()
        assert ([event["has_recording"] for event in last["events"]], last["next"]) == ([False], None)
        assert (await http.get("front-door/history?limit=101")).json()["code"] == "REQUEST-INVALID"


async def test_a_recording_is_passed_through_whole_and_in_parts_under_our_own_name() -> None:
    async with _house() as (http, world):
        address = f"front-door/history/{BELL}/recording"
        whole = await http.get(address, headers={"Authorization": "Basic viewer", "Cookie": "viewer=1"})
        assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
        assert whole.headers["accept-ranges"] == "bytes"
        assert whole.content[4:8] == b"ftyp"
        part = await http.get(address, headers={"Range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, b"ftyp")
        assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
        for wanted in ({"Range": "bytes=4-7, 9-9"}, {"Range": "bytes=4-7", "If-Range": '"another"'}):
            assert (await http.get(address, headers=wanted)).content == whole.content
        beyond = await http.get(address, headers={"Range": f"bytes={len(whole.content)}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
        told = {name for headers in world.recording_requests for name in headers}
        assert told & {"authorization", "cookie", "hardware_id", "referer", "origin"} == set()


async def test_an_address_is_used_again_and_fetched_anew_once_it_has_expired() -> None:
    clock = [100.0]
    async with _house(World(now=lambda: clock[0])) as (http, world):
        address = f"front-door/history/{BELL}/recording"
        assert (await http.get(address)).status_code == 200
        assert (await http.get(address)).status_code == 200
        clock[0] += 901
        assert (await http.get(address)).status_code == 200
        assert len(world.recording_requests) == 3


@pytest.mark.parametrize(
    ("event", "code"), [("7500000000000000001", "CAM-RECORDING"), ("12", "CAM-RECORDING"), ("a b", "REQUEST-INVALID")]
)
async def test_an_event_without_a_recording_is_a_problem(event: str, code: str) -> None:
    async with _house() as (http, _):
        answer = await http.get(f"front-door/history/{event}/recording")
        assert (answer.status_code, answer.json()["code"]) == (FAULTS[code].http, code)


async def test_the_description_of_the_api_tells_of_each_of_them() -> None:
    async with _house() as (http, _):
        api = (await http.get(str(http.base_url.copy_with(path="/openapi.json")))).json()
    place = "/api/cameras/{identifier}"
    for path, method in (
        ("light", "post"), ("siren", "post"), ("ptz", "post"), ("history", "get"), ("history/{event}/recording", "get"),
        ("snapshot.jpg", "get"),
    ):  # fmt: skip
        assert len(api["paths"][f"{place}/{path}"][method]["description"]) > 40, path
