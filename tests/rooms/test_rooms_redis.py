"""Rooms over a real Redis: two servers of one program, and Redis killed, hung and started again."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect

from own_redis import PROGRAM, OwnRedis
from ringlight.http.serving import listen, serving
from ringlight.rooms.fast import FastRooms
from ringlight.rooms.opening import open_shared_rooms
from ringlight.rooms.porter import Porter
from ringlight.secrets import Secret
from ringlight.settings import RoomSettings, Settings

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed")]


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


@contextlib.asynccontextmanager
async def node(redis: OwnRedis) -> AsyncIterator[tuple[str, Porter]]:
    """A server of rooms; gives the address of its sockets."""
    settings = Settings(redis_url=redis.url, secret_key=Secret("k" * 32), rooms=RoomSettings(grace=60))
    porter = open_shared_rooms(settings, any_loopback_origin=True)
    async with (
        porter.running(),
        serving(FastAPI(), listen("127.0.0.1", 0), sockets=FastRooms(porter)) as running,
    ):
        yield f"ws://127.0.0.1:{running.port}/ws/v2", porter
        porter.drain()


@contextlib.asynccontextmanager
async def page(url: str, **hello: Any) -> AsyncIterator[ClientConnection]:
    async with connect(url, proxy=None) as web:
        await web.send(json.dumps({"t": "hello", "v": 2, "room": "visit", "role": "doctor", **hello}))
        yield web


async def hear(web: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next frame of a kind."""
    async with asyncio.timeout(30):
        while True:
            frame: dict[str, Any] = json.loads(await web.recv())
            if frame["t"] == kind:
                return frame


async def test_a_clock_of_redis_that_is_set_back_stops_no_room_and_keeps_nobody_who_is_dead(redis: OwnRedis) -> None:
    """As after an hour back: what a room remembers of the time is of the future, and so is a node that died before."""
    async with node(redis) as (url, _), page(url) as web:
        await hear(web, "roster")
        with redis.client() as client:
            (head,) = client.keys("ringlight:*:head")
            (nodes,) = client.keys("ringlight:*:present")
            later = int(time.time() * 1000) + 3_600_000
            client.hset(head, mapping={"ms": later, "clock": later})
            client.zadd(nodes, {"999:1": later})
            times = [later]
            for rid in range(1, 4):
                await say(web, rid, f"{rid}")
                await hear(web, "ok")
                await asyncio.sleep(0.1)
                times.append(int(client.hget(head, "ms") or 0))
            passed = times[3] - times[1]
            assert times[1] == later, "it never goes back"
            assert 50 < passed < 0.6 * (time.time() * 1000 - later + 3_600_000), "and goes on, more slowly"
            async with asyncio.timeout(30):
                while client.zscore(nodes, "999:1") is not None:
                    await asyncio.sleep(0.05)


async def say(web: ClientConnection, rid: int, text: str) -> None:
    await web.send(json.dumps({"t": "chat", "rid": rid, "text": text}))


async def test_people_of_two_servers_are_in_one_room(redis: OwnRedis) -> None:
    async with node(redis) as (one, porter), node(redis) as (two, other_porter):
        made = await porter.make("visit", lobby=False, cameras={"front-door": "Front Door"})
        assert (await other_porter.find("visit")).cameras == made.cameras
        async with page(one) as first:
            await hear(first, "roster")
            async with page(two) as second:
                roster = await hear(second, "roster")
                assert [person["id"] for person in roster["people"]][-1] == "c_front-door"
                joined = await hear(first, "joined")
                await say(second, 1, "hello")
                told = await hear(first, "chat")
                assert (told["text"], told["from"]) == ("hello", joined["person"]["id"])
                assert (await hear(second, "ok"))["rid"] == 1
                await second.send('{"t":"bye"}')
                assert (await hear(first, "left"))["reason"] == "left"


async def test_redis_dies_and_comes_back_empty(redis: OwnRedis) -> None:
    async with node(redis) as (one, _), node(redis) as (two, _), page(one) as first, page(two) as second:
        await hear(first, "roster")
        await hear(second, "roster")
        await say(first, 1, "before")
        assert (await hear(second, "chat"))["text"] == "before"
        redis.kill()
        assert (await hear(first, "notice"))["on"] is True
        assert (await hear(second, "notice"))["code"] == "ROOM-ALONE"
        await say(first, 2, "said in between")
        await hear(first, "ok")
        redis.start()
        assert (await hear(second, "chat"))["text"] == "said in between"
        assert (await hear(first, "notice"))["on"] is False
        await say(second, 1, "and back")
        assert (await hear(first, "chat"))["text"] == "and back"


async def test_redis_that_hangs_is_not_waited_for(redis: OwnRedis) -> None:
    async with node(redis) as (one, _), page(one) as first:
        await hear(first, "roster")
        redis.stop()
        assert (await hear(first, "notice"))["on"] is True
        await say(first, 1, "to nobody")
        await hear(first, "ok")
        redis.go_on()
        assert (await hear(first, "notice"))["on"] is False


async def test_a_server_starts_without_redis_and_joins_later(redis: OwnRedis) -> None:
    redis.kill()
    async with node(redis) as (one, porter), page(one) as first:
        assert (await hear(first, "notice"))["on"] is True
        redis.start()
        assert (await hear(first, "notice"))["on"] is False
        async with node(redis) as (two, _), page(two):
            await hear(first, "joined")
        assert "visit" in porter.house.rooms


async def test_a_page_goes_on_at_another_server_when_its_own_stops(redis: OwnRedis) -> None:
    async with node(redis) as (two, _), page(two) as second:
        await hear(second, "roster")
        async with node(redis) as (one, _), page(one) as first:
            welcome, roster = await hear(first, "welcome"), await hear(first, "roster")
            await hear(second, "joined")
        assert (await hear(second, "left"))["grace_s"] > 0
        await say(second, 1, "while you were away")
        async with page(two, session=welcome["session"], resume=welcome["resume"], seq=roster["seq"]) as again:
            assert (await hear(again, "welcome"))["resumed"] is True
            assert (await hear(again, "chat"))["text"] == "while you were away"
            assert (await hear(second, "back"))["id"] == welcome["session"]


async def test_a_server_sees_which_others_had_redis_while_it_had_not(redis: OwnRedis) -> None:
    """By their signs of life: the same connection as before, and a sign that was given since."""
    with redis.client() as client:
        async with node(redis) as (_, porter):
            known = {one["id"] for one in client.client_list()}
            async with node(redis) as (two, other), page(two) as second:
                await hear(second, "roster")
                for _ in range(2):
                    for one in client.client_list():
                        if one["id"] not in known:
                            client.client_kill_filter(_id=one["id"])
                    assert [(await hear(second, "notice"))["on"] for _ in range(2)] == [True, False]
                    async with asyncio.timeout(30):
                        while porter.house.node not in other.house._steady:  # type: ignore[attr-defined]
                            await asyncio.sleep(0.1)
                assert not porter.house._steady  # type: ignore[attr-defined]
