"""One viewer without any I/O: a browser's side is played by hand, the time is a number."""

from itertools import count

import pytest
from aioice import stun as ice
from hypothesis import given, settings
from hypothesis import strategies as st
from media_kit import AUD, IDR, PPS, SLICE, SPS, Calls, frame, frames_of, packet

from ringlight.media import rtcp, rtp, srtp, stun
from ringlight.media.dtls import Dtls, Role, own_certificate
from ringlight.media.forward import Outlet
from ringlight.media.rtp import Packet
from ringlight.media.viewer import GONE_AFTER, REPORT_EVERY, Address, Viewer

KEY = (SPS, PPS, IDR + b"key")
HOME, ABROAD = ("192.0.2.7", 50_000), ("198.51.100.9", 1234)


class Browser:
    """The other side of a viewer: checks, handshake, and what it could decode."""

    def __init__(self, *, fingerprint: str | None = None, audio: bool = False) -> None:
        own = own_certificate().fingerprint
        self.dtls = Dtls(Role.CLIENT, own)
        self.inbox: list[bytes] = []
        self.key_frames, self.ended = Calls(), Calls()
        outlets = {"video": Outlet(77, 108, 90_000, video=True)}
        if audio:
            outlets["audio"] = Outlet(78, 111, 48_000, video=False)
        self.viewer = Viewer(
            "ours", "password", fingerprint or own, outlets, "cname",
            self.inbox.append, self.key_frames, self.ended, 100.0,
        )  # fmt: skip
        self._ids = count()

    def check(
        self, address: Address = HOME, *, password: str = "password", nominates: bool = True, now: float = 100.0
    ) -> ice.Message:
        message = ice.Message(ice.Method.BINDING, ice.Class.REQUEST, transaction_id=next(self._ids).to_bytes(12, "big"))
        message.attributes["USERNAME"] = "ours:theirs"
        if nominates:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(password.encode())
        request = stun.parse_request(bytes(message))
        assert request is not None
        answer = ice.parse_message(self.viewer.check(request, address, now))
        assert answer.transaction_id == message.transaction_id
        return answer

    def shake_hands(self, now: float = 100.0) -> None:
        self.dtls.start()
        for _ in range(6):
            for datagram in list(self.dtls.outgoing()):
                self.viewer.receive(datagram, now)
            self.listen()
            if self.dtls.keys is not None:
                return
        raise AssertionError("the handshake did not end")

    def listen(self) -> None:
        """Give the handshake its share of what came; the rest stays in the inbox."""
        for datagram in tuple(self.inbox):
            if 20 <= datagram[0] <= 63:
                self.inbox.remove(datagram)
                self.dtls.receive(datagram)

    def connect(self, now: float = 100.0) -> None:
        self.check(now=now)
        self.shake_hands(now)

    def opened(self) -> list[bytes]:
        """Open what came; nothing may be doubled or forged."""
        self.listen()
        assert self.dtls.keys is not None
        if not hasattr(self, "_receiver"):
            self._receiver = srtp.receiver(self.dtls.keys, is_client=True)
        found = []
        for datagram in self.inbox:
            plain = (
                self._receiver.unprotect_rtcp(datagram) if rtp.is_rtcp(datagram) else self._receiver.unprotect(datagram)
            )
            assert plain is not None
            found.append(plain)
        self.inbox.clear()
        return found

    def pictures(self) -> list[Packet]:
        return [rtp.parse(data) for data in self.opened() if not rtp.is_rtcp(data)]

    def reports(self) -> list[rtcp.Report]:
        return [report for data in self.opened() if rtp.is_rtcp(data) for report in rtcp.parse(data)]

    def say(self, *reports: rtcp.Report, now: float = 100.0) -> None:
        assert self.dtls.keys is not None
        if not hasattr(self, "_sender"):
            self._sender = srtp.sender(self.dtls.keys, is_client=True)
        self.viewer.receive(self._sender.protect_rtcp(b"".join(map(rtcp.write, reports))), now)


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
    browser.viewer.join("video", frames_of(KEY))
    browser.viewer.packets("video", frames_of((SLICE,), sequence=103))
    assert browser.inbox == []
    assert not browser.viewer.connected


def test_the_first_picture_comes_with_the_channel(browser: Browser) -> None:
    """The running group, and what came during the handshake; then live."""
    packets = frames_of(KEY, (SLICE,), (SLICE,), (SLICE,))
    browser.viewer.join("video", packets[:4])
    browser.check()
    browser.viewer.packets("video", packets[4:5])
    browser.shake_hands()
    assert browser.viewer.connected
    seen = browser.pictures()
    assert [one.payload for one in seen] == [*KEY, SLICE, SLICE]
    assert len(browser.key_frames) == 0
    browser.viewer.packets("video", packets[5:])
    (live,) = browser.pictures()
    assert live.sequence == seen[-1].sequence + 1


@pytest.mark.parametrize("lead", [(), (AUD,)])
def test_during_a_long_handshake_only_the_last_group_is_kept(browser: Browser, lead: tuple[bytes, ...]) -> None:
    """Even of a camera that puts something before the parameter sets of each key frame."""
    frames = [(*lead, *KEY), (SLICE,), (SLICE,)] * 4 + [(*lead, *KEY), (SLICE,)]
    browser.viewer.join("video", [])
    for one in frames_of(*frames):
        browser.viewer.packets("video", [one])
    browser.connect()
    assert [one.payload for one in browser.pictures()] == [*lead, *KEY, SLICE]


def test_a_handshake_that_never_ends_does_not_fill_the_memory(browser: Browser) -> None:
    browser.viewer.join("video", frames_of(KEY))
    for at in range(5000):
        browser.viewer.packets("video", [packet(103 + at, 20_000 + at)])
    browser.connect()
    assert browser.pictures() == []
    assert len(browser.key_frames) == 1


def test_another_session_of_the_camera_during_the_handshake_begins_with_its_own_key_frame(browser: Browser) -> None:
    browser.viewer.join("video", frames_of(KEY, (SLICE,)))
    browser.viewer.packets("video", frames_of((SLICE,), KEY, (SLICE,), sequence=9, ssrc=2))
    browser.connect()
    assert [one.payload for one in browser.pictures()] == [*KEY, SLICE]


def test_without_a_running_group_a_key_frame_is_asked_for(browser: Browser) -> None:
    browser.viewer.join("video", [])
    browser.viewer.packets("video", frames_of((SLICE,)))
    browser.connect()
    assert browser.pictures() == []
    assert len(browser.key_frames) == 1


def test_who_joins_with_an_open_channel_gets_the_group_at_once(browser: Browser) -> None:
    browser.connect()
    browser.viewer.join("video", frames_of(KEY))
    assert [one.payload for one in browser.pictures()] == [*KEY]


def test_sound_goes_out_once_the_channel_is_open() -> None:
    browser = Browser(audio=True)
    browser.viewer.packets("audio", [packet(1, 960, b"early")])
    browser.connect()
    browser.viewer.packets("audio", [packet(2, 1920, b"sound")])
    browser.viewer.packets("smell", [packet(2, 1920, b"?")])
    (seen,) = browser.pictures()
    assert (seen.payload, seen.ssrc, seen.payload_type) == (b"sound", 78, 111)


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
    browser.viewer.join("video", frames_of(KEY))
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
    assert browser.viewer.lost_fraction == 0.25


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


def test_another_certificate_ends_it_with_a_code() -> None:
    browser = Browser(fingerprint=own_certificate().fingerprint.replace("A", "B"))
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
    browser.viewer.join("video", [])
    browser.viewer.packets("video", frames_of(KEY))
    assert [one.payload for one in browser.pictures()] == [*KEY]
    assert browser.ended.seen == []


# Time and the end


def test_sender_reports_come_every_two_seconds_once_something_was_sent(browser: Browser) -> None:
    """They tie the tracks' clocks together; without them sound and picture drift apart."""
    browser.connect()
    browser.viewer.tick(101.0, 1000.0)
    assert browser.opened() == []
    browser.viewer.packets("video", frames_of(KEY))
    sent = browser.pictures()
    browser.viewer.tick(101.0 + REPORT_EVERY, 1000.5)
    (report,) = browser.reports()
    assert report == rtcp.SenderReport(
        77, rtcp.ntp_time(1000.5), sent[-1].timestamp, 3, sum(len(one.payload) for one in sent)
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
    browser.viewer.packets("video", frames_of(KEY))
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


def test_a_frame_in_parts_is_protected_packet_by_packet(browser: Browser) -> None:
    browser.viewer.join("video", frames_of(KEY))
    browser.connect()
    browser.pictures()
    browser.viewer.packets("video", frame(103, 30_000, *[SLICE] * 44))
    assert len(browser.pictures()) == 44
