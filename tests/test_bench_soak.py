"""How a long run is judged: what grows and goes on to is found, and what settles is not."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from soak.judge import Counts, Sample, growth, left_over, memory_grows, more_kinds, rows_grow

REST = Sample(0.0, 150.0, 30, 11, 4, 16, {"ringlight_viewers": 0})
HALF_AN_HOUR = range(5, 1800, 5)


def run(memory: Callable[[float], float], noise: float = 1.0) -> list[Sample]:
    chance = random.Random(7)
    return [
        Sample(float(at), memory(at) + chance.uniform(0, noise), 50 + chance.randrange(20), 25 + chance.randrange(20),
               11 + chance.randrange(3), 55 + chance.randrange(15))
        for at in HALF_AN_HOUR
    ]  # fmt: skip


@pytest.mark.parametrize(
    "memory",
    [
        lambda _: 180.0,
        lambda at: 180.0 - 20.0 * 2.0 ** (-at / 300),  # caches fill
        lambda at: 170.0 + min(at, 1100) / 60,  # a pool that grows to its most
        lambda at: 180.0 + (60.0 if 900 < at < 960 else 0.0),  # a crowd came and went
        lambda at: 180.0 + 5.0 * at / 1800,  # of what was freed in pieces
    ],
)
def test_memory_that_settles_is_no_growth(memory: Callable[[float], float]) -> None:
    assert memory_grows(run(memory)) is None


def test_a_kilobyte_that_each_webhook_leaves_behind_is_found() -> None:
    found = memory_grows(run(lambda at: 160.0 + 4 * at / 1000 + min(at, 300) / 30))
    assert found is not None
    assert found.startswith("memory grows by 14.")


def test_too_short_a_run_says_nothing_of_memory() -> None:
    samples = run(lambda at: 160.0 + at / 60)
    assert memory_grows(samples) is not None
    assert memory_grows(samples[:20]) is None


@pytest.mark.parametrize("name", ["files", "sockets", "threads", "tasks"])
def test_what_is_never_given_back_is_found(name: str) -> None:
    steady = run(lambda _: 180.0)
    leaking = [replace(one, **{name: getattr(one, name) + int(one.at) // 100}) for one in steady]
    (found,) = growth(leaking)
    assert found.startswith(f"{name}: never under ")


def test_a_server_that_could_hardly_be_measured_is_not_called_well() -> None:
    assert growth(run(lambda _: 180.0)[:5]) == ["too few samples to judge by"]


def test_what_stays_once_all_have_left_is_named() -> None:
    assert left_over(REST, replace(REST, files=35)) == []
    kept = replace(REST, sockets=40, holds={"ringlight_viewers": 2, "ringlight_rooms": 0})
    assert left_over(REST, kept) == [
        "sockets: 40 once all had left, 11 before anybody came", "ringlight_viewers is 2 once all had left",
    ]  # fmt: skip


def test_a_table_that_is_not_swept_is_named() -> None:
    looks = [(float(at), {"inbox": min(at, 300) * 4 - at % 20, "audit": at}) for at in HALF_AN_HOUR]
    (found,) = rows_grow(looks, 420, {})
    assert found.startswith("table audit: never under ")
    assert rows_grow(looks, 420, {"audit": 1000}) == [found]
    assert rows_grow(looks, 420, {"audit": 2000}) == [], "so many are kept"
    assert rows_grow(looks[:80], 420, {}) == [], "nothing was old enough to be swept"


def test_what_was_lost_says_when_and_objects_are_counted_by_their_type() -> None:
    counts = Counts(clock=lambda: 12.4)
    counts.lose("webhook 7 was never taken")
    assert counts.lost == ["webhook 7 was never taken, at 12 s"]
    assert more_kinds({"a": 5, "b": 9}, {"a": 50, "b": 8, "c": 1}) == ["   +45 a: 5, then 50", "    +1 c: 0, then 1"]
