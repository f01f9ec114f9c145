"""Listeners may raise, block and call back: the calls go on, in order, and nothing secret is logged."""

import logging
import threading

import pytest

from ringlight.http.bus import Bus
from ringlight.http.redaction import Redacting, redacted
from ringlight.resilience.events import BreakerClosed, BreakerOpened, Event, Notice

CANARY = "canary9c41"


def _events(*subjects: str) -> list[Event]:
    return [BreakerClosed(0.0, subject) for subject in subjects]


def _subjects(events: list[Event]) -> list[str]:
    return [event.subject for event in events if isinstance(event, BreakerClosed)]


def test_each_listener_gets_each_event_in_order_until_it_leaves() -> None:
    bus, first, second = Bus(), [], []  # type: ignore[var-annotated]
    leave = bus.listen(first.append)
    bus.listen(second.append)
    bus.post(_events("a", "b"))
    leave()
    bus.post(_events("c"))
    assert (_subjects(first), _subjects(second)) == (["a", "b"], ["a", "b", "c"])


def test_a_listener_that_fails_is_logged_and_forgiven(caplog: pytest.LogCaptureFixture) -> None:
    bus, heard = Bus(), list[Event]()

    def fails(event: Event) -> None:
        raise ValueError(f"token=Bearer {CANARY}")

    bus.listen(fails)
    bus.listen(heard.append)
    bus.post(_events("a"))
    assert _subjects(heard) == ["a"]
    assert "a listener failed on BreakerClosed" in caplog.text
    assert "ValueError" in caplog.text
    assert CANARY not in caplog.text


def test_a_listener_that_makes_calls_does_not_hear_of_them_without_end() -> None:
    bus, heard = Bus(), list[Event]()

    def calls(event: Event) -> None:
        heard.append(event)
        bus.post(_events(f"{len(heard)}"))

    bus.listen(calls)
    bus.post(_events("a"))
    assert _subjects(heard) == ["a"]
    bus.post(_events("b"))
    assert _subjects(heard) == ["a", "1", "b"], "what it caused comes with the next"


def test_a_listener_that_blocks_holds_up_one_thread_only_and_loses_only_the_oldest() -> None:
    bus, heard = Bus(limit=3), list[Event]()
    blocked, free = threading.Event(), threading.Event()

    def blocks(event: Event) -> None:
        heard.append(event)
        blocked.set()
        assert free.wait(20)

    bus.listen(blocks)
    held = threading.Thread(target=bus.post, args=(_events("a"),))
    held.start()
    assert blocked.wait(20)
    bus.post(_events("b", "c", "d", "e"))  # returns, although nobody takes them yet
    free.set()
    held.join()
    assert (_subjects(heard), bus.dropped) == (["a", "c", "d", "e"], 1)


def test_events_are_handed_on_by_one_thread_at_a_time() -> None:
    """Also where one thread ends handing on in the moment in which another begins: else events overtake each other."""
    ended, go_on, inside, leave = (threading.Event() for _ in range(4))

    class Slow(Bus):
        def _next(self) -> Event | None:
            due = super()._next()
            if due is None and threading.current_thread().name == "first":
                ended.set()
                assert go_on.wait(20)
            return due

    bus, heard = Slow(), list[tuple[str, Event]]()

    def hook(event: Event) -> None:
        heard.append((threading.current_thread().name, event))
        if threading.current_thread().name == "second" and len(heard) == 2:
            inside.set()
            assert leave.wait(20)

    bus.listen(hook)
    one, two, three = _events("1", "2", "3")
    first = threading.Thread(target=bus.post, args=([one],), name="first")
    first.start()
    assert ended.wait(20)
    second = threading.Thread(target=bus.post, args=([two],), name="second")
    second.start()
    assert inside.wait(20)
    go_on.set()
    first.join()
    bus.post([three])
    assert len(heard) == 2, "the second thread is handing on, and does so with the third event too"
    leave.set()
    second.join()
    assert heard == [("first", one), ("second", two), ("second", three)]


def test_events_are_logged_by_their_weight_with_ids_cut_short(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ringlight.partner")
    device = "ava1.ring.device.EXAMPLEDOORBELL2"
    Bus().post([BreakerOpened(1.0, device, 15.0), Notice(1, 1, "device", device, "PARTNER-DEVICE-OFFLINE", False, 1)])
    assert [(record.levelname, record.getMessage().split()[0]) for record in caplog.records] == [
        ("WARNING", "BreakerOpened"),
        ("WARNING", "Notice"),
    ]
    assert "subject=ava1.ring.device.EXAMPL…" in caplog.text
    assert device not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"authorization=Basic {CANARY}==",
        f'{{"access_token": "{CANARY}", "x": 1}}',
        f"grant_type=refresh_token&refresh_token={CANARY}&x=1",
        f"code={CANARY} code_verifier={CANARY}",
        f"eyJhbGciOiJI.{CANARY}.{CANARY}",
        f"GET https://media.example/clip.mp4?X-Amz-Signature={CANARY} failed",
        f"proxy http://ada:{CANARY}@proxy.example:3128",
        f"{{'password': '{CANARY}'}}",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    assert CANARY not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET https://api.amazonvision.com/v1/devices 200",
        "code=PARTNER-RATE",
        "Attempt operation=devices.list number=1 status=200 seconds=0.0123",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert redacted(text) == text


def test_the_exception_of_a_record_is_redacted_too() -> None:
    logger = logging.Logger("one")
    records: list[logging.LogRecord] = []
    logger.addFilter(Redacting())
    logger.addFilter(records.append)  # type: ignore[arg-type]  # it returns nothing, so the record ends here
    try:
        raise ValueError(f"Bearer {CANARY}")
    except ValueError:
        logger.exception("at %s", f"https://h/?a={CANARY}")
    said = logging.Formatter().format(records[0])
    assert "ValueError: Bearer […]" in said
    assert CANARY not in said
