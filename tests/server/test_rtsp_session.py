"""A player's dialog, as a conversation: what each request may do and when, what ends it, and that nothing breaks it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.errors import fault_error
from ringlight.media.h264 import AccessUnit
from ringlight.media.rtp import TIMESTAMPS
from ringlight.media.sdp import Codec
from ringlight.secrets import Secret
from ringlight.server.rtsp import session
from ringlight.server.rtsp.description import describe
from ringlight.server.rtsp.events import (
    Action,
    Admitted,
    Alive,
    Close,
    Event,
    Judge,
    Open,
    Opened,
    Pause,
    Place,
    Placed,
    Play,
    Received,
    Refused,
    Report,
    Send,
    Tick,
)
from ringlight.server.rtsp.messages import interleaved
from ringlight.server.rtsp.player import SLEW, steadily
from ringlight.server.rtsp.session import Dialog, State

CODECS = {"video": Codec(102, "H264", 90_000), "audio": Codec(111, "opus", 48_000, 2)}
STREAM = describe("Front Door", CODECS, {"video": 7, "audio": 8}, AccessUnit(0, (b"\x67sps1", b"\x68pps", b"\x65")))
URL = "rtsp://192.0.2.1:8554/front-door"
TCP, UDP = "RTP/AVP/TCP;unicast;interleaved=0-1", "RTP/AVP;unicast;client_port=5000-5001"


class Talk:
    """A dialog with a player, told line by line."""

    def __init__(self, *, guarded: bool = False, udp: bool = True) -> None:
        self.dialog = Dialog("S", "00" * 16, guarded=guarded, udp=udp, address="192.0.2.1", now=0.0)
        self.now, self.number = 0.0, 0

    def feed(self, event: Event) -> list[Action]:
        return self.dialog.receive(event, self.now)

    def ask(self, method: str, url: str = URL, *headers: str) -> list[Action]:
        self.number += 1
        return self.feed(
            Received("\r\n".join((f"{method} {url} RTSP/1.0", f"CSeq: {self.number}", *headers, "", "")).encode())
        )

    def opened(self) -> "Talk":
        assert self.ask("DESCRIBE") == [Open("front-door")]
        assert statuses(self.feed(Opened(STREAM))) == [200]
        return self

    def set_up(self) -> "Talk":
        self.opened()
        assert statuses(self.ask("SETUP", URL + "/trackID=0", f"Transport: {TCP}")) == [200]
        return self

    def playing(self) -> "Talk":
        self.set_up()
        assert self.ask("PLAY", URL + "/", "Session: S")[1:] == [Play({0: (0, 1)})]
        return self


def statuses(actions: Sequence[Action]) -> list[int]:
    return [int(action.data.split(b" ")[1]) for action in actions if isinstance(action, Send)]


def text(actions: Sequence[Action]) -> str:
    return b"".join(action.data for action in actions if isinstance(action, Send)).decode()


def test_a_player_asks_sets_up_plays_pauses_and_leaves() -> None:
    talk = Talk()
    assert "Public: OPTIONS, DESCRIBE, SETUP, PLAY" in text(talk.ask("OPTIONS", "*"))
    talk.opened()
    said = text(talk.ask("SETUP", URL + "/trackID=0", f"Transport: {TCP}"))
    assert "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000007" in said
    assert "Session: S;timeout=60" in said
    assert statuses(talk.ask("SETUP", URL + "/trackID=1", "Transport: RTP/AVP/TCP", "Session: S;timeout=60")) == [200]
    answer, play = talk.ask("PLAY", URL, "Session: S", "Range: npt=0.000-")
    assert statuses([answer]) == [200]
    assert play == Play({0: (0, 1), 1: (2, 3)})
    assert talk.feed(Received(interleaved(1, b"report") + interleaved(0, b"rtp") + interleaved(3, b"other"))) == [
        Report(0, b"report"), Report(1, b"other"),
    ]  # fmt: skip
    assert talk.ask("PAUSE", URL, "Session: S")[0] == Pause()
    assert talk.ask("PLAY", URL, "Session: S")[1] == Play({0: (0, 1), 1: (2, 3)})
    last, end = talk.ask("TEARDOWN", URL, "Session: S")
    assert (statuses([last]), end) == ([200], Close())
    assert talk.ask("OPTIONS") == []


def test_options_wakes_nothing_and_describe_waits_for_the_camera_while_others_wait_for_it() -> None:
    talk = Talk()
    assert statuses(talk.ask("OPTIONS")) == [200]
    assert talk.ask("DESCRIBE") == [Open("front-door")]
    assert talk.ask("OPTIONS") == []
    assert talk.ask("GET_PARAMETER") == []
    said = talk.feed(Opened(STREAM))
    assert statuses(said) == [200, 200, 200]
    assert ["CSeq: 2" in text([said[0]]), "CSeq: 3" in text([said[1]]), "CSeq: 4" in text([said[2]])] == [True] * 3
    assert "Content-Base: rtsp://192.0.2.1:8554/front-door/\r\n" in text([said[0]])


def test_a_fault_is_an_answer_with_its_code_in_the_first_line_and_another_try_is_possible() -> None:
    talk = Talk()
    talk.ask("DESCRIBE")
    said = text(talk.feed(Refused(fault_error("RING-RATE", retry_after=2.5))))
    assert said.startswith("RTSP/1.0 429 RING-RATE ")
    assert "Retry-After: 3\r\n" in said
    assert '"fix":' in said
    assert talk.ask("DESCRIBE") == [Open("front-door")]


def test_by_udp_ports_are_placed_first() -> None:
    talk = Talk().opened()
    assert talk.ask("SETUP", URL + "/trackID=0", f"Transport: {UDP}") == [Place(0, (5000, 5001))]
    said = text(talk.feed(Placed((6000, 6001))))
    assert "Transport: RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;ssrc=00000007" in said
    assert statuses(talk.ask("SETUP", URL + "/trackID=1", f"Transport: {TCP}")) == [461], "one way for all tracks"
    assert talk.ask("SETUP", URL + "/trackID=1", "Transport: RTP/AVP;client_port=5002-5003") == [Place(1, (5002, 5003))]
    assert statuses(talk.feed(Refused(fault_error("SERVER-ERROR")))) == [500]
    assert talk.ask("PLAY")[1] == Play({0: None})


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("SETUP /trackID=9", [f"Transport: {TCP}"], 404),
        ("SETUP ", [f"Transport: {TCP}"], 459),
        ("SETUP /trackID=0", ["Transport: RTP/SAVP"], 461),
        ("SETUP /trackID=0", [], 461),
        ("PLAY ", [], 455),
        ("PAUSE ", [], 455),
        ("PLAY ", ["Session: S"], 454),
        ("TEARDOWN ", ["Session: other"], 454),
        ("DESCRIBE ", ["Accept: text/html"], 406),
        ("DESCRIBE ", ["Require: www.onvif.org/ver20/backchannel"], 551),
        ("ANNOUNCE ", [], 405),
        ("RECORD ", [], 405),
        ("BREW ", [], 501),
    ],
)
def test_what_cannot_be_done_is_refused_and_the_dialog_goes_on(
    request_line: str, headers: list[str], status: int
) -> None:
    talk = Talk().opened()
    method, _, more = request_line.partition(" ")
    assert statuses(talk.ask(method, URL + more, *headers)) == [status]
    assert statuses(talk.ask("OPTIONS")) == [200]


def test_once_set_up_it_keeps_to_its_camera_and_while_it_plays_to_its_tracks() -> None:
    talk = Talk().set_up()
    other = "rtsp://192.0.2.1:8554/driveway"
    assert statuses(talk.ask("DESCRIBE", other)) == [455]
    assert statuses(talk.ask("SETUP", other + "/trackID=0", f"Transport: {TCP}")) == [459]
    assert statuses(talk.ask("SETUP", URL + "/trackID=1", f"Transport: {TCP}")) == [461], "these channels are taken"
    talk.ask("PLAY")
    assert statuses(talk.ask("SETUP", URL + "/trackID=1", "Transport: RTP/AVP/TCP")) == [455]
    assert [type(action) for action in talk.ask("PLAY")] == [Send], "to ask twice begins nothing anew"


def test_another_camera_before_that_leaves_the_first() -> None:
    assert Talk().opened().ask("DESCRIBE", "rtsp://h/driveway") == [Open("driveway")]


BASIC = "Authorization: Basic bWU6c2VjcmV0"


def test_with_a_key_only_options_is_answered_to_strangers() -> None:
    talk = Talk(guarded=True)
    assert statuses(talk.ask("OPTIONS")) == [200]
    said = text(talk.ask("DESCRIBE"))
    assert said.startswith("RTSP/1.0 401 ")
    assert 'WWW-Authenticate: Digest realm="Ringlight", nonce="' in said
    assert 'WWW-Authenticate: Basic realm="Ringlight"' in said
    assert talk.ask("DESCRIBE", URL, BASIC) == [Judge("front-door", Secret("secret"))]
    assert talk.ask("OPTIONS") == [], "one after the other"
    assert talk.feed(Admitted()) == [Open("front-door")]
    assert statuses(talk.feed(Opened(STREAM))) == [200, 200]
    assert statuses(talk.ask("SETUP", URL + "/trackID=0", f"Transport: {TCP}")) == [401], "each request proves it"
    assert talk.ask("GET_PARAMETER", "*", BASIC) == [Judge("front-door", Secret("secret"))]
    assert talk.feed(Opened(STREAM)) == [], "that was not asked"


def test_the_third_wrong_key_ends_it() -> None:
    talk = Talk(guarded=True)
    assert [len(talk.ask("DESCRIBE")) for _ in range(5)] == [1] * 5, "not to know is no guess"
    said = list[list[Action]]()
    for _ in range(session.GUESSES):
        assert isinstance(talk.ask("DESCRIBE", URL, BASIC)[0], Judge)
        said.append(talk.feed(Refused(fault_error("KEY-NEEDED"))))
    assert [statuses(one) for one in said] == [[401]] * 3
    assert said[-1][-1] == Close("a wrong key")


def test_what_a_key_is_not_for_is_said_and_who_guesses_has_to_wait_elsewhere() -> None:
    talk = Talk(guarded=True)
    talk.ask("DESCRIBE", URL, BASIC)
    assert text(talk.feed(Refused(fault_error("KEY-CAMERA")))).startswith("RTSP/1.0 403 KEY-CAMERA ")
    talk.ask("DESCRIBE", URL, BASIC)
    last = talk.feed(Refused(fault_error("KEY-TRIES", retry_after=12.0)))
    assert (statuses(last), last[-1]) == ([429], Close("KEY-TRIES"))
    assert "Retry-After: 12" in text(last)


def test_by_udp_a_player_without_a_sign_of_life_is_let_go_and_any_sign_counts() -> None:
    talk = Talk().opened()
    talk.ask("SETUP", URL + "/trackID=0", f"Transport: {UDP}")
    talk.feed(Placed((6000, 6001)))
    talk.ask("PLAY")
    for sign in (Alive(), "OPTIONS", "GET_PARAMETER", "SET_PARAMETER"):
        talk.now += session.TIMEOUT - 1
        assert talk.feed(Tick()) == []
        talk.ask(sign) if isinstance(sign, str) else talk.feed(sign)
    talk.now += session.TIMEOUT + 1
    assert talk.feed(Tick()) == [Close("no sign of life for 60 s")]


def test_between_the_text_the_connection_is_the_sign_of_life() -> None:
    talk = Talk().playing()
    talk.now += 24 * 3600
    assert talk.feed(Tick()) == []


@pytest.mark.parametrize("far", ["new", "described", "set up", "paused"])
def test_who_holds_a_camera_awake_without_playing_is_let_go_whatever_it_says(far: str) -> None:
    talk = Talk()
    if far != "new":
        talk = {"described": talk.opened, "set up": talk.set_up, "paused": talk.playing}[far]()
    if far == "paused":
        talk.ask("PAUSE")
    for _ in range(4):
        talk.now += session.TIMEOUT / 4
        assert statuses(talk.ask("OPTIONS")) == [200]
    talk.now += 1
    assert talk.feed(Tick()) == [Close("no PLAY for 60 s")]


def test_a_slow_camera_is_waited_for() -> None:
    talk = Talk()
    talk.ask("DESCRIBE")
    talk.now += 2 * session.TIMEOUT
    assert talk.feed(Tick()) == []
    assert statuses(talk.feed(Opened(STREAM))) == [200]
    assert talk.feed(Tick()) == []


def test_half_a_request_is_not_waited_for() -> None:
    talk = Talk()
    talk.feed(Received(b"DESCRIBE rtsp://h/x RTSP/1.0\r\n"))
    talk.now += session.WHOLE_WITHIN
    talk.feed(Received(b"X: y\r\n"))  # a drop now and then does not help
    assert talk.feed(Tick()) == []
    talk.now += 1
    actions = talk.feed(Tick())
    assert (statuses(actions), actions[-1]) == ([408], Close("half a request"))


def test_a_flood_of_requests_ends_it_at_once_and_slowly_as_many_are_welcome() -> None:
    talk = Talk()
    for _ in range(session.BURST):
        assert statuses(talk.ask("OPTIONS")) == [200]
    actions = talk.ask("OPTIONS")
    assert (statuses(actions), actions[-1]) == ([429], Close("too many requests"))
    patient = Talk()
    for _ in range(3 * session.BURST):
        patient.now += session.WINDOW / session.BURST
        assert statuses(patient.ask("OPTIONS")) == [200]


def test_behind_a_camera_that_opens_only_some_requests_wait() -> None:
    talk = Talk()
    talk.ask("DESCRIBE")
    actions = [talk.ask("OPTIONS") for _ in range(session.WAITING + 1)]
    assert actions[-1][-1] == Close("too many requests")


def test_garbage_and_a_request_without_a_number_end_it() -> None:
    assert Talk().feed(Received(b"\x00garbage"))[-1] == Close("no RTSP request: '\\x00garbage'")
    actions = Talk().feed(Received(b"OPTIONS * RTSP/1.0\r\n\r\n"))
    assert (statuses(actions), actions[-1]) == ([400], Close("a request without CSeq"))


METHODS = [
    "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE", "NEW",
]  # fmt: skip
LINES = st.builds(
    lambda method, where, number, headers: (
        "\r\n".join((f"{method} {where} RTSP/1.0", f"CSeq: {number}", *headers, "", "")).encode()
    ),
    st.sampled_from(METHODS),
    st.sampled_from(["*", URL, URL + "/", URL + "/trackID=0", URL + "/trackID=1", "rtsp://h/driveway/trackID=0", "x"]),
    st.integers(0, 9),
    st.lists(st.sampled_from([f"Transport: {TCP}", f"Transport: {UDP}", "Transport: RTP/AVP/TCP", "Session: S",
                              "Session: T", "Content-Length: 0", "Accept: application/sdp", BASIC]), max_size=3),
)  # fmt: skip
EVENTS = st.one_of(
    LINES.map(Received),
    st.binary(max_size=20).map(Received),
    st.builds(lambda channel, data: Received(interleaved(channel, data)), st.integers(0, 5), st.binary(max_size=9)),
    st.just(Opened(STREAM)),
    st.just(Refused(fault_error("CAM-OFFLINE"))),
    st.just(Placed((6000, 6001))),
    st.just(Admitted()),
    st.just(Alive()),
    st.just(Tick()),
)


@given(st.lists(st.tuples(EVENTS, st.floats(0, 40)), max_size=60), st.booleans())
def test_in_any_order_each_request_has_one_answer_and_after_the_end_there_is_silence(
    steps: list[tuple[Event, float]], guarded: bool
) -> None:
    talk, closed = Talk(guarded=guarded), False
    asked: type[Event] | None = None
    for event, passed in steps:
        talk.now += passed
        if isinstance(event, Admitted | Opened | Refused | Placed):
            if asked is None or (isinstance(event, Admitted | Opened | Placed) and type(event) is not asked):
                continue  # the shell answers what it was asked
            asked = None
        actions = talk.feed(event)
        assert not closed or not actions
        for action in actions:
            assert not closed, "nothing comes behind Close"
            closed = isinstance(action, Close)
            if isinstance(action, Judge | Open | Place):
                assert asked is None, "one thing at a time"
                asked = {Judge: Admitted, Open: Opened, Place: Placed}[type(action)]
            if isinstance(action, Play):
                assert talk.dialog.camera
                assert action.channels
        assert closed == (talk.dialog.state is State.CLOSED)


def test_a_report_never_moves_the_clock_by_much_however_late_the_packets_were_before() -> None:
    """ffmpeg moves all that follows by it: half a second at once, and the film runs backwards."""
    start, rate = TIMESTAMPS - 90_000, 90_000
    assert steadily(None, start, 10.0, rate) == start
    assert steadily((start, 10.0), 90_000, 12.0, rate) == 90_000, "two seconds later, over the end of the circle"
    late = steadily((start, 10.0), 90_000 + 45_000, 12.0, rate)
    assert late == 90_000 + round(SLEW * 2 * rate)
    early = steadily((start, 10.0), 90_000 - 45_000, 12.0, rate)
    assert early == 90_000 - round(SLEW * 2 * rate)
