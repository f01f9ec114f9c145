"""The meter of a battery: whole per cents before and after views, and no number before there is one."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.cameras.battery import Cost, Meter, Span
from ringlight.store.measured_file import MeasuredFile


def _watch(meter: Meter, at: float, minutes: float, before: int, after: int) -> float:
    """One view with a reading just before and just after it; return the time at its end."""
    meter.read(before, at)
    meter.begin(at)
    meter.settle(at)
    meter.end(at + minutes * 60)
    meter.read(after, at + minutes * 60 + 5)
    return at + minutes * 60 + 5


def test_it_says_nothing_until_it_has_measured() -> None:
    meter = Meter()
    assert str(meter.cost) == "not measured yet"
    at = _watch(meter, 0, 9, 80, 76)
    assert meter.cost == Cost(None, 9.0), "four per cent, but over too few minutes"
    at = _watch(meter, at, 3, 76, 76)
    assert str(meter.cost) == "about 0.3 % a minute (measured over 12 minutes)"
    assert meter.cost.as_dict() == {"percent_per_minute": 0.333, "minutes": 12.0, "text": str(meter.cost)}


def test_one_per_cent_alone_is_rounding_and_no_measurement() -> None:
    meter = Meter([Span(300, 1)])
    assert meter.cost.percent is None
    assert str(Meter([Span(300, 2)]).cost) == "about 0.01 % a minute (measured over 300 minutes)"


def test_what_the_battery_loses_between_views_is_not_counted() -> None:
    meter = Meter()
    at = _watch(meter, 0, 20, 80, 76)
    _watch(meter, at + 86_400, 20, 50, 46)
    assert meter.cost == Cost(8 / 40, 40.0)


def test_a_late_reading_counts_for_the_view_before_it_for_a_quarter_of_an_hour() -> None:
    """Ring hears of the battery late: the lowest reading until then is the one that counts."""
    meter = Meter()
    at = _watch(meter, 0, 20, 80, 80)
    meter.read(77, at + 600)
    assert meter.cost == Cost(3 / 20, 20.0)
    meter.read(60, at + 3600)
    assert meter.settle(at + 3600) == Span(20.0, 3)
    assert meter.settle(at + 3600) is None
    assert meter.cost == Cost(3 / 20, 20.0)


def test_a_battery_that_was_charged_meanwhile_measures_nothing() -> None:
    meter = Meter()
    at = _watch(meter, 0, 20, 80, 95)
    meter.read(60, at + 10)
    assert meter.cost == Cost(None, 0)
    assert meter.settle(at, last=True) is None


def test_a_view_without_a_fresh_reading_before_it_measures_nothing() -> None:
    meter = Meter()
    meter.read(80, 0)
    meter.begin(3600)
    meter.end(7200)
    assert not meter.awaits_reading
    meter.read(60, 7201)
    assert meter.cost == Cost(None, 0)


def test_it_awaits_a_reading_from_the_end_of_a_view_on() -> None:
    meter = Meter()
    meter.read(80, 0)
    meter.begin(1)
    assert not meter.awaits_reading
    meter.end(61)
    assert meter.awaits_reading
    meter.read(80, 62)
    assert not meter.awaits_reading


EVENTS = st.lists(
    st.tuples(st.sampled_from(["read", "begin", "end", "settle", "last"]), st.integers(0, 100), st.floats(0, 2000)),
    max_size=40,
)


@given(EVENTS)
def test_in_whatever_order_things_come_no_cost_is_negative_or_more_than_was_lost(events: object) -> None:
    meter, now = Meter(), 0.0
    kept: list[Span] = []
    assert isinstance(events, list)
    for what, percent, pause in events:
        now += pause
        if what == "read":
            meter.read(percent, now)
        elif what in ("begin", "end"):
            getattr(meter, what)(now)
        elif (span := meter.settle(now, last=what == "last")) is not None:
            kept.append(span)
    assert all(span.minutes >= 0 and 0 <= span.drop <= 100 for span in kept)
    assert meter.cost.percent is None or meter.cost.percent >= 0
    assert meter.cost.minutes * 60 <= now + 1e-6


# What outlives the process


def test_measurements_outlive_the_process_and_old_ones_make_room(tmp_path: Path) -> None:
    path = tmp_path / "state" / "batteries.json"
    for number in range(4):
        MeasuredFile(path, kept=3).add("1002", 10.0, number)
    MeasuredFile(path, kept=3).add("1009", 1.5, 0)
    assert MeasuredFile(path, kept=3).load() == {"1002": [(10.0, 1), (10.0, 2), (10.0, 3)], "1009": [(1.5, 0)]}
    assert path.stat().st_mode & 0o777 == 0o600
    assert {one.name for one in path.parent.iterdir()} <= {"batteries.json", "batteries.json.lock"}


@pytest.mark.parametrize("content", ["", "[]", '{"1002": [[1, "two"]]}', '{"1002": 5}'])
def test_a_damaged_file_costs_the_measurements_only(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "batteries.json"
    path.write_text(content)
    with caplog.at_level(logging.WARNING):
        assert MeasuredFile(path, kept=3).load() == {}
    assert "measured anew" in caplog.text
    MeasuredFile(path, kept=3).add("1002", 2.0, 1)
    assert MeasuredFile(path, kept=3).load() == {"1002": [(2.0, 1)]}


def test_absurd_numbers_are_left_out_and_a_place_that_cannot_be_written_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "batteries.json"
    path.write_text('{"1002": [[5, 101], [-1, 2], [5.5, 2]]}')
    assert MeasuredFile(path, kept=9).load() == {"1002": [(5.5, 2)]}
    blocked = path / "batteries.json"
    MeasuredFile(blocked, kept=3).add("1002", 2.0, 1)
    assert "cannot be written" in caplog.text
