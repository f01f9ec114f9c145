"""Three servers, a Redis and a PostgreSQL, each killed in turn while rooms talk and viewers watch. Nothing is lost."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from cluster import HMAC_KEY, WITHIN, Cluster, cluster
from coming_back import ComingBack
from own_postgres import PROGRAMS
from own_redis import PROGRAM
from ringlight.errors import RingError
from ringlight.partner.webhooks import signature_of
from ringlight.simulator.partner.envelope import envelope
from ringlight.store.database import Database
from ringlight.store.inbox import Inbox
from whep_viewer import WhepViewer, viewer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.program,
    pytest.mark.skipif(not (PROGRAM and PROGRAMS), reason="Redis or PostgreSQL is not installed"),
]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


BACK_WITHIN = 5.0  # seconds
CONNECTED_WITHIN = 40.0  # seconds; who connects to a server that is just killed would wait for long
QUIET = 1.5  # seconds without a picture after which a viewer looks whether its server is there


class Watching:
    """A viewer that asks another server as soon as its own is gone, as a page does behind a load balancer.

    Attributes:
        frames: Pictures that came.
        gaps: Seconds without a picture before each further server that it went to.
    """

    def __init__(self, cluster: Cluster, camera: str) -> None:
        self.cluster, self.camera = cluster, camera
        self.frames = 0
        self.gaps: list[float] = []
        self.failures: list[str] = []
        self._last = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Watching":
        self._task = asyncio.create_task(self._run())
        await self.goes_on()
        self.gaps.clear()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})

    async def goes_on(self) -> None:
        """Wait for some more pictures."""
        until = self.frames + 10
        async with asyncio.timeout(WITHIN):
            try:
                while self.frames < until:
                    assert self._task is not None
                    assert not self._task.done(), self._task
                    await asyncio.sleep(0.02)
            except asyncio.CancelledError:
                raise AssertionError(f"no picture of {self.camera}: {self.failures[-5:]}") from None

    async def _run(self) -> None:
        tries = 0
        async with httpx2.AsyncClient(timeout=10) as http:
            while True:
                alive = sorted(self.cluster.nodes)
                tries += 1
                try:
                    await self._watch(http, alive[tries % len(alive)])
                except (httpx2.HTTPError, RingError, AssertionError, OSError) as error:  # there is nobody yet
                    self.failures.append(repr(error)[:300])
                await asyncio.sleep(0.1)

    async def _watch(self, http: httpx2.AsyncClient, name: str) -> None:
        answer = await http.options(f"{self.cluster.address(name)}whep/{self.camera}")
        assert answer.status_code == 204
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout(CONNECTED_WITHIN):
                holder = await self._holder(http, name)
                program, address = self.cluster.nodes.get(holder), self.cluster.address(holder)
                connecting = asyncio.create_task(stack.enter_async_context(viewer(address, self.camera, http)))
                try:
                    while not connecting.done():
                        await asyncio.wait({connecting}, timeout=0.1)
                        if self.cluster.nodes.get(holder) is not program:  # a page asks, and sees it as soon
                            return
                finally:
                    connecting.cancel()
                    await asyncio.wait({connecting})
                playing = connecting.result()
            await self._play(playing)

    async def _play(self, playing: WhepViewer) -> None:
        """Count pictures until there are no more."""
        seen, began = 0, time.monotonic()
        while True:
            count = sum(packet.marker for packet in playing.packets)
            if count > seen:
                if not seen:
                    self.gaps.append(time.monotonic() - self._last)
                self._last = time.monotonic()
                self.frames += count - seen
                seen = count
            if playing.closed.is_set() or time.monotonic() - max(self._last, began) > QUIET:
                return
            await asyncio.sleep(0.02)

    async def _holder(self, http: httpx2.AsyncClient, name: str) -> str:
        """Follow the redirect as a proxy in front would resolve it."""
        there = await http.get(f"{self.cluster.address(name)}api/cameras/{self.camera}")
        return there.headers["location"].split("/")[1].removeprefix("node-") if there.status_code == 307 else name


@contextlib.asynccontextmanager
async def talking(cluster: Cluster) -> AsyncIterator[tuple[ComingBack, ComingBack]]:
    """Two people of a room at whatever servers there are, each saying numbers all the time."""

    def sockets() -> list[str]:
        return [f"{cluster.address(name).replace('http', 'ws', 1)}ws/v2" for name in sorted(cluster.nodes)]

    made = httpx2.post(f"{cluster.address('a')}api/rooms", json={"id": "visit", "lobby": False}, timeout=WITHIN)
    assert made.status_code == 201, made.text  # and what happens in it is written down
    async with (
        ComingBack(sockets, room="visit", role="doctor") as one,
        ComingBack(lambda: sockets()[::-1], room="visit", role="doctor") as other,
    ):
        await one.until(lambda: bool(one.others))
        saying = [asyncio.create_task(say(*pair)) for pair in ((one, "one"), (other, "other"))]
        try:
            yield one, other
        finally:
            for task in saying:
                task.cancel()
            await asyncio.wait(saying)


class Ring:
    """Sends a webhook each third of a second, to two servers at once, and again until one has taken it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.sent = 0
        self._sending: list[asyncio.Task[None]] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Ring":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        for task in self._sending:
            task.cancel()
        await asyncio.wait({self._task, *self._sending})

    async def taken(self) -> None:
        """Send no more, and wait until all are taken."""
        assert self._task is not None
        self._task.cancel()
        async with asyncio.timeout(WITHIN):
            await asyncio.gather(*self._sending)

    async def _run(self) -> None:
        while True:
            self.sent += 1
            self._sending.append(asyncio.create_task(self._deliver(f"event-{self.sent}")))
            await asyncio.sleep(0.3)

    async def _deliver(self, name: str) -> None:
        body = envelope("motion_detected", request_id=name, account="ada", device=f"d{len(name)}", at_ns=time.time_ns())
        headers = {"Content-Type": "application/json", "X-Signature": signature_of(body, HMAC_KEY)}
        async with httpx2.AsyncClient(timeout=10) as http:
            while True:
                both = random.sample(sorted(self.cluster.nodes), 2)
                answers = await asyncio.gather(
                    *(
                        http.post(f"{self.cluster.address(one)}ring/webhook", content=body, headers=headers)
                        for one in both
                    ),
                    return_exceptions=True,
                )
                if any(isinstance(answer, httpx2.Response) and answer.status_code == 200 for answer in answers):
                    return
                await asyncio.sleep(0.5)


SAID = {"one": 0, "other": 0}


async def say(person: ComingBack, name: str) -> None:
    while True:
        await person.say(f"{name} {SAID[name]}")
        SAID[name] += 1
        await asyncio.sleep(0.1)


async def told(cluster: Cluster, key: str, word: str) -> None:
    """Wait until every server says this of Redis or the record at `/ready`."""
    async with asyncio.timeout(WITHIN), httpx2.AsyncClient(timeout=10) as http:
        for name in cluster.nodes:
            while (await http.get(f"{cluster.address(name)}ready")).json()[key] != word:
                await asyncio.sleep(0.05)


async def heard(person: ComingBack, name: str) -> None:
    """Wait until all was heard that was said so far: each number once, in order."""
    count = SAID[name]
    await person.until(lambda: len(person.heard) >= count)
    assert person.heard[:count] == [f"{name} {number}" for number in range(count)]


@pytest.mark.long
async def test_each_part_is_killed_in_turn_and_nothing_is_lost(started: Cluster) -> None:
    async with (
        Watching(started, "front-door") as door,
        Watching(started, "back-yard") as yard,
        talking(started) as room,
        Ring(started) as ring,
    ):
        one, other = room

        for name in started.ports:  # each server: the holder of one of the cameras among them
            started.kill(name)
            await door.goes_on()
            await yard.goes_on()
            await heard(one, "other")
            await heard(other, "one")
            await asyncio.to_thread(started.start, name)
        assert door.gaps + yard.gaps, "nobody who was killed held a camera"
        worst = max(door.gaps + yard.gaps)
        print(f"pictures were away for {worst:.1f} s at most")  # noqa: T201
        assert worst < BACK_WITHIN * started.slowness

        sessions = await asyncio.to_thread(started.live_views)
        started.redis.kill()
        await told(started, "redis", "away")
        await one.until(lambda: one.notices[-1:] == [True])
        await door.goes_on()
        await yard.goes_on()
        await asyncio.to_thread(started.redis.start)
        await told(started, "redis", "ok")
        await one.until(lambda: one.notices[-1:] == [False])
        await other.until(lambda: other.notices[-1:] == [False])
        await heard(one, "other")
        await heard(other, "one")
        assert await asyncio.to_thread(started.live_views) == sessions, "pictures need no Redis"

        started.postgres.kill()
        async with ComingBack(lambda: [door_of(started)], room="visit", role="doctor") as third:
            await told(started, "database", "away")
            await told_once(started, "record", "behind")
            await door.goes_on()
            await heard(one, "other")
            await asyncio.to_thread(started.postgres.start)
            await told(started, "record", "ok")
            await told(started, "database", "ok")
            assert third.names
        await heard(one, "other")
        await heard(other, "one")
        await door.goes_on()
        await yard.goes_on()
        assert await asyncio.to_thread(started.live_views) == sessions, "pictures need no database"
        assert len(set(one.names)) == len(set(other.names)) == 1, "everybody keeps their name"
        await ring.taken()
        await all_handled(started, ring.sent)


def door_of(cluster: Cluster) -> str:
    return f"{cluster.address(min(cluster.nodes)).replace('http', 'ws', 1)}ws/v2"


async def all_handled(cluster: Cluster, count: int) -> None:
    """Wait until every webhook is handled; each has one row, however often it came."""
    database = Database(cluster.shared["RINGLIGHT_DATABASE_URL"])
    async with asyncio.timeout(WITHIN):
        while await asyncio.to_thread(Inbox(database).counts) != {"done": count}:
            await asyncio.sleep(0.1)
    await asyncio.to_thread(database.close)


async def told_once(cluster: Cluster, key: str, word: str) -> None:
    """Wait until one of the servers says so."""
    async with asyncio.timeout(WITHIN), httpx2.AsyncClient(timeout=10) as http:
        while True:
            for name in cluster.nodes:
                if (await http.get(f"{cluster.address(name)}ready")).json()[key] == word:
                    return
            await asyncio.sleep(0.05)
