"""A camera published to a media server that decodes it: from the first packet to the last, and after a break."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.responses import Response

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.http.serving import listen
from ringlight.publishing import policy
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import CameraSettings, ServerSettings, Settings, load_settings
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator
from whip_server import TOKEN, Taken, WhipServer, whip_server

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def house(
    world: World | None = None, *, camera: str = "front-door", renewal: str = "auto", **more: Any
) -> AsyncIterator[tuple[httpx2.AsyncClient, World]]:
    """A simulated Ring and the server, which publishes one camera."""
    async with simulator(world) as ring:
        one = {"publish_token": TOKEN, **more}
        cameras = CameraSettings.model_validate({"linger": 0.2, "renewal": renewal, camera: one})
        settings = Settings(ring_url=ring.url, server=ServerSettings(port=0), cameras=cameras)
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account) as serving,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{serving.port}/", timeout=20) as http,
        ):
            yield http, ring.world


async def publication(http: httpx2.AsyncClient, state: str, camera: str = "front-door") -> dict[str, Any]:
    """Wait until the camera's publication is in a state; return it."""
    seen = None
    async with asyncio.timeout(15):
        while seen is None or seen["state"] != state:
            await asyncio.sleep(0.02)
            seen = (await http.get(f"api/cameras/{camera}")).json()["publication"]
    return dict(seen)


async def shown(server: WhipServer, number: int, frames: int = 10) -> Taken:
    """Wait until the server has decoded so many pictures of a publication."""
    async with asyncio.timeout(15):
        while len(server.taken) <= number or server.taken[number].frames["video"] < frames:
            await asyncio.sleep(0.02)
    return server.taken[number]


@pytest.mark.parametrize(
    ("camera", "more"),
    [("front-door", {}), ("back-yard", {"publish_on_battery": True})],
    ids=["high", "baseline"],
)
async def test_a_published_camera_is_decoded_by_the_media_server(camera: str, more: dict[str, Any]) -> None:
    """Of every profile: a server that knows constrained baseline alone gets the others under it."""
    async with whip_server() as server:
        async with house(camera=camera, publish=f"{server.url}whip", **more) as (http, world):
            taken = await shown(server, 0, 20)
            assert (await publication(http, "live", camera))["fault"] is None
            assert taken.size == (640, 360)
            assert taken.frames["audio"] > 20
            assert await taken.lost() == 0
            assert world.live_views == 1
            assert not taken.ended
        assert taken.ended, "it took its leave"
        assert server.asked == [("POST", "/whip", TOKEN), ("DELETE", "/session/0", TOKEN)]


async def test_it_comes_back_when_the_media_server_hung_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(policy, "FIRST_PAUSE", 0.2)
    caplog.set_level(logging.INFO, "ringlight.publishing")
    async with whip_server() as server, house(publish=f"{server.url}whip") as (http, world):
        first = await shown(server, 0)
        await first.connection.close()
        await shown(server, 1)
        assert (await publication(http, "live"))["fault"] is None
        assert world.live_views == 1, "the camera's view went on"
    said = [record.getMessage() for record in caplog.records if record.name == "ringlight.publishing"]
    assert any("is waiting: PUBLISH-LOST (it said goodbye)" in line for line in said)


@pytest.mark.parametrize(
    ("status", "code", "wait"),
    [
        (401, "PUBLISH-TOKEN", policy.LOOK_AGAIN),
        (404, "PUBLISH-GONE", policy.LOOK_AGAIN),
        (500, "PUBLISH-BUSY", 40.0),
        (503, "PUBLISH-BUSY", 40.0),
    ],
)
async def test_a_server_that_refuses_is_told_of_and_left_alone(status: int, code: str, wait: float) -> None:
    async with whip_server() as server:
        server.refuse = lambda _: Response("no", status, {"Retry-After": "40"})
        async with house(publish=f"{server.url}whip") as (http, _):
            told = await publication(http, "waiting")
            listed = (await http.get("api/publications")).json()["publications"]
        assert told["fault"]["code"] == code
        assert f"HTTP {status}" in told["fault"]["detail"]
        assert told["retry_in"] > wait - 15
        assert len(server.asked) == 1
        assert [(one["camera"], one["state"]) for one in listed] == [("front-door", "waiting")]


async def test_no_camera_is_woken_for_a_server_that_is_not_there() -> None:
    taken = listen("127.0.0.1", 0)
    nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/whip"
    taken.close()
    async with house(publish=nobody) as (http, world):
        assert (await publication(http, "waiting"))["fault"]["code"] == "NET-UNREACHABLE"
        assert world.live_views == 0


async def test_a_view_that_may_not_go_on_ends_the_publication() -> None:
    """To open it anew would be a renewal by another name."""
    async with (
        whip_server() as server,
        house(World(time_limit=1.5), renewal="never", publish=f"{server.url}whip") as (http, world),
    ):
        told = await publication(http, "off")
        assert told["fault"]["code"] == "SIG-TIME-LIMIT"
        assert world.live_views == 1


async def test_a_camera_on_battery_is_published_only_when_that_is_said() -> None:
    async with whip_server() as server, house(camera="back-yard", publish=f"{server.url}whip") as (http, world):
        told = await publication(http, "off", "back-yard")
        assert told["fault"]["code"] == "PUBLISH-BATTERY"
        assert told["retry_in"] is None
        assert server.asked == []
        assert world.live_views == 0


async def test_a_redirect_is_followed_and_the_token_stays_at_its_origin() -> None:
    async with whip_server() as server, whip_server() as other:
        server.refuse = lambda request: (
            Response(status_code=307, headers={"Location": "/elsewhere"})
            if request.url.path == "/whip"
            else Response(status_code=308, headers={"Location": f"{other.url}whip"})
        )
        async with house(publish=f"{server.url}whip"):
            await shown(other, 0)
        assert server.asked == [("POST", "/whip", TOKEN), ("POST", "/elsewhere", TOKEN)]
        assert other.asked == [("POST", "/whip", None), ("DELETE", "/session/0", None)]


def test_the_settings_on_the_page_that_explains_it_are_valid(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "publish-to-an-sfu.md"
    blocks = re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    file = tmp_path / "ringlight.toml"
    file.write_text("\n".join(blocks), encoding="utf-8")
    cameras = load_settings(file).cameras.single
    assert {name: one.publish_on_battery for name, one in cameras.items()} == {"front-door": False, "back-yard": True}


async def test_neither_token_nor_path_is_shown_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With some services the address itself is the key."""
    caplog.set_level(logging.DEBUG)
    secret = "S3CRET-K3Y"
    async with whip_server() as server:
        server.refuse = lambda _: Response(f"{secret} {TOKEN}", 401)
        async with house(publish=f"{server.url}elsewhere?key={secret}") as (http, _):
            told = await publication(http, "waiting")
        assert [token for _, _, token in server.asked] == [TOKEN]
        text = "\n".join(record.getMessage() for record in caplog.records) + str(told)
    ours = [line for line in text.splitlines() if "uvicorn" not in line]
    for mark in (secret, TOKEN, "elsewhere"):
        assert not [line for line in ours if mark in line]
