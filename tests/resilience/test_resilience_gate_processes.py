"""Processes that share a gate over a real Redis, on the real clock: in no second do they make more calls than allowed.

A process may be held up between its turn and its note of it. So what counts are calls of which it is certain that
their turn was given within the second: asked after its beginning, answered before its end.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from own_redis import OwnRedis
from ringlight.errors import SetupError
from ringlight.http.shared_gate import AsyncSharedGate, SharedGate
from ringlight.resilience.actions import NoPlace, Place
from ringlight.resilience.operation import Lane
from ringlight.secrets import Secret
from ringlight.settings import ResilienceSettings

SETTINGS = ResilienceSettings()
MOST = SETTINGS.gate_rate + SETTINGS.gate_burst
Turn = tuple[float, float, int]  # asked, answered, and among how many the limit was divided
PROGRAM = Path(__file__).with_name("gate_process.py")


@pytest.fixture(scope="module")
def server() -> Iterator[OwnRedis]:
    one = OwnRedis()
    yield one
    one.close()


@pytest.fixture
def redis(server: OwnRedis) -> OwnRedis:
    with server.client() as client:
        client.flushall()
    return server


class Crowd:
    """Four processes that call as fast as they may."""

    def __init__(self, redis: OwnRedis, seconds: float) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, str(PROGRAM), str(redis.socket)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        self.begins = time.monotonic()
        for process in self._processes:
            assert process.stdin is not None
            print(self.begins + seconds, file=process.stdin, flush=True)
        self.said: list[dict[str, Any]] = []

    def wait(self) -> None:
        for process in self._processes:
            out, _ = process.communicate(timeout=60)
            assert process.returncode == 0
            self.said.append(json.loads(out))

    @property
    def given(self) -> list[Turn]:
        return sorted((asked, answered, alone) for one in self.said for asked, answered, alone in one["given"])


def most_in_a_second(given: list[Turn]) -> int:
    """The most turns in any second of which it is certain that they were given within it."""
    most = 0
    for first, (begins, _, _) in enumerate(given):
        within = [answered for asked, answered, _ in given[first : first + 400] if asked < begins + 1.0]
        most = max(most, sum(answered < begins + 1.0 for answered in within))
    return most


@dataclass
class Run:
    """What happened while Redis was there, was killed, and was there again."""

    crowd: Crowd
    killed: float
    back: float


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    redis = OwnRedis()
    try:
        crowd = Crowd(redis, 7.0)
        _until(crowd.begins + 2.0)
        killed = time.monotonic()
        redis.kill()
        _until(killed + 1.7)
        redis.start()
        back = time.monotonic()
        crowd.wait()
        yield Run(crowd, killed, back)
    finally:
        redis.close()


def _until(moment: float) -> None:
    time.sleep(max(moment - time.monotonic(), 0.0))


def test_four_processes_keep_to_the_limit_together_and_use_it(run: Run) -> None:
    given = [(asked, answered, alone) for asked, answered, alone in run.crowd.given if answered < run.killed]
    assert not any(alone for _, _, alone in given)
    assert most_in_a_second(given) <= MOST
    assert all(one["failed"] == 0 and one["given"] for one in run.crowd.said)
    assert len(given) >= 20, "in two seconds there are turns for 188, on a machine that has time for them"


def test_redis_is_killed_and_comes_back_and_the_limit_holds_all_along(run: Run) -> None:
    given = run.crowd.given
    assert most_in_a_second(given) <= MOST
    assert any(alone == 4 for _, _, alone in given), "each keeps to a quarter"
    assert not any(alone for asked, _, alone in given if asked > run.back + 3.0)


def test_each_process_tells_once_that_it_is_alone_and_once_that_it_is_not(run: Run) -> None:
    for one in run.crowd.said:
        names = [name for name, _ in one["heard"]]
        assert names == ["GateDivided", "CALL-GATE-ALONE", "GateShared", "CALL-GATE-ALONE"]
        assert [over for name, over in one["heard"] if name == "CALL-GATE-ALONE"] == [False, True]
        assert one["heard"][0][1] >= run.killed
        assert one["heard"][2][1] >= run.killed + 1.0


def test_a_redis_that_hangs_costs_a_call_half_a_second_at_most(redis: OwnRedis) -> None:
    with SharedGate(redis.url, "client", SETTINGS) as gate:
        assert isinstance(gate.reserve(Lane.READ, 1.0), Place)
        redis.stop()
        try:
            began = time.monotonic()
            said = [gate.reserve(Lane.READ, 9.0) for _ in range(3)]
            gate.pause(0.5)
            took = time.monotonic() - began
        finally:
            redis.go_on()
        assert all(isinstance(one, Place) and one.alone == 1 for one in said)
        assert 0.2 <= took <= 5.0


def test_a_pause_that_one_process_is_told_of_holds_all_of_them(redis: OwnRedis) -> None:
    with (
        SharedGate(redis.url, "client", SETTINGS) as one,
        SharedGate(redis.url, "client", SETTINGS) as other,
        SharedGate(redis.url, "another", SETTINGS) as stranger,
    ):
        one.pause(30.0)
        assert other.reserve(Lane.READ, 60.0).wait > 25.0
        assert isinstance(other.reserve(Lane.READ, 1.0), NoPlace)
        assert stranger.reserve(Lane.READ, 1.0).wait == 0.0


def test_a_pause_is_kept_where_redis_goes_away_after_it(redis: OwnRedis) -> None:
    with SharedGate(redis.url, "client", SETTINGS) as one, SharedGate(redis.url, "client", SETTINGS) as other:
        one.pause(30.0)
        other.reserve(Lane.READ, 60.0)
        redis.kill()
        try:
            assert other.reserve(Lane.READ, 60.0).wait > 25.0
            assert one.reserve(Lane.READ, 60.0).wait > 25.0
        finally:
            redis.start()
        time.sleep(1.1)  # the next try is due
        assert other.reserve(Lane.READ, 60.0).wait > 20.0
        assert one.reserve(Lane.READ, 60.0).wait > 20.0


def test_tasks_share_one_connection_and_one_that_is_cancelled_spoils_nothing(redis: OwnRedis) -> None:
    async def turn(gate: AsyncSharedGate) -> Place:
        said = await gate.reserve(Lane.READ, 60.0)
        assert isinstance(said, Place)
        assert said.alone == 0
        return said

    async def crowd() -> None:
        async with AsyncSharedGate(redis.url, "client", SETTINGS) as gate:
            await turn(gate)
            for pause in (0.0, 0.0001, 0.0003):
                task = asyncio.create_task(turn(gate))
                await asyncio.sleep(pause)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            began = time.monotonic()
            places = await asyncio.gather(*(turn(gate) for _ in range(200)))
            took = time.monotonic() - began
            # Not their waits: those who ask more slowly than turns come wait for nothing.
            assert len({place.number for place in places} - {None}) == 200
            # The last one's turn comes after that of all others, counted from when they began to ask.
            assert max(place.wait for place in places) + took >= (200 - SETTINGS.gate_burst) / SETTINGS.gate_rate
            with redis.client() as client:
                assert len(client.client_list()) <= 2

    asyncio.run(crowd())


def test_tasks_go_on_while_redis_is_away_and_come_back(redis: OwnRedis) -> None:
    async def calls() -> None:
        async with AsyncSharedGate(redis.url, "client", SETTINGS) as gate:
            redis.kill()
            try:
                said = await asyncio.gather(*(gate.reserve(Lane.READ, 60.0) for _ in range(100)))
                assert {one.alone for one in said} == {SETTINGS.gate_processes}
                gate.release(next(one.number for one in said if isinstance(one, Place) and one.number))
                await gate.pause(0.1)
                await gate.set_rate(45.0)
            finally:
                redis.start()
            await asyncio.sleep(1.1)  # the next try is due
            assert (await gate.reserve(Lane.READ, 60.0)).alone == 0

    asyncio.run(calls())


@pytest.mark.parametrize("kind", [SharedGate, AsyncSharedGate])
def test_an_address_that_is_none_is_named_without_its_password(kind: Any) -> None:
    with pytest.raises(SetupError) as caught:
        kind(Secret("http://user:geheim@host/"), "client", SETTINGS)
    assert caught.value.code == "STORE-ADDRESS"
    assert "geheim" not in repr(caught.value) + str(caught.value)
