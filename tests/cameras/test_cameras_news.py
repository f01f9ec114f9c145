"""What is news of a camera: by Ring's times alone, whatever clock this machine has."""

from hypothesis import given
from hypothesis import strategies as st

from ringlight.account.events import CameraEvent, parse_events
from ringlight.cameras.news import KEPT, LATE, ROUNDED, News


def _event(number: int, at: float | None, ago: float | None = None) -> CameraEvent:
    return CameraEvent(str(number), 1001, "motion", at, answered=False, has_recording=None, ago=ago)


def test_what_happened_before_it_was_waited_for_is_no_news() -> None:
    news = News()
    assert news.read("door", [_event(2, 100.5, 0.5), _event(1, 90.0, 11.0)], 1.0) == [_event(2, 100.5, 0.5)]
    assert news.read("door", [_event(3, 102.0, 1.0), _event(2, 100.5, 2.5)], 3.0) == [_event(3, 102.0, 1.0)]
    assert news.read("door", [_event(3, 102.0, 2.0), _event(2, 100.5, 3.5)], 4.0) == []


def test_where_ring_tells_no_time_the_first_look_finds_history() -> None:
    """And so is what comes into sight later and is older, as when newer events were deleted."""
    news = News()
    assert news.read("door", [_event(2, 100.0), _event(1, 90.0)], 60.0) == []
    assert news.read("door", [_event(3, 101.0), _event(0, 80.0)], 63.0) == [_event(3, 101.0)]
    assert news.read("yard", [], 60.0) == []
    assert news.read("yard", [_event(9, 50.0)], 63.0) == [_event(9, 50.0)], "there was none before"


def test_what_ring_tells_late_or_without_a_time_is_history() -> None:
    news = News()
    assert news.read("door", [_event(1, 100.0, LATE + ROUNDED + 1), _event(2, None)], 1e6) == []
    assert news.read("yard", [], 1.0) == []
    assert news.read("yard", [_event(4, 500.0), _event(3, 499.0 - LATE)], 9.0) == [_event(4, 500.0)]


def test_who_waits_anew_is_told_nothing_of_before() -> None:
    news = News()
    news.read("door", [], 1.0)
    news.forget([])
    assert news.read("door", [_event(1, 100.0, 30.0)], 3.0) == []


def test_an_age_is_of_rings_own_clock() -> None:
    item = {"id": 7, "kind": "ding", "created_at": "2026-11-29T12:00:00Z"}
    (event,) = parse_events([item], 1001, 1795953603.0)
    assert event.at is not None
    assert event.ago == 1795953603.0 - event.at
    assert parse_events([item], 1001)[0].ago is None
    assert parse_events([{"id": 7}], 1001, 1795953603.0)[0].ago is None


@given(looks=st.lists(st.lists(st.integers(0, 30), max_size=10), min_size=1, max_size=20))
def test_each_event_is_told_once(looks: list[list[int]]) -> None:
    news, told = News(), list[str]()
    for look in looks:
        seen = [_event(number, float(number), 31.0 - number) for number in look]
        now = [event.id for event in news.read("door", seen, 26.0 - ROUNDED)]
        assert now == sorted(now, key=int)
        told += now
    assert len(told) == len(set(told)) <= KEPT
    assert set(told) == {str(number) for look in looks for number in look if number >= 5}
