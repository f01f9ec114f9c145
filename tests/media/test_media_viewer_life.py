"""One viewer without any I/O: signs of life, silence, and the end."""

import pytest
from browser_side import KEY, Browser
from hypothesis import given, settings
from hypothesis import strategies as st
from media_kit import SLICE, frame, frames_of

from ringlight.media import rtcp, rtp
from ringlight.media.dtls import Certificate
from ringlight.media.viewer import (
    ALERT,
    DOUBT,
    GONE_AFTER,
    REPORT_EVERY,
)


@pytest.fixture
def browser() -> Browser:
    return Browser()


# The end, and what the handshake leaves


def test_a_goodbye_ends_it_without_fault(browser: Browser) -> None:
    browser.connect()
    browser.say(rtcp.Bye((1,)))
    assert browser.ended.seen == [None]
    assert browser.viewer.closed


def test_the_end_of_the_encrypted_channel_ends_it_without_fault(browser: Browser) -> None:
    browser.connect()
    browser.dtls.close()
    for datagram in browser.dtls.outgoing():
        browser.viewer.receive(datagram, 100.0)
    assert browser.ended.seen == [None]


def _settled(browser: Browser) -> None:
    browser.connect()
    browser.say(rtcp.ReceiverReport(1))
    assert browser.viewer._dtls is not None
    assert browser.viewer._dtls.settled


def test_once_a_viewer_reports_what_only_the_handshake_needed_is_freed(browser: Browser) -> None:
    """Some 80 kB each. Pictures and the goodbye at the end, which was written beforehand, go on."""
    _settled(browser)
    browser.camera(frames_of(KEY))
    assert [one.payload for one in browser.pictures()] == [*KEY]
    browser.viewer.close(None)
    assert sum(data[0] == ALERT for data in browser.inbox) == 1
    browser.listen()
    assert browser.dtls.closed


def test_a_goodbye_that_can_no_longer_be_read_leaves_some_seconds_for_a_sign_of_life(browser: Browser) -> None:
    """Anybody may have written it: only a viewer that falls silent after it is gone."""
    _settled(browser)
    for alive in (True, False):
        browser.viewer.receive(bytes([ALERT]) + b"\xfe\xfd" + bytes(20), 200.0)
        if alive:
            browser.check(now=203.0)
        browser.viewer.tick(200.0 + DOUBT + 0.1, 0.0)
        assert browser.ended.seen == ([] if alive else [None])


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6))
@settings(max_examples=20)
def test_garbage_after_the_handshake_was_freed_does_no_harm(garbage: list[bytes]) -> None:
    browser = Browser()
    _settled(browser)
    for data in garbage:
        for head in (b"", b"\x16\xfe\xfd", b"\x15\xfe\xfd", b"\x17"):
            browser.viewer.receive(head + data, 100.0)
    browser.check(now=101.0)
    browser.viewer.tick(110.0, 0.0)
    assert browser.ended.seen == []


def test_another_certificate_ends_it_with_a_code() -> None:
    browser = Browser(fingerprint=Certificate().fingerprint)
    browser.check()
    browser.shake_hands()
    assert browser.ended.seen == ["MEDIA-DTLS"]
    assert browser.viewer.failed == "MEDIA-DTLS"
    assert not browser.viewer.connected


@given(st.lists(st.binary(max_size=60), max_size=6), st.booleans())
@settings(max_examples=30)
def test_garbage_does_no_harm(garbage: list[bytes], connected: bool) -> None:
    browser = Browser()
    if connected:
        browser.connect()
    for data in garbage:
        for head in (b"", b"\x80\xc8", b"\x80\x60", b"\x16\xfe\xfd"):
            browser.viewer.receive(head + data, 100.0)
    if not connected:
        browser.connect()
    browser.camera(frames_of(KEY))
    assert [one.payload for one in browser.pictures()] == [*KEY]
    assert browser.ended.seen == []


# Time and the end


def test_sender_reports_come_every_two_seconds_once_something_was_sent(browser: Browser) -> None:
    """They tie the tracks' clocks together; without them sound and picture drift apart."""
    browser.connect()
    browser.viewer.tick(101.0, 1000.0)
    assert browser.opened() == []
    browser.camera(frames_of(KEY))
    sent = browser.pictures()
    browser.viewer.tick(101.0 + REPORT_EVERY, 1000.5)
    (report,) = browser.reports()
    assert report == rtcp.SenderReport(
        77, rtcp.ntp_time(1000.5), sent[-1].timestamp + 270_000, 3, sum(len(one.payload) for one in sent)
    )
    browser.viewer.tick(102.9 + REPORT_EVERY, 1002.0)
    assert browser.opened() == []


@pytest.mark.parametrize(("connected", "code"), [(False, "VIEWER-UDP"), (True, None)])
@pytest.mark.parametrize("checked", [True, False])
def test_silence_ends_it(connected: bool, checked: bool, code: str | None) -> None:
    """Who never got through is told why; who was there and went is no fault."""
    browser = Browser()
    if connected:
        browser.connect()
    elif checked:
        browser.check()
    browser.viewer.tick(100.0 + GONE_AFTER, 0.0)
    assert browser.ended.seen == []
    browser.viewer.tick(100.1 + GONE_AFTER, 0.0)
    assert browser.ended.seen == [code]
    browser.viewer.tick(300.0, 0.0)
    assert browser.ended.seen == [code]


def test_consent_checks_keep_it_alive(browser: Browser) -> None:
    browser.connect()
    for at in range(20):
        browser.check(now=100.0 + 5 * at)
        browser.viewer.tick(100.0 + 5 * at, 0.0)
    assert browser.ended.seen == []


def test_closing_says_goodbye_twice_over_and_only_once(browser: Browser) -> None:
    """By RTCP and by DTLS: browsers act upon either."""
    browser.connect()
    browser.viewer.close("MEDIA-STALLED")
    alerts = [data for data in browser.inbox if data[0] == 21]
    assert len(alerts) == 1
    assert browser.reports() == [rtcp.Bye((77,))]
    assert browser.dtls._connection is not None
    browser.viewer.close(None)
    browser.camera(frames_of(KEY))
    browser.viewer.tick(500.0, 0.0)
    assert browser.inbox == []
    assert browser.ended.seen == ["MEDIA-STALLED"]
    assert browser.viewer.failed == "MEDIA-STALLED"


def test_checks_alone_keep_nobody_in_place(browser: Browser) -> None:
    """ICE without DTLS: for such a viewer a camera would stay awake for ever."""
    for now in range(100, 100 + int(GONE_AFTER) + 6, 5):
        browser.check(now=float(now))
        browser.viewer.tick(float(now), 0.0)
    assert browser.ended.seen == ["VIEWER-UDP"]


def test_a_viewer_that_never_came_is_closed_without_a_word(browser: Browser) -> None:
    browser.viewer.close(None)
    assert browser.inbox == []
    assert browser.ended.seen == [None]


def test_a_frame_leaves_in_as_few_calls_as_its_packets_allow(browser: Browser) -> None:
    browser.camera(frames_of(KEY))
    browser.connect()
    browser.pictures()
    browser.calls.clear()
    browser.camera(frame(103, 30_000, *[SLICE * 100] * 20, SLICE))
    assert browser.calls == [21]
    assert len(browser.pictures()) == 21


# Reports to the packet, and signs of life


def test_a_sender_report_counts_what_has_left_and_not_what_waits(browser: Browser) -> None:
    browser.camera(frames_of(KEY, *[(SLICE,)] * 200))
    browser.connect()
    for at in range(30):
        browser.check(now=101.0 + at * REPORT_EVERY)
        browser.viewer.tick(101.0 + at * REPORT_EVERY, 1000.0)
        browser.viewer.catch_up()
    counted, seen, octets = [], 0, 0
    for data in browser.opened():
        if rtp.is_rtcp(data):
            (report,) = rtcp.parse(data)
            assert isinstance(report, rtcp.SenderReport)
            counted.append((report.packets, report.octets, seen, octets))
        else:
            seen, octets = seen + 1, octets + len(rtp.parse(data).payload)
    assert len(counted) == 30
    assert [row[:2] for row in counted] == [row[2:] for row in counted]
    assert seen == 203


def test_what_is_sent_again_under_the_same_source_counts_too(browser: Browser) -> None:
    browser.camera(frames_of(KEY))
    browser.connect()
    numbers = [one.sequence for one in browser.pictures()]
    browser.say(rtcp.Nack(1, 77, (numbers[0],)))
    browser.inbox.clear()
    browser.viewer.tick(101.0, 1000.0)
    (report,) = browser.reports()
    assert isinstance(report, rtcp.SenderReport)
    assert (report.packets, report.octets) == (4, sum(map(len, KEY)) + len(KEY[0]))


def test_only_what_was_made_with_its_keys_is_a_sign_of_life(browser: Browser) -> None:
    """Else anybody who writes its address on garbage could keep a vanished viewer, and a camera, awake."""
    browser.connect()
    browser.say(rtcp.ReceiverReport(1), now=105.0)
    for at in range(106, 120):
        browser.viewer.receive(b"\x80\xc9\0\1" + bytes(40), float(at))
        browser.viewer.receive(b"\x17\xfe\xfd" + bytes(20), float(at))
        browser.check(password="guessed", now=float(at))
        browser.viewer.tick(float(at), 0.0)
    assert browser.ended.seen == []
    browser.viewer.tick(105.1 + GONE_AFTER, 0.0)
    assert browser.ended.seen == [None]
    assert browser.viewer.forged == 28


def test_a_viewer_that_vanishes_is_gone_within_fifteen_seconds(browser: Browser) -> None:
    """Looked at once a second, as the port does."""
    browser.connect()
    browser.check(now=100.0)
    at = 100.9
    while not browser.viewer.closed:
        browser.viewer.tick(at, 0.0)
        at += 1.0
    assert at - 1.0 - 100.0 <= 15.0


def test_forged_and_replayed_packets_are_counted(browser: Browser) -> None:
    browser.connect()
    browser.say(rtcp.ReceiverReport(1))
    good = browser._sender.protect_rtcp(rtcp.write(rtcp.ReceiverReport(1)))
    browser.viewer.receive(good, 100.0)
    browser.viewer.receive(good, 100.0)
    browser.viewer.receive(good[:-1] + bytes([good[-1] ^ 64]), 100.0)
    browser.viewer.receive(b"\x80\xc9\0\1", 100.0)
    assert (browser.viewer.replayed, browser.viewer.forged) == (1, 2)
