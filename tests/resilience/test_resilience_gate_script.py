"""The script that Redis runs, against the gate of one process: both are told the same, and say the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from virtual import most_in_a_second

from own_redis import OwnRedis
from ringlight.http.shared_gate import SharedGate, _script
from ringlight.resilience.actions import NoPlace, Place
from ringlight.resilience.gate import Gate
from ringlight.resilience.joint_gate import JointGate
from ringlight.resilience.operation import Lane
from ringlight.settings import ResilienceSettings

RATE, BURST = 90.0, 8
CLOSE = 3e-6  # seconds; the script counts in microseconds


@pytest.fixture(scope="module")
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


@dataclass
class Script:
    """The script with a clock of the test's, asked by processes `a`, `b`, …"""

    redis: Any
    now: float = 1_000_000.0
    parts: dict[str, JointGate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.redis.flushall()
        self._run = self.redis.register_script(_script())

    def part(self, name: str = "a") -> JointGate:
        return self.parts.setdefault(name, JointGate(RATE, BURST, 1))

    def say(self, lane: Lane | None, within: float, place: int | None, name: str = "a", pause: float = 0.0) -> Any:
        part = self.part(name)
        question = part.question(self.now, lane, within, place, pause)
        assert question is not None
        what, *rest = question
        keys = ["state", "line", "turns", "peers", "rates"]
        said = self._run(keys=keys, args=[repr(self.now * 1e6), what, name, *rest])
        return part.answered([int(one) for one in said], self.now)

    def ask(self, lane: Lane = Lane.READ, within: float = 60.0, place: int | None = None, name: str = "a") -> Any:
        return self.say(lane, within, place, name)

    def everybody(self, waiting: dict[int, float], name: str = "a") -> list[float]:
        """Let all come back when told; return when they left."""
        left = []
        while waiting:
            number = min(waiting, key=lambda one: (waiting[one], one))
            self.now = max(self.now, waiting.pop(number))
            said = self.ask(place=number, name=name)
            if said.wait:
                waiting[said.number] = self.now + said.wait
            else:
                left.append(self.now)
        return left


STEPS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(Lane), st.sampled_from([0.0, 0.5, 60.0])),
    st.tuples(st.just("many"), st.sampled_from(Lane), st.integers(2, 40)),
    st.tuples(st.just("back"), st.integers(0, 50), st.sampled_from([0.0, 0.003, 0.2, 3.0])),
    st.tuples(st.just("give up"), st.integers(0, 50), st.none()),
    st.tuples(st.just("pause"), st.integers(1, 50), st.none()),
    st.tuples(st.just("rate"), st.sampled_from([0.5, 9.0, 36.0, 63.0, 90.0]), st.none()),
    st.tuples(st.just("wait"), st.integers(1, 3000), st.none()),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=40))
def test_the_script_says_what_the_gate_of_one_process_says(redis: OwnRedis, steps: list[Any]) -> None:
    with redis.client() as client:
        script, gate = Script(client), Gate(RATE, BURST)
        script.say(None, 0.0, None)  # the script's first second is not the gate's: it lets one through at once
        gate.spend(script.now, left=1)
        waiting: list[tuple[Lane, float, int, int]] = []  # lane, when it was told to come, and both its numbers
        left: list[float] = []

        def compare(lane: Lane, within: float, theirs: int | None = None, ours: int | None = None) -> None:
            said, says = script.ask(lane, within, theirs), gate.reserve(lane, script.now, within, ours)
            assert abs(said.wait - says.wait) <= CLOSE
            if says.wait <= CLOSE or abs(says.wait - within) <= CLOSE:
                assume(bool(said.wait) is bool(says.wait) and type(said) is type(says))  # a tie but for the rounding
            assert type(said) is type(says)
            if isinstance(says, Place) and isinstance(said, Place):
                assert bool(said.wait) is bool(says.wait)
                if says.wait:
                    waiting.append((lane, script.now + max(said.wait, says.wait), said.number or 0, says.number or 0))
                else:
                    left.append(script.now)

        for what, first, second in steps:
            if what == "ask":
                compare(first, second)
            elif what == "many":
                for _ in range(second):
                    compare(first, 60.0)
            elif what == "back" and waiting:
                lane, told, theirs, ours = waiting.pop(first % len(waiting))
                script.now = max(script.now, round(told + second + CLOSE, 5))
                compare(lane, 60.0, theirs, ours)
            elif what == "give up" and waiting:
                _, _, theirs, ours = waiting.pop(first % len(waiting))
                script.part().release(theirs)
                gate.release(ours)
            elif what == "pause":
                script.say(None, 0.0, None, pause=first / 10)
                gate.pause_until(script.now + first / 10)
            elif what == "rate":
                script.part().set_rate(first, script.now)
                script.say(None, 0.0, None)
                gate.set_rate(first, script.now)
            elif what == "wait":
                script.now = round(script.now + first / 1000, 3)
                script.say(None, 0.0, None)
        assert most_in_a_second(left) <= RATE + BURST


def test_the_slowest_of_all_processes_sets_the_rate_until_a_minute_after_its_last_word(redis: OwnRedis) -> None:
    with redis.client() as client:
        script = Script(client)
        script.part("slow").set_rate(10.0, script.now)
        script.ask(name="slow")
        left = script.everybody({script.ask().number or 0: script.now + 1.0})
        waits = [script.ask().wait for _ in range(11)]
        assert abs(waits[-1] - 1.0) <= 0.11
        assert len(left) == 1
        script.now += 61.0
        said = [script.ask().wait for _ in range(18)]
        assert abs(max(said) - 10 / RATE) <= 1e-3
        assert script.part().among == 1


def test_a_clock_that_was_set_back_makes_nobody_wait_for_it(redis: OwnRedis) -> None:
    with redis.client() as client:
        script = Script(client)
        for _ in range(30):
            script.ask()
        script.say(None, 0.0, None, pause=5.0)
        script.now -= 3600.0
        assert 5.0 <= script.ask().wait <= 5.0 + 1e-3


def test_who_comes_back_first_has_its_own_part_until_the_others_are_back_too(redis: OwnRedis) -> None:
    """After the store was away, one of four may send a quarter; when all are there, or after three seconds, all."""
    with redis.client() as client:
        script = Script(client)

        def rate_of(name: str) -> float:
            waits = [script.ask(name=name) for _ in range(40)]
            for one in waits:
                if one.wait:
                    script.part(name).release(one.number or 0)
            script.say(None, 0.0, None, name)
            return 1 / float(waits[-1].wait - waits[-2].wait)

        for name in "abcd":
            part = script.part(name)
            part.among = 4
            part.failed(script.now)
        script.now += 1.5
        assert abs(rate_of("a") - RATE / 4) < 0.1
        script.ask(name="b")
        assert abs(rate_of("a") - RATE / 2) < 0.1
        script.ask(name="c")
        script.ask(name="d")
        assert abs(rate_of("a") - RATE) < 0.1


def test_a_place_of_before_a_restart_is_no_other_ones_place(redis: OwnRedis) -> None:
    with redis.client() as client:
        script = Script(client)
        before = [script.ask().number for _ in range(20)]
        client.flushall()
        script.now += 0.5
        assert not set(before) & {script.ask().number for _ in range(20)}


def test_nothing_stays_in_redis_when_nobody_asks_any_more(redis: OwnRedis) -> None:
    with redis.client() as client, SharedGate(redis.url, "client", ResilienceSettings()) as gate:
        client.flushall()
        assert all(isinstance(gate.reserve(Lane.READ, 1.0), Place) for _ in range(3))
        assert isinstance(gate.reserve(Lane.READ, 0.001), NoPlace)
        names = client.keys("*")
        assert len(names) >= 3
        assert all(0 < client.pttl(name) <= 125_000 for name in names)
        assert not any(b"client" in name for name in names)


FIELDS = ("due", "rate", "burst", "paused", "numbers", "seen", "since", "until", "expected")
JUNK = ("junk", "", "nan", "-nan", "inf", "-1", "0", "1e300")


def _goes_on(script: Script) -> None:
    """Everybody who asks has a turn soon, and no more of them in a second than ever."""
    left, waiting = [], {}
    for _ in range(60):
        said = script.ask()
        assert isinstance(said, Place), said
        if said.wait:
            waiting[said.number or 0] = script.now + said.wait
        else:
            left.append(script.now)
    assert len(left) <= BURST
    assert max(waiting.values()) - script.now < 60 / RATE + 6.0
    assert most_in_a_second(left + script.everybody(waiting)) <= RATE + BURST


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(JUNK), min_size=1), ahead=st.booleans())
def test_a_number_in_redis_that_cannot_be_is_as_nothing(redis: OwnRedis, damaged: dict[str, str], ahead: bool) -> None:
    """The gate goes on, and with its limit; each process went by its own share for as long as that was there."""
    with redis.client() as client:
        script = Script(client)
        for _ in range(20):
            script.ask()
        client.hset("state", mapping={"seen": repr((script.now + 9.0) * 1e6), **damaged} if ahead else damaged)
        _goes_on(script)


@pytest.mark.parametrize("damaged", JUNK)
def test_nor_does_what_others_are_said_to_wish_or_wait_for(redis: OwnRedis, damaged: str) -> None:
    with redis.client() as client:
        script = Script(client)
        places = [script.ask().number for _ in range(20)]
        client.hset("turns", str(places[-1]), damaged)
        client.hset("rates", "z", damaged)
        client.zadd("line", {"junk": 5.0})
        client.zadd("peers", {"junk": 1e300})
        _goes_on(script)
        assert script.part().among == 1


@pytest.mark.parametrize("name", ["state", "line", "turns", "peers", "rates"])
def test_nor_does_a_key_of_another_kind(redis: OwnRedis, name: str) -> None:
    with redis.client() as client:
        script = Script(client)
        for _ in range(20):
            script.ask()
        client.delete(name)
        client.rpush(name, "junk")
        _goes_on(script)
