"""One viewer without any I/O: what it says to the camera."""

import pytest
from browser_side import Browser
from hypothesis import given, settings
from hypothesis import strategies as st
from media_kit import packet

from ringlight.media import rtp, srtp
from ringlight.media.rtp import Packet


@pytest.fixture
def browser() -> Browser:
    return Browser()


# What a viewer says


def talking() -> tuple[Browser, list[Packet]]:
    """A browser that may send sound of payload type 111."""
    browser, heard = Browser(audio=True), list[Packet]()
    browser.viewer.sound_type, browser.viewer.on_sound = 111, heard.append
    browser.connect()
    return browser, heard


def spoken(browser: Browser, sequence: int, payload: bytes = b"sound", payload_type: int = 111) -> bytes:
    assert browser.dtls.keys is not None
    if not hasattr(browser, "_sender"):
        browser._sender = srtp.sender(browser.dtls.keys, is_client=True)
    return browser._sender.protect(rtp.write(packet(sequence, 960 * sequence, payload, payload_type=payload_type)))


def test_sound_is_handed_up_and_doubles_and_forgeries_are_not() -> None:
    browser, heard = talking()
    first = spoken(browser, 1)
    forged = bytearray(spoken(browser, 2))
    forged[-1] ^= 1
    for datagram in (first, first, bytes(forged), spoken(browser, 3)):
        browser.viewer.receive(datagram, 100.0)
    assert [(one.sequence, one.payload) for one in heard] == [(1, b"sound"), (3, b"sound")]


def test_sound_of_another_kind_is_dropped() -> None:
    """A viewer cannot send the camera a codec that it did not agree to."""
    browser, heard = talking()
    browser.viewer.receive(spoken(browser, 1, payload_type=0), 100.0)
    browser.viewer.receive(spoken(browser, 2, payload_type=108), 100.0)
    assert heard == []


def test_a_viewer_that_may_not_talk_is_not_even_listened_to() -> None:
    browser = Browser(audio=True)
    browser.connect()
    said = spoken(browser, 1)
    browser.viewer.receive(said, 100.0)
    heard: list[Packet] = []
    browser.viewer.sound_type, browser.viewer.on_sound = 111, heard.append
    browser.viewer.receive(said, 100.0)
    assert [one.sequence for one in heard] == [1], "it was not opened before, so it is no double now"


def test_before_the_handshake_there_is_no_sound() -> None:
    browser, heard = Browser(), list[Packet]()
    browser.viewer.sound_type, browser.viewer.on_sound = 111, heard.append
    browser.viewer.receive(rtp.write(packet(1, 0, payload_type=111)), 100.0)
    assert heard == []


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=60))
def test_whatever_a_talker_sends_nothing_breaks(data: bytes) -> None:
    """Garbage as it is, and garbage that was encrypted as it should be."""
    browser, heard = _TALKING
    browser.viewer.receive(b"\x80" + data, 100.0)
    assert browser.dtls.keys is not None
    if len(data) >= 12:
        browser.viewer.receive(srtp.sender(browser.dtls.keys, is_client=True).protect(b"\x9f\x6f" + data), 100.0)
    assert not browser.viewer.closed
    assert all(one.payload_type == 111 for one in heard)


_TALKING = talking()
