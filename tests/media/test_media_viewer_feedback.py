"""One viewer without any I/O: what is sent again, what it tells of the line, and what it asks for."""

import pytest
from browser_side import KEY, Browser
from media_kit import SLICE, frame, frames_of, unit

from ringlight.media import rtcp, rtp
from ringlight.media.feed import REPEATS
from ringlight.media.line import FIRST_FLIGHT, FIRST_LOOK, LOOK_FOR
from ringlight.media.transport_wide import TransportFeedback


@pytest.fixture
def browser() -> Browser:
    return Browser()


# Sent again


@pytest.mark.parametrize("rtx", [None, (109, 79)])
def test_what_the_viewer_misses_is_sent_again(rtx: tuple[int, int] | None) -> None:
    browser = Browser(rtx=rtx)
    browser.camera(frames_of(KEY, (SLICE + b"lost",), (SLICE,)))
    browser.connect()
    lost = next(one for one in browser.pictures() if one.payload.endswith(b"lost"))
    if rtx is None:
        del browser._receiver  # as if it had not come
    browser.say(rtcp.Nack(1, 77, (lost.sequence, 900)))
    (again,) = browser.pictures()
    assert again.payload.endswith(b"lost")
    assert (again.payload_type, again.ssrc) == (rtx or (108, 77))
    assert browser.viewer.repeated == 1


def test_where_much_is_lost_it_is_sent_twice() -> None:
    """Repeats are lost as often, and a browser that knows no round trip waits 100 ms before it asks again."""
    browser = Browser(rtx=(109, 79))
    browser.camera(frames_of(KEY, (SLICE + b"lost",), (SLICE + b"lost too",)))
    browser.connect()
    numbers = tuple(one.sequence for one in browser.pictures() if b"lost" in one.payload)
    browser.say(rtcp.ReceiverReport(1, (rtcp.ReportBlock(77, 51),)))  # a fifth
    browser.say(rtcp.Nack(1, 77, numbers))
    again = browser.pictures()
    assert [one.payload[2:] for one in again] == [SLICE + b"lost", SLICE + b"lost too"] * 2
    assert len({one.sequence for one in again}) == 4, "each a packet of its own (RFC 4588)"
    browser.say(rtcp.ReceiverReport(1, (rtcp.ReportBlock(77, 12),)), rtcp.Nack(1, 77, numbers[:1]))
    assert len(browser.pictures()) == 1


def test_a_viewer_that_misses_everything_gets_so_much_and_no_more(browser: Browser) -> None:
    """Repeating all of it would only feed what it drowns in."""
    browser.camera(frames_of(KEY, *[(SLICE,)] * 600))
    browser.connect()
    while browser.viewer.behind:
        browser.viewer.catch_up()
    numbers = [one.sequence for one in browser.pictures()]
    browser.say(rtcp.Nack(1, 77, tuple(numbers)))
    assert browser.viewer.repeated == REPEATS
    browser.viewer.tick(101.0, 0.0)
    browser.say(rtcp.Nack(1, 77, tuple(numbers[:5])))
    assert browser.viewer.repeated == REPEATS + 5


def test_a_request_about_another_source_is_left_alone(browser: Browser) -> None:
    browser.camera(frames_of(KEY))
    browser.connect()
    browser.pictures()
    browser.say(rtcp.Nack(1, 4, (65_401,)))
    assert browser.pictures() == []


# What it tells of the arrival of packets


def telling() -> Browser:
    """A browser that gives transport-wide feedback, and has got the first picture."""
    browser = Browser(rtx=(109, 79), stamp=4)
    browser.camera(frame(0, 3000, *KEY))
    browser.connect()
    browser.opened()
    return browser


def feedback(browser: Browser, arrivals: list[tuple[int, float]]) -> rtcp.Report:
    """Tell of packets by number and the seconds when they came."""
    first = arrivals[0][0]
    came = tuple((number - first, round(at * 1e6 / 250) * 250) for number, at in arrivals)
    return TransportFeedback(1, 77, first % rtp.SEQUENCES, arrivals[-1][0] - first + 1, came)


def run(browser: Browser, pictures: int, wait: float = 0.0, grows: float = 0.0) -> None:
    """Send pictures of two packets, and tell of each that it came after `wait`, and of each next one later."""
    for at in range(pictures):
        browser.now += 1 / 15
        number, stamp = browser.tracks["video"].index + 1, round(browser.now * 90_000)
        browser.camera(frame(number - 65_401, stamp, SLICE, SLICE + b"end"))
        late = browser.now + wait + grows * at
        browser.say(feedback(browser, [(number, late), (number + 1, late)]), now=browser.now)


def test_packets_ask_for_feedback_in_the_extension_and_what_is_sent_again_does_not() -> None:
    browser = telling()
    browser.camera(frame(3, 6000, SLICE))
    (stamped,) = (data for data in browser.opened() if not rtp.is_rtcp(data))
    assert stamped[12:20] == rtp.with_number(bytes(12), 4, int.from_bytes(stamped[2:4], "big"))[12:]
    browser.say(rtcp.Nack(1, 77, (int.from_bytes(stamped[2:4], "big"),)))
    (again,) = browser.opened()
    assert again[0] == 0x80


def test_a_viewer_that_did_not_agree_is_never_asked() -> None:
    browser = Browser(rtx=(109, 79))
    browser.camera(frames_of(KEY, (SLICE,)))
    browser.connect()
    assert all(data[0] == 0x80 for data in browser.opened() if not rtp.is_rtcp(data))
    browser.say(TransportFeedback(1, 77, 65_401, 1, ((0, 0),)))
    assert browser.viewer.line is None


def test_a_line_that_is_full_is_let_run_empty_and_goes_on_with_the_cameras_own_key_frame() -> None:
    """To ask for one would be a larger picture for a line that is too thin for the small ones."""
    browser = telling()
    run(browser, 15)
    line = browser.viewer.line
    assert line is not None
    assert line.held == 0
    run(browser, 15, wait=0.1, grows=0.1)
    assert line.held == 1
    assert line.is_thin(browser.now)
    asked = len(browser.key_frames)
    missed = browser.tracks["video"].index
    browser.opened()
    browser.camera(frame(900, 1 << 20, SLICE))
    browser.say(rtcp.Nack(1, 77, (missed % rtp.SEQUENCES,)), now=browser.now)
    assert browser.pictures() == [], "neither new pictures nor old ones"
    browser.now += 6.0
    browser.camera(frame(901, 2 << 20, SLICE))
    assert browser.pictures() == []
    browser.camera(frame(902, 3 << 20, *KEY))
    assert len(browser.pictures()) == 3
    assert len(browser.key_frames) == asked


def test_a_repeat_is_sent_twice_on_a_lossy_line_and_once_on_a_full_one() -> None:
    browser = telling()
    browser.say(rtcp.ReceiverReport(1, (rtcp.ReportBlock(77, 51),)))
    number = browser.tracks["video"].index
    run(browser, 6)
    browser.opened()
    browser.say(rtcp.Nack(1, 77, (number % rtp.SEQUENCES,)), now=browser.now)
    assert len(browser.pictures()) == 2
    run(browser, 6, wait=0.15)
    browser.opened()
    browser.say(rtcp.Nack(1, 77, (number % rtp.SEQUENCES,)), now=browser.now)
    assert len(browser.pictures()) == 1


def test_a_round_trip_that_grows_is_looked_into() -> None:
    """A report comes each second anyway; it is soon known what it means."""
    browser = telling()
    browser.now = 100.0 + FIRST_LOOK + LOOK_FOR + 0.1
    line = browser.viewer.line
    assert line is not None
    assert not line.asks(browser.now)
    for at, round_trip in ((100.0, 0.01), (102.0, 0.4)):
        browser.viewer.tick(at, 0.0)
        sent = rtcp.ntp_time(0.0) >> 16 & 0xFFFFFFFF
        browser.say(rtcp.ReceiverReport(1, (rtcp.ReportBlock(77, last_report=sent),)), now=at + round_trip)
    assert line.asks(browser.now)


def test_a_newcomer_that_tells_is_sent_no_more_than_can_be_on_the_way() -> None:
    browser = Browser(rtx=(109, 79), stamp=4)
    browser.camera(frames_of(KEY, *[(unit(SLICE, 1000),)] * 600))
    browser.connect()
    for _ in range(50):
        browser.now += 0.004
        browser.viewer.catch_up()
    assert browser.viewer.behind
    first = browser.pictures()
    assert sum(len(one.payload) for one in first) < 1.5 * FIRST_FLIGHT
    number = browser.tracks["video"].index - 602
    browser.say(feedback(browser, [(number + at, browser.now) for at in range(len(first))]), now=browser.now)
    for _ in range(50):
        browser.now += 0.002
        browser.viewer.catch_up()
    assert len(browser.pictures()) > len(first), "it has come; now more may be on the way"


# What the viewer says


@pytest.mark.parametrize(
    ("reports", "asked"),
    [
        ([rtcp.KeyFrameRequest(1, 77)], 1),
        ([rtcp.ReceiverReport(1), rtcp.KeyFrameRequest(1, 77)], 1),
        ([rtcp.ReceiverReport(1)], 0),
        ([rtcp.Nack(1, 77, (5,))], 0),
    ],
)
def test_a_request_for_a_key_frame_is_passed_on(browser: Browser, reports: list[rtcp.Report], asked: int) -> None:
    browser.camera(frames_of(KEY))
    browser.connect()
    browser.say(*reports)
    assert len(browser.key_frames) == asked


@pytest.mark.parametrize(
    "make",
    [
        lambda block: rtcp.ReceiverReport(1, (block,)),
        lambda block: rtcp.SenderReport(1, 0, 0, 0, 0, (block,)),
    ],
)
def test_the_viewers_loss_is_kept(browser: Browser, make: type[rtcp.ReceiverReport]) -> None:
    browser.connect()
    browser.say(make(rtcp.ReportBlock(77, 64)))  # type: ignore[arg-type]
    assert browser.viewer.quality.lost_fraction == 0.25


def test_the_round_trip_is_told_by_the_echo_of_our_report(browser: Browser) -> None:
    """RFC 3550 section 6.4.1: when it came back, less the time that the viewer held it."""
    browser.camera(frames_of(KEY))
    browser.connect()
    browser.opened()
    browser.viewer.tick(103.0, 1000.25)
    (report,) = browser.reports()
    assert isinstance(report, rtcp.SenderReport)
    echo = rtcp.ReportBlock(77, last_report=report.ntp >> 16 & 0xFFFFFFFF, delay=65_536 // 2)
    browser.say(rtcp.ReceiverReport(1, (echo,)), now=103.6)
    assert browser.viewer.quality.round_trip == pytest.approx(0.1)
    browser.say(rtcp.ReceiverReport(1, (rtcp.ReportBlock(77, last_report=5, delay=1),)), now=104.0)
    assert browser.viewer.quality.round_trip == pytest.approx(0.1)


# Feedback that we have no use for


_TRANSPORT_CC = bytes.fromhex("8fcd0005 00000001 0000004d 00010002 00000001 20020808".replace(" ", ""))
_REMB = bytes.fromhex("8fce0005 00000001 00000000 52454d42 01120000 0000004d".replace(" ", ""))


@pytest.mark.parametrize("feedback", [_TRANSPORT_CC, _REMB, _REMB + _TRANSPORT_CC])
def test_transport_wide_feedback_and_bandwidth_estimates_are_tolerated(browser: Browser, feedback: bytes) -> None:
    """Nothing is encoded here, so nothing could be sent with fewer bits; what else the compound says counts."""
    browser.camera(frames_of(KEY))
    browser.connect()
    browser.opened()
    report = rtcp.write(rtcp.ReceiverReport(1, (rtcp.ReportBlock(77, 32),)))
    browser.send_rtcp(report + feedback)
    assert browser.viewer.quality.lost_fraction == 0.125
    assert len(browser.key_frames) == 0
    assert browser.viewer.repeated == 0
    assert browser.opened() == []
