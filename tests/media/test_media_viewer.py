"""One viewer without any I/O: checks and the first picture. The time is a number."""

import pytest
from aioice import stun as ice
from browser_side import ABROAD, HOME, KEY, Browser
from media_kit import SLICE, frames_of, packet

from ringlight.media.viewer import (
    GONE_AFTER,
)


@pytest.fixture
def browser() -> Browser:
    return Browser()


# Connectivity checks


def test_a_check_is_answered_with_the_address_that_it_came_from(browser: Browser) -> None:
    answer = browser.check()
    assert answer.message_class is ice.Class.RESPONSE
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == HOME
    assert browser.viewer.address == HOME


def test_a_wrong_password_is_refused_and_changes_nothing(browser: Browser) -> None:
    """Who does not know the password may not turn the pictures to itself."""
    answer = browser.check(ABROAD, password="guessed")
    assert answer.attributes["ERROR-CODE"][0] == 401
    assert browser.viewer.address is None
    browser.check()
    browser.check(ABROAD, password="guessed", now=110.0)
    assert browser.viewer.address == HOME
    browser.viewer.tick(100.0 + GONE_AFTER + 0.1, 0.0)
    assert browser.ended.seen == ["VIEWER-UDP"]  # nor does it count as a sign of life


def test_the_nominated_address_counts_and_is_followed_when_it_changes(browser: Browser) -> None:
    """A phone that leaves the Wi-Fi goes on watching."""
    browser.check(ABROAD, nominates=False)
    assert browser.viewer.address == ABROAD
    browser.check(HOME)
    browser.check(ABROAD, nominates=False)
    assert browser.viewer.address == HOME
    browser.check(ABROAD)
    assert browser.viewer.address == ABROAD


# The first picture


def test_nothing_of_the_camera_goes_out_before_the_channel_is_encrypted(browser: Browser) -> None:
    browser.check()
    browser.camera(frames_of(KEY, (SLICE,)))
    assert browser.inbox == []
    assert not browser.viewer.connected


def test_the_first_picture_comes_with_the_channel(browser: Browser) -> None:
    """The running group, with what came during the handshake; then live."""
    packets = frames_of(KEY, (SLICE,), (SLICE,), (SLICE,))
    browser.camera(packets[:4])
    browser.check()
    browser.camera(packets[4:5])
    browser.shake_hands()
    assert browser.viewer.connected
    seen = browser.pictures()
    assert [one.payload for one in seen] == [*KEY, SLICE, SLICE]
    assert len(browser.key_frames) == 0
    browser.camera(packets[5:])
    (live,) = browser.pictures()
    assert live.sequence == seen[-1].sequence + 1


def test_a_long_group_reaches_a_newcomer_in_parts_and_live_packets_wait_behind_it(browser: Browser) -> None:
    """A second of video in one burst would overflow the router at home."""
    packets = frames_of(KEY, *[(SLICE,)] * 200)
    browser.camera(packets[:-1])
    browser.connect()
    first = browser.pictures()
    assert len(first) < 60
    assert browser.viewer.behind
    browser.camera(packets[-1:])
    assert browser.pictures() == []
    rest = []
    while browser.viewer.behind:
        browser.viewer.catch_up()
        rest += browser.pictures()
    assert [one.payload for one in first + rest] == [one.payload for one in packets]


def test_another_session_of_the_camera_during_the_handshake_begins_with_its_own_key_frame(browser: Browser) -> None:
    browser.camera(frames_of(KEY, (SLICE,)))
    browser.camera(frames_of((SLICE,), KEY, (SLICE,), sequence=9, ssrc=2))
    browser.connect()
    assert [one.payload for one in browser.pictures()] == [*KEY, SLICE]


def test_without_a_running_group_a_key_frame_is_asked_for(browser: Browser) -> None:
    browser.camera(frames_of((SLICE,)))
    browser.connect()
    assert browser.pictures() == []
    assert len(browser.key_frames) == 1


def test_who_joins_with_an_open_channel_gets_the_group_at_once(browser: Browser) -> None:
    browser.connect()
    for one in frames_of(KEY):
        browser.tracks["video"].push(one)
    browser.viewer.join("video")
    assert [one.payload for one in browser.pictures()] == [*KEY]


def test_sound_goes_out_once_the_channel_is_open() -> None:
    browser = Browser(audio=True)
    browser.camera([packet(1, 960, b"early")], "audio")
    browser.connect()
    browser.camera([packet(2, 1920, b"sound")], "audio")
    (seen,) = browser.pictures()
    assert (seen.payload, seen.ssrc, seen.payload_type) == (b"sound", 78, 111)


def test_the_numbers_may_run_over_their_circle_while_it_watches(browser: Browser) -> None:
    """The counter of rounds that goes into each nonce begins with the viewer's own first packet."""
    browser.camera(frames_of(KEY, sequence=65_500))
    browser.connect()
    for at in range(10):
        browser.camera(frames_of(*[(SLICE,)] * 30, sequence=65_503 + 30 * at))
    seen = browser.pictures()
    assert len(seen) == 303
    assert seen[-1].sequence == (seen[0].sequence + 302) % 65_536 < seen[0].sequence


def test_who_joins_after_a_round_opens_everything_too(browser: Browser) -> None:
    browser.camera(frames_of(KEY, *[(SLICE,)] * 400))
    browser.camera(frames_of(KEY, sequence=503, timestamp=1))
    browser.connect()
    assert [one.payload for one in browser.pictures()] == [*KEY]
