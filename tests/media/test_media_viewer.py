"""One viewer without any I/O: a browser's side is played by hand, the time is a number."""

from itertools import count

import pytest
from aioice import stun as ice
from hypothesis import given, settings
from hypothesis import strategies as st
from media_kit import IDR, PPS, SLICE, SPS, Calls, frame, frames_of, packet, unit

from ringlight.media import rtcp, rtp, srtp, stun
from ringlight.media.dtls import Certificate, Dtls, Role, own_certificate
from ringlight.media.forward import Outlet, Track
from ringlight.media.line import FIRST_FLIGHT, FIRST_LOOK, LOOK_FOR
from ringlight.media.rtp import Packet
from ringlight.media.transport_wide import TransportFeedback
from ringlight.media.viewer import (
    ALERT,
    DOUBT,
    GONE_AFTER,
    REPEATS,
    REPORT_EVERY,
    UDP_FIRST,
    Address,
    Runs,
    TcpAddress,
    Viewer,
)

KEY = (SPS, PPS, IDR + b"key")
HOME, ABROAD = ("192.0.2.7", 50_000), ("198.51.100.9", 1234)


class Browser:
    """The other side of a viewer: checks, handshake, and what it could decode."""

    def __init__(
        self,
        *,
        fingerprint: str | None = None,
        audio: bool = False,
        rtx: tuple[int, int] | None = None,
        stamp: int | None = None,
        role: Role = Role.CLIENT,
    ) -> None:
        own = own_certificate().fingerprint
        self.role = role
        self.dtls = Dtls(role, own)
        self.inbox: list[bytes] = []
        self.key_frames, self.ended = Calls(), Calls()
        self.tracks = {"video": Track(True, 77, 90_000, 1500, 65_400), "audio": Track(False, 78, 48_000)}
        outlets = {"video": Outlet(self.tracks["video"], 108, rtx, stamp)}
        self.now = 100.0  # on the viewer's clock
        if audio:
            outlets["audio"] = Outlet(self.tracks["audio"], 111)
        self.calls: list[int] = []
        self.viewer = Viewer(
            "ours", "password", fingerprint or own, outlets, "cname",
            self.inbox.append, self._send_all, self.key_frames, self.ended, 100.0,
            role=Role.SERVER if role is Role.CLIENT else Role.CLIENT, clock=lambda: self.now,
        )  # fmt: skip
        self._ids = count()

    def _send_all(self, packets: list[bytes], runs: Runs) -> None:
        self.calls += [end - start for start, end in runs]
        self.inbox.extend(packets)

    def camera(self, packets: list[Packet], kind: str = "video") -> None:
        """Let the camera send something."""
        for one in packets:
            batch = self.tracks[kind].push(one, 100.0)
            if batch is not None:
                self.viewer.packets(kind, batch)

    def check(
        self,
        address: Address = HOME,
        *,
        ufrag: str = "ours",
        password: str = "password",
        nominates: bool = True,
        now: float = 100.0,
    ) -> ice.Message:
        message = ice.Message(ice.Method.BINDING, ice.Class.REQUEST, transaction_id=next(self._ids).to_bytes(12, "big"))
        message.attributes["USERNAME"] = f"{ufrag}:theirs"
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
        self.viewer.begin()
        for _ in range(6):
            self.listen()
            for datagram in list(self.dtls.outgoing()):
                self.viewer.receive(datagram, now)
            self.listen()
            if self.dtls.keys is not None:
                for datagram in list(self.dtls.outgoing()):
                    self.viewer.receive(datagram, now)
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
            self._receiver = srtp.receiver(self.dtls.keys, is_client=self.role is Role.CLIENT)
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
            self._sender = srtp.sender(self.dtls.keys, is_client=self.role is Role.CLIENT)
        self.viewer.receive(self._sender.protect_rtcp(b"".join(map(rtcp.write, reports))), now)

    def send_rtcp(self, plain: bytes, now: float = 100.0) -> None:
        """Send any RTCP, encrypted as it should be."""
        self.say(now=now)
        self.viewer.receive(self._sender.protect_rtcp(plain), now)


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
    browser.viewer.is_full = lambda: full
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
    browser.viewer.is_full = lambda: True
    browser.camera(frame(500, 6_000_000, SLICE))
    assert not browser.viewer.behind


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
    assert (browser.viewer.ufrag, browser.viewer.pwd) == ("fresh", "secret")
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
