"""What comes by MQTT is judged before anything is done, and what is told has a form that Home Assistant takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.account.events import CameraEvent
from ringlight.errors import UsageError
from ringlight.home.news import KEPT, LATE, News
from ringlight.home.topics import Command, Topics

TOPICS = Topics("house/ring")


@pytest.mark.parametrize(
    ("topic", "payload", "command"),
    [
        ("house/ring/front-door/light/set", b"ON", Command("front-door", "light", "ON")),
        ("house/ring/driveway/turn/set", b"left", Command("driveway", "turn", "left")),
        ("house/ring/back-yard/picture/set", b"PRESS", Command("back-yard", "picture", "PRESS")),
    ],
)
def test_a_command_is_read(topic: str, payload: bytes, command: Command) -> None:
    assert TOPICS.read(topic, payload) == command


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("house/ring/front-door/light/set", b"on", "light knows OFF, ON, not 'on'"),
        ("house/ring/front-door/light/set", b"", "not ''"),
        ("house/ring/front-door/light/set", b"\xff" * 1_000_000, "light knows"),
        ("house/ring/front-door/door/set", b"ON", "no topic for commands"),
        ("house/ring/../light/set", b"ON", "'..' is no camera's id"),
        ("house/ring/front-door/light", b"ON", "no topic for commands"),
        ("house/front-door/light/set", b"ON", "no topic for commands"),
    ],
)
def test_what_is_no_command_is_told(topic: str, payload: bytes, said: str) -> None:
    with pytest.raises(UsageError, match="REQUEST-INVALID") as caught:
        TOPICS.read(topic, payload)
    assert said in str(caught.value)


@given(topic=st.text(max_size=200), payload=st.binary(max_size=64))
def test_nothing_that_comes_breaks_it(topic: str, payload: bytes) -> None:
    try:
        command = TOPICS.read(topic, payload)
    except UsageError:
        return
    assert TOPICS.of(command.camera, f"{command.what}/set") == topic


def _event(number: int, at: float | None) -> CameraEvent:
    return CameraEvent(str(number), 1001, "motion", at, answered=False, has_recording=None)


def test_what_happened_before_it_began_is_no_news() -> None:
    news = News(100.0)
    assert news.read("door", [_event(2, 100.5), _event(1, 90.0)], 101.0) == [_event(2, 100.5)]
    assert news.read("door", [_event(3, 102.0), _event(2, 100.5)], 103.0) == [_event(3, 102.0)]
    assert news.read("door", [_event(3, 102.0), _event(2, 100.5)], 104.0) == []


def test_what_ring_tells_late_or_without_a_time_is_history() -> None:
    news = News(0.0)
    assert news.read("door", [_event(1, 100.0), _event(2, None)], 101.0 + LATE) == []


@given(looks=st.lists(st.lists(st.integers(0, 30), max_size=10), min_size=1, max_size=20))
def test_each_event_is_told_once(looks: list[list[int]]) -> None:
    news, told = News(5.0), list[str]()
    for look in looks:
        now = [event.id for event in news.read("door", [_event(number, float(number)) for number in look], 31.0)]
        assert now == sorted(now, key=int)
        told += now
    assert len(told) == len(set(told)) <= KEPT
    assert set(told) == {str(number) for look in looks for number in look if number >= 5}
