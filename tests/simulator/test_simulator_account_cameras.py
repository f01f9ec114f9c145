"""Device lists, light, siren, still pictures, history and recordings of the simulated Ring."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import pytest

from ringlight.account import AccountClient, Credentials, Device, Online, Power
from ringlight.errors import RingError
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request
from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.simulator.world import CAMERAS, MORE_CAMERAS, Delays, World
from ringlight.store import MemoryTokenStore
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio

KNOWN = Credentials("ada@ringlight.test", Secret("ringlight"), "123456")


@asynccontextmanager
async def _account(world: World | None = None) -> AsyncIterator[tuple[AccountClient, SimulatedRing]]:
    async with simulator(world) as ring:
        settings = Settings(ring_url=ring.url)
        async with AccountClient.open(settings, store=MemoryTokenStore(), credentials=KNOWN) as account:
            yield account, ring


@pytest.mark.parametrize("has_ring_devices", [True, False])
async def test_a_long_list_is_the_same_in_both_forms(has_ring_devices: bool) -> None:
    world = World(cameras=CAMERAS + MORE_CAMERAS, has_ring_devices=has_ring_devices)
    async with _account(world) as (account, _):
        found = {camera.name: camera for camera in await account.devices()}
    assert len(found) == 8
    assert {name: camera.refusal for name, camera in found.items() if camera.refusal} == {
        "Nursery": "CAM-PRIVACY", "Garage": "CAM-VIDEO-OFF",
    }  # fmt: skip
    assert [name for name, camera in found.items() if camera.shared] == ["Neighbours"]
    gate, attic, yard = found["Gate"], found["Attic"], found["Back Yard"]
    assert (gate.power, gate.battery_percent) == (Power.WIRED, None)
    assert (yard.power, yard.battery_percent) == (Power.BATTERY, 87)
    assert (attic.kind, attic.model, attic.state) == ("cam_of_tomorrow", "Cam of tomorrow", Online.ONLINE)


@pytest.mark.parametrize(("switch", "code"), [("privacy-cover", "CAM-PRIVACY"), ("video-off", "CAM-VIDEO-OFF")])
async def test_the_switches_close_covers_and_switch_video_off(switch: str, code: str) -> None:
    async with _account() as (account, ring):
        assert {camera.refusal for camera in await account.devices()} == {None}
        ring.world.switch([switch])
        assert {camera.refusal for camera in await account.devices()} == {code}


async def _shown(ring: SimulatedRing, number: int) -> dict[str, object]:
    async with AsyncDriver(base_url=ring.url) as driver:
        listed = (await driver.send(Request("GET", "https://h/_sim/cameras"))).json()
    assert isinstance(listed, dict)
    return next(camera for camera in listed["cameras"] if camera["id"] == number)


async def test_light_and_siren_show_in_the_controls() -> None:
    clock = [100.0]
    async with _account(World(now=lambda: clock[0])) as (account, ring):
        driveway = await account.device("Driveway")
        await account.set_light(driveway, True)
        await account.set_siren(driveway, True, seconds=20)
        shown = await _shown(ring, 1003)
        assert (shown["led_status"], shown["siren_status"]) == ("on", {"seconds_remaining": 20})
        clock[0] += 15
        assert (await _shown(ring, 1003))["siren_status"] == {"seconds_remaining": 5}
        await account.set_light(driveway, False)
        await account.set_siren(driveway, False)
        shown = await _shown(ring, 1003)
        assert (shown["led_status"], shown["siren_status"]) == ("off", {"seconds_remaining": 0})


async def _code(work: object) -> str:
    with pytest.raises(RingError) as caught:
        await work  # type: ignore[misc]
    return caught.value.code


async def test_a_camera_without_a_light_says_so_before_and_behind_the_wire() -> None:
    async with _account() as (account, _):
        door = await account.device("Front Door")
        assert await _code(account.set_light(door, True)) == "CAM-UNABLE"
        forced = Device(**{name: getattr(door, name) for name in Device.__dataclass_fields__} | {"has_light": True})
        assert await _code(account.set_light(forced, True)) == "CAM-GONE"


@pytest.mark.parametrize("path", ["floodlight_light_on", "siren_on"])
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Content-Type: application/octet-stream\r\n", b" 422 "),
        ("Content-Type: application/json\r\n", b" 200 "),
        ("", b" 200 "),
    ],
    ids=["bytes", "json", "nothing"],
)
async def test_a_put_that_is_said_to_be_no_json_is_refused(path: str, kind: str, status: bytes) -> None:
    """python-ring-doorbell was refused until it said JSON; it sends no body, and ring-client-api not even a type."""
    import asyncio

    async with simulator() as ring:
        token = ring.world.tokens.grant()["access_token"]
        host, _, port = ring.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"PUT /clients_api/doorbots/1003/{path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n"
        writer.write(f"{head}{kind}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        assert status in await reader.readline()
        writer.close()


async def test_a_fresh_picture_is_a_jpeg_of_the_camera() -> None:
    async with _account() as (account, _):
        picture = await account.fresh_snapshot(await account.device("Front Door"))
    with av.open(io.BytesIO(picture), "r") as file:
        (frame,) = list(file.decode(video=0))
    assert (frame.width, frame.height) == (640, 360)


@pytest.mark.parametrize("world", [World(takes_stills=False), World(delays=Delays(still=11.0))])
async def test_a_camera_that_takes_no_picture_in_time_is_a_fault(world: World) -> None:
    async with _account(world) as (account, _):
        assert await _code(account.fresh_snapshot(await account.device("Front Door"))) == "CAM-SNAPSHOT"


async def test_history_and_recordings() -> None:
    async with _account() as (account, _):
        door = await account.device("Front Door")
        events = await account.events(door)
        assert [(event.kind, event.has_recording) for event in events] == [
            ("ding", True), ("motion", True), ("on_demand", False),
        ]  # fmt: skip
        assert len(await account.events(door, limit=2)) == 2
        assert events[0].at is not None
        film = await account.recording(events[0])
        assert await _code(account.recording_url(events[2])) == "CAM-RECORDING"
        url = await account.recording_url(events[1])
        assert repr(url) == "Secret(...)"
        assert await account.events(await account.device("Back Yard")) == []
    with av.open(io.BytesIO(film), "r") as file:
        frames = list(file.decode(video=0))
    assert (len(frames), frames[0].width) == (30, 640)


async def test_the_address_of_a_recording_expires_and_works_only_with_its_signature() -> None:
    clock = [100.0]
    world = World(now=lambda: clock[0])
    async with _account(world) as (account, ring), AsyncDriver(base_url=ring.url) as driver:
        (event,) = await account.events(await account.device("Driveway"))
        url = (await account.recording_url(event)).reveal()
        assert (await driver.send(Request("GET", url.partition("?")[0]))).status == 403
        assert (await driver.send(Request("GET", url))).status == 200
        clock[0] += 901
        assert (await driver.send(Request("GET", url))).status == 403


async def test_a_recording_is_sent_in_parts_to_who_asks_for_them() -> None:
    async with _account() as (account, ring), AsyncDriver(base_url=ring.url) as driver:
        (event,) = await account.events(await account.device("Driveway"))
        url = (await account.recording_url(event)).reveal()
        whole = await driver.send(Request("GET", url))

        async def part(span: str, **more: str) -> tuple[int, bytes]:
            answer = await driver.send(Request("GET", url, headers={"Range": span, **more}))
            return answer.status, answer.body

        assert await part("bytes=10-19") == (206, whole.body[10:20])
        assert await part("bytes=10-", **{"If-Range": whole.headers["etag"]}) == (206, whole.body[10:])
        assert await part("bytes=10-", **{"If-Range": '"other"'}) == (200, whole.body)
        assert await part(f"bytes={len(whole.body)}-") == (416, b"")


async def test_the_history_goes_on_before_an_event() -> None:
    async with _account() as (account, _):
        door = await account.device("Front Door")
        (first,) = await account.events(door, limit=1)
        later = await account.events(door, before=first.id)
        assert [event.kind for event in later] == ["motion", "on_demand"]
        assert [event.person for event in (first, *later)] == [False, True, False]
        assert await account.events(door, before=later[-1].id) == []


@pytest.mark.parametrize(
    "path", ["doorbots/9/history", "doorbots/1003/floodlight_light_blink", "dings/1/share/play", "doorbots/9/siren_on"]
)
async def test_what_there_is_not_is_404(path: str) -> None:
    async with simulator() as ring, AsyncDriver(base_url=ring.url) as driver:
        bearer = Secret(str(ring.world.tokens.grant()["access_token"]))
        method = "PUT" if "_" in path else "GET"
        answer = await driver.send(Request(method, f"https://h/clients_api/{path}", bearer=bearer))
        assert answer.status == 404
        assert (await driver.send(Request(method, f"https://h/clients_api/{path}"))).status == 401
