"""One viewer without any I/O: TCP beside UDP, ICE that begins anew, and who begins the handshake."""

import pytest
from aioice import stun as ice
from browser_side import ABROAD, HOME, KEY, Browser
from media_kit import SLICE, frame, frames_of, packet

from ringlight.media import rtcp
from ringlight.media.dtls import Role
from ringlight.media.nomination import UDP_FIRST, Address, TcpAddress


@pytest.fixture
def browser() -> Browser:
    return Browser()


# Over TCP


WIRE = TcpAddress(*HOME)


def _where(browser: Browser) -> Address | None:
    return browser.viewer.address


def test_an_address_of_tcp_is_never_one_of_udp(browser: Browser) -> None:
    answer = browser.check(WIRE)
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == HOME
    assert _where(browser) == WIRE
    assert _where(browser) != HOME


def test_udp_is_kept_where_a_browser_nominates_every_pair_it_has(browser: Browser) -> None:
    """Firefox does so while it checks: the last that it names is then not the one that it will use."""
    browser.check(HOME, now=100.0)
    browser.check(WIRE, now=100.1)
    assert _where(browser) == HOME
    browser.check(HOME, now=104.0)
    browser.check(WIRE, now=104.0 + UDP_FIRST - 0.1)
    assert _where(browser) == HOME
    browser.check(WIRE, now=104.0 + UDP_FIRST)
    assert _where(browser) == WIRE, "UDP has stopped, and the browser has moved"
    browser.check(HOME, now=110.0)
    assert _where(browser) == HOME


def test_a_connection_that_ends_is_left_and_another_taken(browser: Browser) -> None:
    browser.check(WIRE)
    browser.viewer.leave(TcpAddress("192.0.2.7", 1))
    assert _where(browser) == WIRE
    browser.viewer.leave(WIRE)
    assert _where(browser) is None
    browser.check(TcpAddress("192.0.2.7", 2), nominates=False)
    assert _where(browser) == TcpAddress("192.0.2.7", 2)


def test_a_viewer_that_cannot_keep_up_misses_frames_and_goes_on_with_a_key_frame() -> None:
    """Rather than with more and more delay."""
    browser = Browser(audio=True)
    full = False
    browser.viewer.feed.is_full = lambda: full
    browser.connect()
    asked = len(browser.key_frames)
    browser.camera(frame(1, 6000, *KEY))
    full = True
    browser.camera(frame(4, 12_000, SLICE))
    browser.camera([packet(1, 960, b"sound")], "audio")
    assert len(browser.key_frames) == asked, "a key frame now would only be in the way"
    full = False
    browser.camera(frame(5, 18_000, SLICE))
    browser.camera(frame(6, 24_000, SLICE))
    assert len(browser.key_frames) == asked + 1
    browser.camera(frame(7, 30_000, *KEY))
    browser.camera([packet(2, 1920, b"more")], "audio")
    *pictures, sound = browser.pictures()
    assert [one.timestamp - pictures[0].timestamp for one in pictures] == [0, 0, 0, 24_000, 24_000, 24_000]
    assert sound.payload == b"more"
    browser.say(rtcp.Nack(1, 77, tuple((pictures[2].sequence + at) % 65536 for at in (1, 2, 3))))
    assert browser.opened() == [], "what it could not keep up with is not sent again"


def test_what_waits_of_the_group_is_dropped_where_a_newcomer_cannot_keep_up(browser: Browser) -> None:
    browser.camera(frames_of(KEY, *[(SLICE,)] * 100))
    browser.connect()
    assert browser.viewer.behind
    browser.viewer.feed.is_full = lambda: True
    browser.camera(frame(500, 6_000_000, SLICE))
    assert not browser.viewer.behind


# ICE begins anew


def test_the_old_path_is_good_until_the_viewer_nominates_by_the_new_credentials(browser: Browser) -> None:
    browser.connect()
    browser.viewer.restart("fresh", "secret")
    assert browser.check(HOME, now=101.0).message_class is ice.Class.RESPONSE
    assert browser.check(ABROAD, ufrag="fresh", password="password").message_class is ice.Class.ERROR
    browser.check(ABROAD, ufrag="fresh", password="secret", nominates=False)
    assert _where(browser) == HOME
    assert browser.check(HOME).message_class is ice.Class.RESPONSE, "still good"
    browser.check(ABROAD, ufrag="fresh", password="secret")
    assert _where(browser) == ABROAD
    assert (browser.viewer.ufrag, browser.viewer.nomination.pwd) == ("fresh", "secret")
    assert browser.check(HOME).message_class is ice.Class.ERROR, "the old password is good no more"
    assert _where(browser) == ABROAD
    browser.camera(frames_of(KEY))
    assert len(browser.pictures()) == 3, "with the keys of the one handshake"


def test_a_second_restart_takes_the_place_of_the_first(browser: Browser) -> None:
    browser.connect()
    browser.viewer.restart("first", "one")
    browser.viewer.restart("second", "two")
    assert browser.check(ABROAD, ufrag="first", password="one").message_class is ice.Class.ERROR
    browser.check(ABROAD, ufrag="second", password="two")
    assert _where(browser) == ABROAD


def test_a_restart_may_lead_from_udp_to_tcp_at_once(browser: Browser) -> None:
    """A network that blocks UDP is no reason to wait for what it was."""
    browser.check(HOME, now=100.0)
    browser.viewer.restart("fresh", "secret")
    browser.check(WIRE, ufrag="fresh", password="secret", now=100.5)
    assert _where(browser) == WIRE


# Who begins the handshake


def test_where_the_viewer_waits_we_begin_and_it_sees_and_is_heard_all_the_same() -> None:
    """`a=setup:passive` in the offer: then it is the viewer that chooses how packets are encrypted."""
    browser = Browser(role=Role.SERVER)
    browser.camera(frames_of(KEY))
    browser.connect()
    assert browser.viewer.connected
    assert [one.payload for one in browser.pictures()] == [*KEY]
    browser.say(rtcp.ReceiverReport(1, (rtcp.ReportBlock(77, 64),)))
    assert browser.viewer.quality.lost_fraction == 0.25


def test_where_we_begin_another_certificate_is_refused_too() -> None:
    browser = Browser(fingerprint=":".join(["AB"] * 32), role=Role.SERVER)
    browser.check()
    browser.viewer.begin()
    for _ in range(4):
        browser.listen()
        for datagram in list(browser.dtls.outgoing()):
            browser.viewer.receive(datagram, 100.0)
    assert browser.ended.seen == ["MEDIA-DTLS"]
