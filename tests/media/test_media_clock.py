"""The sender's clock in reports: as steady as the camera's, whatever packets are delayed on their way to us."""

import random

import pytest

from ringlight.media.clock import LEAST_OVER, Clock
from ringlight.media.rtp import TIMESTAMPS, distance


def test_before_the_first_packet_there_is_no_time() -> None:
    assert Clock(90_000).time(5.0) is None


def test_delays_of_single_packets_move_it_by_next_to_nothing() -> None:
    dice, clock, start = random.Random(7), Clock(90_000), TIMESTAMPS - 50_000
    for number in range(900):  # a minute, over the end of the number circle
        sent = number / 15
        clock.see((start + number * 6000) % TIMESTAMPS, sent + dice.expovariate(1 / 0.03))
        told = clock.time(sent)
        assert told is not None
        if sent > 2:
            assert abs(distance(told, (start + number * 6000) % TIMESTAMPS, TIMESTAMPS)) < 90_000 * 0.02


def test_it_follows_where_the_way_has_become_longer_for_good() -> None:
    clock = Clock(48_000)
    for number in range(2000):
        sent = number * 0.02
        clock.see(number * 960, sent + (0.1 if sent > 10 else 0.0))
    told = clock.time(40.0)
    assert told is not None
    assert told / 48_000 == pytest.approx(39.9, abs=0.001)
    assert 2 * LEAST_OVER < 40 - 10
