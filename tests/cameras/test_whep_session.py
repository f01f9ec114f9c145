"""A view by WHEP as a conversation: what is waited for, and what an end without a word means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.cameras.whep_session import Action, Answered, Event, Waits, WhepSession
from ringlight.liveview.events import Closed, MediaSeen, PathFailed, PathLeft, PathOpen, Step, Stop, Tick

WAITS = Waits(path=15.0, media=15.0, stall=3.0, limit=60.0)


def talk(*said: tuple[float, Event], waits: Waits = WAITS) -> list[Action]:
    """Hold a conversation; ticks come when they are asked for."""
    session, heard = WhepSession(waits), list[Action]()
    for now, event in said:
        heard += session.receive(event, now=now)
    return heard


def flowing(until: float) -> list[tuple[float, Event]]:
    """A view that was answered at 100 s and flows from 104 s on."""
    seen: list[tuple[float, Event]] = [(104.0 + at, MediaSeen()) for at in range(int(until) - 104)]
    return [(100.0, Answered()), (101.0, PathOpen()), *seen, (until, MediaSeen())]


def test_the_steps_come_in_order() -> None:
    assert talk(*flowing(110.0)) == [Step("answer"), Step("media")]


@pytest.mark.parametrize(
    ("ends", "limit", "code"),
    [
        (160.0, 60.0, "PARTNER-VIEW-LIMIT"),
        (131.0, 30.0, "PARTNER-VIEW-LIMIT"),
        (130.0, 60.0, "PARTNER-VIEW-LIMIT"),  # it runs on battery, and nobody had said so
        (115.0, 30.0, "MEDIA-STALLED"),  # as views of the Playground were seen to end
        (145.0, 60.0, "MEDIA-STALLED"),
    ],
)
def test_pictures_that_just_stop_are_the_time_limit_where_one_is_due(ends: float, limit: float, code: str) -> None:
    """Ring sends no goodbye. What has run as long as Ring lets it has ended in the regular way."""
    said = [*flowing(ends), (ends + 2.9, Tick()), (ends + 3.0, Tick())]
    closed = talk(*said, waits=Waits(limit=limit))[-1]
    assert isinstance(closed, Closed)
    assert closed.code == code
    assert f"after {ends - 100:.0f} s" in str(closed.detail)


def test_starvation_is_noticed_after_three_seconds_and_not_before() -> None:
    session = WhepSession(WAITS)
    for now, event in flowing(110.0):
        session.receive(event, now=now)
    assert session.deadline == 113.0
    assert session.receive(Tick(), now=112.9) == []
    assert session.receive(Tick(), now=113.0) == [Closed("MEDIA-STALLED", "no packet for 3 s, after 10 s")]
    assert session.deadline is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([(0.0, Answered()), (15.0, Tick())], "MEDIA-UDP"),
        ([(0.0, Answered()), (1.0, PathOpen()), (16.0, Tick())], "MEDIA-SILENT"),
        ([(0.0, Answered()), (1.0, PathFailed("MEDIA-DTLS", "x"))], "MEDIA-DTLS"),
        ([(0.0, Answered()), (1.0, PathOpen()), (2.0, MediaSeen()), (3.0, PathLeft())], "MEDIA-STALLED"),
        ([(0.0, Answered()), (1.0, PathOpen()), (2.0, MediaSeen()), (60.0, PathLeft())], "PARTNER-VIEW-LIMIT"),
        ([(0.0, Answered()), (1.0, PathOpen()), (2.0, MediaSeen()), (60.0, PathFailed("MEDIA-STALLED"))],
         "PARTNER-VIEW-LIMIT"),
        ([(0.0, Answered()), (1.0, Stop())], "SIG-CLOSED"),
    ],
)  # fmt: skip
def test_every_end_has_its_code(said: list[tuple[float, Event]], code: str) -> None:
    closed = talk(*said)[-1]
    assert isinstance(closed, Closed)
    assert closed.code == code


EVENTS = st.sampled_from(
    [Answered(), PathOpen(), PathFailed("MEDIA-UDP"), PathLeft(), MediaSeen(), Tick(), Stop()]
)  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 40), EVENTS)))
def test_in_every_order_it_ends_once_and_then_is_silent(said: list[tuple[float, Event]]) -> None:
    session, heard, now = WhepSession(WAITS), list[Action](), 0.0
    for pause, event in said:
        now += pause
        heard += session.receive(event, now=now)
        ended = any(isinstance(action, Closed) for action in heard)
        assert session.deadline is None or not ended
    closed = [action for action in heard if isinstance(action, Closed)]
    assert len(closed) <= 1
    assert closed == [] or heard[-1] is closed[0]
    assert [action.name for action in heard if isinstance(action, Step)].count("answer") <= 1
