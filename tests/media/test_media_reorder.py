"""Late and lost packets: what is waited for, what is asked for again, what is given up."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_kit import packet

from ringlight.media.reorder import (
    ASK_AFTER,
    ASK_AT_MOST,
    ASK_EVERY,
    MOST_HELD,
    MOST_MISSING,
    PATIENCE,
    Reorder,
)
from ringlight.media.rtp import SEQUENCES, Packet


def _numbers(packets: list[Packet]) -> list[int]:
    return [one.sequence for one in packets]


def _push(reorder: Reorder, *sequences: int, now: float = 0.0) -> list[int]:
    return _numbers([out for one in sequences for out in reorder.push(packet(one, 0), now)])


def test_in_order_everything_passes_at_once() -> None:
    reorder = Reorder()
    assert _push(reorder, 65_534, 65_535, 0, 1) == [65_534, 65_535, 0, 1]
    assert reorder.deadline is None


def test_neighbours_that_changed_places_are_put_right_and_nothing_is_asked_for() -> None:
    reorder = Reorder()
    assert _push(reorder, 1, 3) == [1]
    assert reorder.wanted(ASK_AFTER / 2) == ()
    assert _push(reorder, 2) == [2, 3]
    assert (reorder.repaired, reorder.lost, reorder.deadline) == (1, 0, None)


def test_a_missing_packet_is_asked_for_a_few_times_and_then_given_up() -> None:
    reorder, asked, now = Reorder(), 0, 0.0
    assert _push(reorder, 1, 3, 4) == [1]
    out: list[Packet] = []
    while (due := reorder.deadline) is not None:
        now = due
        asked += len(reorder.wanted(now))
        out += reorder.tick(now)
    assert _numbers(out) == [3, 4]
    assert now == pytest.approx(PATIENCE)
    assert asked == ASK_AT_MOST
    assert reorder.lost == 1


def test_requests_for_the_same_packet_keep_a_distance() -> None:
    reorder = Reorder()
    _push(reorder, 1, 3)
    assert reorder.wanted(ASK_AFTER) == (2,)
    assert reorder.wanted(ASK_AFTER + ASK_EVERY / 2) == ()
    assert reorder.wanted(ASK_AFTER + ASK_EVERY) == (2,)


def test_what_was_asked_for_goes_to_its_place() -> None:
    reorder = Reorder()
    _push(reorder, 1, 4)
    assert reorder.wanted(ASK_AFTER) == (2, 3)
    assert _push(reorder, 3) == []
    assert _push(reorder, 2) == [2, 3, 4]
    assert reorder.repaired == 2


def test_what_comes_after_it_was_given_up_or_twice_is_dropped() -> None:
    reorder = Reorder()
    _push(reorder, 1, 3)
    assert _numbers(reorder.tick(PATIENCE)) == [3]
    assert _push(reorder, 2, 3, 1) == []
    assert _push(reorder, 4, 4) == [4]


def test_an_outage_is_not_asked_for() -> None:
    """Two packets in a row from far ahead: the stream goes on there."""
    reorder = Reorder()
    far = 2 + MOST_MISSING
    assert _push(reorder, 1, far) == [1]
    assert _push(reorder, far + 1, far + 2) == [far + 1, far + 2]
    assert reorder.deadline is None


def test_a_single_stray_packet_changes_nothing() -> None:
    reorder = Reorder()
    assert _push(reorder, 1, 30_000, 2, 3) == [1, 2, 3]


def test_no_more_is_held_than_the_limit() -> None:
    reorder = Reorder()
    out = _push(reorder, 1, *range(3, 3 + MOST_HELD))
    assert out == [1, *range(3, 3 + MOST_HELD)]
    assert _push(reorder, 3 + MOST_HELD) == [3 + MOST_HELD]


@given(st.data(), st.integers(0, SEQUENCES - 1))
@settings(max_examples=200)
def test_in_whatever_order_they_come_they_leave_in_their_own(data: st.DataObject, start: int) -> None:
    """Every packet that comes within its time leaves once; the others are counted as lost."""
    count = data.draw(st.integers(1, 60))
    lost = data.draw(st.sets(st.integers(1, max(1, count - 2)), max_size=10)) if count > 2 else set()
    order = sorted((n for n in range(count) if n not in lost), key=lambda n: n + data.draw(st.integers(0, 8)) * (n > 0))
    reorder, out, now = Reorder(), [], 0.0
    for n in order:
        out += reorder.push(packet(start + n, 0), now)
        now += 0.001
        assert reorder.deadline is None or reorder.deadline > 0
    out += reorder.tick(now + PATIENCE)
    numbers = [(one.sequence - start) % SEQUENCES for one in out]
    assert all(later > one for one, later in pairwise(numbers))
    assert set(numbers) == set(order)
    held = len([n for n in lost if n < max(order)])
    assert reorder.lost == held


@given(st.lists(st.tuples(st.integers(0, SEQUENCES - 1), st.floats(0, 0.5)), max_size=80))
def test_whatever_comes_memory_is_bounded_and_deadlines_move_on(arrivals: list[tuple[int, float]]) -> None:
    reorder, now = Reorder(), 0.0
    for sequence, wait in arrivals:
        now += wait
        reorder.push(packet(sequence, 0), now)
        reorder.wanted(now)
        reorder.tick(now)
        assert len(reorder._held) <= MOST_HELD
        assert len(reorder._missing) <= MOST_HELD + MOST_MISSING
        assert reorder.deadline is None or reorder.deadline > now
