"""Who is let in, by what they show: keys for others over real HTTP, and what becomes of those who guess."""

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.datastructures import Headers

from ringlight.errors import UsageError
from ringlight.secrets import Secret
from ringlight.server.entrance import NOTED_EVERY, WRONG_KEYS, Entrance
from ringlight.server.fresh_rows import FRESH
from ringlight.server.passes import Passes
from ringlight.server.program import run_server
from ringlight.server.scopes import OWNER, Holder
from ringlight.settings import ServerSettings, Settings
from ringlight.store.camera_link_rows import CameraLinkRows
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, KeyRows, hash_of_key
from room_house import house

pytestmark = pytest.mark.anyio
OWN = "the owner's own key, long and random"
KEY = "rlk_" + "k" * 43
PASSES = Passes(Secret(OWN))
FRONT = KeptKey("a1", "nan", hash_of_key(Secret(KEY)), ("view",), ("front-door",), 0.0)


@contextlib.contextmanager
def kept(tmp_path: Path, *keys: KeptKey) -> Iterator[KeyRows]:
    database = Database(f"sqlite:///{tmp_path / 'ringlight.db'}")
    rows = KeyRows(database)
    for key in keys:
        assert rows.add(key)
    with contextlib.closing(database):
        yield rows


class Clock:
    """Virtual time."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def entrance_of(rows: KeyRows, clock: Clock, steady: Clock | None = None) -> Entrance:
    links = CameraLinkRows(rows.database)
    return Entrance(Secret(OWN), rows, PASSES, links=links, clock=clock, steady=steady or clock)


def bearer(key: str) -> Headers:
    return Headers({"Authorization": f"Bearer {key}"})


async def test_a_key_is_what_it_was_made_for_until_it_ends(tmp_path: Path) -> None:
    clock = Clock()
    with kept(tmp_path, KeptKey("a1", "nan", FRONT.hash, ("talk", "view"), ("front-door",), 0.0, 2000.0)) as rows:
        entrance = entrance_of(rows, clock)
        holder = await entrance.holder(bearer(KEY), "10.0.0.1")
        assert holder is not None
        assert holder == Holder("key:a1", frozenset({"view", "talk"}), frozenset({"front-door"}))
        clock.now = 2000.0
        with pytest.raises(UsageError, match="KEY-EXPIRED"):
            await entrance.holder(bearer(KEY), "10.0.0.1")


async def test_its_last_use_is_noted_once_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    with kept(tmp_path, FRONT) as rows:
        entrance = entrance_of(rows, clock)
        noted = list[float | None]()
        for clock.now in (1000.0, 1000.0 + NOTED_EVERY / 2, 1000.0 + NOTED_EVERY):
            await entrance.holder(bearer(KEY), "10.0.0.1")
            noted.append(rows.all()[0].used_at)
        assert noted == [1000.0, 1000.0, 1000.0 + NOTED_EVERY]


async def test_a_revoked_key_ends_within_seconds(tmp_path: Path) -> None:
    clock = Clock()
    with kept(tmp_path, FRONT) as rows:
        entrance = entrance_of(rows, clock)
        assert await entrance.holder(bearer(KEY), "10.0.0.1") is not None
        rows.revoke("nan")
        clock.now += FRESH
        assert await entrance.holder(bearer(KEY), "10.0.0.1") is None


async def test_a_key_that_was_seen_to_be_revoked_is_over_by_whatever_it_is_known(tmp_path: Path) -> None:
    """Or what they watch would end, and the next request would still be let in for a moment."""
    clock = Clock()
    with kept(tmp_path, FRONT) as rows:
        entrance = entrance_of(rows, clock)
        holder = await entrance.holder(bearer(KEY), "10.0.0.1")
        assert holder is not None
        assert await entrance.still(holder) == holder
        clock.now += FRESH / 2
        assert await entrance.holder(bearer(KEY), "10.0.0.1") == holder
        rows.revoke("nan")
        clock.now += FRESH / 2
        with pytest.raises(UsageError, match="KEY-REVOKED"):
            await entrance.still(holder)
        assert await entrance.holder(bearer(KEY), "10.0.0.1") is None


async def test_whoever_guesses_waits_and_nobody_else_does(tmp_path: Path) -> None:
    clock = Clock()
    most, within = WRONG_KEYS
    with kept(tmp_path, FRONT) as rows:
        entrance = entrance_of(rows, clock)
        for number in range(most):
            assert await entrance.holder(bearer(f"guess {number}"), "10.0.0.1") is None
        for guess in ("one more", OWN, "rlk_nonsense"):
            with pytest.raises(UsageError, match="KEY-TRIES") as refused:
                await entrance.holder(bearer(guess), "10.0.0.1")
            assert refused.value.retry_after == within
        assert await entrance.holder(bearer(OWN), "10.0.0.2") == OWNER
        assert await entrance.holder(bearer(KEY), "10.0.0.1") is not None, "chance is not guessed: it is not held up"
        assert await entrance.holder(Headers({}), "10.0.0.1") is None
        clock.now += within
        assert await entrance.holder(bearer(OWN), "10.0.0.1") == OWNER


@pytest.mark.parametrize("jump", [86_400.0, 3600.0, -3600.0, -86_400.0])
async def test_whoever_guesses_waits_neither_less_nor_longer_where_the_clock_is_set(
    tmp_path: Path, jump: float
) -> None:
    clock, steady = Clock(), Clock()
    most, within = WRONG_KEYS
    with kept(tmp_path) as rows:
        entrance = entrance_of(rows, clock, steady)
        for number in range(most):
            await entrance.holder(bearer(f"guess {number}"), "10.0.0.1")
        clock.now += jump
        with pytest.raises(UsageError, match="KEY-TRIES") as refused:
            await entrance.holder(bearer(OWN), "10.0.0.1")
        assert refused.value.retry_after == within
        steady.now += within
        assert await entrance.holder(bearer(OWN), "10.0.0.1") == OWNER


@contextlib.asynccontextmanager
async def served(tmp_path: Path) -> AsyncIterator[tuple[httpx2.AsyncClient, httpx2.AsyncClient]]:
    """A server without cameras that others reach, and two clients for it, each with an address of its own."""
    settings = Settings(state_dir=tmp_path, secret_key=Secret(OWN), server=ServerSettings(host="0.0.0.0", port=0))
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(run_server(settings))
        first, second = [
            await stack.enter_async_context(
                httpx2.AsyncClient(
                    base_url=f"http://127.0.0.1:{running.port}/", timeout=20,
                    transport=httpx2.AsyncHTTPTransport(local_address=address),
                )
            )
            for address in ("127.0.0.1", "127.0.0.2")
        ]  # fmt: skip
        yield first, second


async def test_over_http_a_guesser_is_told_to_wait_and_others_are_not_disturbed(tmp_path: Path) -> None:
    async with served(tmp_path) as (guesser, other):
        codes = [
            (await guesser.get("api/about", headers={"Authorization": f"Bearer wrong {number}"})).status_code
            for number in range(WRONG_KEYS[0] + 1)
        ]
        assert codes == [401] * WRONG_KEYS[0] + [429]
        held = await guesser.get("api/about", headers={"Authorization": f"Bearer {OWN}"})
        assert held.json()["code"] == "KEY-TRIES"
        assert 0 < int(held.headers["retry-after"]) <= WRONG_KEYS[1]
        assert (await guesser.get("health")).status_code == 200
        right = await other.get("api/about", headers={"Authorization": f"Bearer {OWN}"})
        assert right.json()["scopes"] == ["view", "talk", "control", "rooms", "admin"]


async def test_a_key_for_one_camera_over_http(tmp_path: Path) -> None:
    with kept(tmp_path, FRONT) as rows:
        async with house(tmp_path, key=OWN) as (http, _):
            http.headers["Authorization"] = "Basic " + base64.b64encode(f"nan:{KEY}".encode()).decode()
            listed = await http.get("api/cameras")
            assert [camera["id"] for camera in listed.json()["cameras"]] == ["front-door"]
            assert (await http.get("api/cameras/front-door")).status_code == 200
            refused = {
                path: (await http.request(method, path, json={})).json()["code"]
                for method, path in [
                    ("GET", "api/cameras/back-yard"), ("GET", "api/cameras/back-yard/snapshot.jpg"),
                    ("POST", "whep/back-yard"), ("POST", "api/cameras/front-door/siren"), ("POST", "api/rooms"),
                    ("GET", "api/doctor"), ("GET", "metrics"), ("GET", "docs"),
                ]
            }  # fmt: skip
            assert refused == {
                "api/cameras/back-yard": "KEY-CAMERA", "api/cameras/back-yard/snapshot.jpg": "KEY-CAMERA",
                "whep/back-yard": "KEY-CAMERA", "api/cameras/front-door/siren": "KEY-SCOPE", "api/rooms": "KEY-SCOPE",
                "api/doctor": "KEY-SCOPE", "metrics": "KEY-CAMERA", "docs": "KEY-CAMERA",
            }  # fmt: skip
            used = (await asyncio.to_thread(rows.all))[0].used_at
            assert used is not None
            assert abs(used - time.time()) < 60


async def test_a_key_for_rooms_cannot_show_a_camera_to_others(tmp_path: Path) -> None:
    with kept(tmp_path, KeptKey("a1", "nan", FRONT.hash, ("rooms",), None, 0.0)):
        async with house(tmp_path, key=OWN) as (http, _):
            http.headers["Authorization"] = f"Bearer {KEY}"
            assert (await http.post("api/rooms", json={"id": "desk"})).status_code == 201
            wanted = {"id": "other", "cameras": ["front-door"]}
            assert (await http.post("api/rooms", json=wanted)).json()["code"] == "KEY-SCOPE"
            added = await http.post("api/rooms/desk/cameras", json={"camera": "front-door"})
            assert added.json()["code"] == "KEY-SCOPE"
