"""What holds for a session in every order of events, at every time."""

from typing import Any

from conversation import CAMERA, DIALOG, RIID, received
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.faults import FAULTS
from ringlight.liveview import events, messages
from ringlight.liveview.lint import Judge
from ringlight.liveview.session import STEPS, Session, State
from ringlight.media import negotiate, sdp
from ringlight.media.sdp import Transport
from ringlight.settings import LiveViewSettings

TRANSPORT = Transport("ufrag123", "password-of-ice-24-chars", "AA:BB", "actpass")
OFFER = sdp.write(negotiate.camera_offer(TRANSPORT, audio=True))
CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host"

_texts = st.sampled_from(["", "camera_connected", "Sessions with the provided ID not found", "sdp", "\x1b[2J\n"])
_intervals = st.none() | st.floats(allow_nan=False) | st.integers() | st.just(10**400)
_flags = st.sampled_from([True, False, None])
_bodies: st.SearchStrategy[messages.Body] = st.one_of(
    st.builds(messages.SessionCreated, doorbot_id=st.just(CAMERA), session_id=st.sampled_from(["S", "T", "", None])),
    st.builds(messages.SessionStarted, doorbot_id=st.just(CAMERA), session_id=st.sampled_from(["S", "U"])),
    st.builds(
        messages.Sdp,
        doorbot_id=st.just(CAMERA),
        sdp=st.sampled_from(["ANSWER", "ANSWER", ""]),
        session_info=st.none() | st.builds(messages.SessionInfo, ping_interval=_intervals),
    ),
    st.builds(messages.LiveView, doorbot_id=st.just(CAMERA), sdp=st.just("ANSWER")),
    st.builds(messages.Ice, doorbot_id=st.just(CAMERA), ice=st.just(CANDIDATE), mlineindex=st.integers()),
    st.builds(messages.Pong, doorbot_id=st.just(CAMERA)),
    st.builds(messages.Ping, doorbot_id=st.just(CAMERA)),
    st.builds(messages.Notification, doorbot_id=st.just(CAMERA), is_ok=_flags, text=_texts),
    st.builds(messages.CameraStarted, doorbot_id=st.sampled_from([CAMERA, CAMERA, 7])),
    st.builds(messages.StreamInfo, doorbot_id=st.just(CAMERA), transcoding=st.booleans()),
    st.builds(
        messages.Close,
        doorbot_id=st.just(CAMERA),
        reason=st.builds(messages.Reason, code=st.sampled_from([0, 5, 6, 10, 26, 99, -1]), text=_texts),
    ),
)  # fmt: skip
_received = st.builds(received, _bodies, st.sampled_from([DIALOG, DIALOG, DIALOG, None, "another"]))
_unknown = st.builds(lambda method: received(messages.Unknown(), method=method), st.sampled_from(["rpc", "news"]))
_events: st.SearchStrategy[events.Event] = st.one_of(
    st.just(events.Start(OFFER)),
    _received,
    _received,
    _unknown,
    st.builds(events.LocalCandidate, st.just(CANDIDATE), st.integers(0, 1), st.just("0")),
    st.just(events.PathOpen()),
    st.just(events.MediaSeen()),
    st.builds(events.Talk, st.booleans()),
    st.just(events.Tick()),
    st.builds(events.Garbled, st.sampled_from(["SIG-NOISE", "SIG-FORMAT"]), _texts),
    st.builds(events.PathLeft),
    st.builds(events.PathFailed, st.sampled_from(["MEDIA-UDP", "MEDIA-DTLS"])),
    st.builds(events.SocketClosed, st.sampled_from([1000, 1001, 1005, 1006, 1009, 4002, 4711, 0]), _texts),
    st.just(events.Stop()),
)
# Seconds from event to event; the long ones lie beyond every deadline.
_talks = st.lists(st.tuples(st.sampled_from([0.0, 0.01, 1.0, 4.0, 11.0, 100.0]), _events), max_size=25)
_OPENING: list[tuple[float, events.Event]] = [
    (0.0, events.Start(OFFER)),
    (0.1, received(messages.SessionCreated(doorbot_id=CAMERA, session_id="S"))),
    (0.1, received(messages.Sdp(doorbot_id=CAMERA, session_id="S", sdp="ANSWER"))),
]


@settings(max_examples=300, deadline=None)
@given(opened=st.integers(0, 3), talk=_talks)
def test_whatever_comes_in_whatever_order(opened: int, talk: list[tuple[float, events.Event]]) -> None:
    session = Session(CAMERA, DIALOG, RIID)
    now, ended, wanted = 0.0, False, False
    for pause, event in [*_OPENING[:opened], *talk]:
        now += pause
        wanted = event.on if isinstance(event, events.Talk) else wanted
        known_before = session.session_id is not None
        actions = session.receive(event, now=now)
        assert not (ended and actions), "after Closed there is silence"
        for index, action in enumerate(actions):
            match action:
                case events.Closed(code):
                    ended = True
                    assert index == len(actions) - 1
                    assert code in FAULTS
                case events.Send(message):
                    assert message.dialog_id == DIALOG
                    assert session.session_id is not None or message.method in ("live_view", "close")
                    assert message.method in ("live_view", "close") or message.body.session_id == session.session_id
                case events.Step(name):
                    assert name in STEPS
                case events.Note(_, code):
                    assert code is None or code in FAULTS
                case events.UseAnswer() | events.AddCandidate():
                    assert not ended
                case events.Speaker(is_open):
                    assert is_open is wanted, "the speaker never opens unasked"
        assert ended == (session.state is State.CLOSED)
        if session.state is State.CLOSED:
            assert session.deadline is None
        elif session.state is not State.NEW:
            assert session.deadline is not None
        assert not known_before or session.session_id is not None


@settings(max_examples=200, deadline=None)
@given(talk=_talks)
def test_time_alone_ends_every_view(talk: list[tuple[float, events.Event]]) -> None:
    session = Session(CAMERA, DIALOG, RIID)
    now = 0.0
    for pause, event in [*_OPENING[:1], *talk]:
        now += pause
        session.receive(event, now=now)
    for _ in range(50):
        if session.deadline is None:
            break
        now = max(now, session.deadline)
        session.receive(events.Tick(), now=now)
    assert session.state is State.CLOSED


# What a server may do in any order, once the offer is there; the judge is told of it as the server would be.
_server_moves = st.lists(
    st.sampled_from(
        [
            "created",
            "again",
            "answer",
            "ice",
            "pong",
            "camera",
            "noise",
            "local",
            "tick",
            "path",
            "media",
            "talk",
            "hush",
        ]
    ),
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(moves=_server_moves, audio=st.booleans())
def test_a_legal_server_never_finds_fault_with_what_we_send(moves: list[str], audio: bool) -> None:
    limits = LiveViewSettings(audio=audio, answer_timeout=1e4, session_timeout=1e4)
    session = Session(CAMERA, DIALOG, RIID, limits)
    judge, now = Judge(), 0.0
    candidate: events.Event = events.LocalCandidate(CANDIDATE, 0, "0")
    ours: dict[str, events.Event] = {"local": candidate, "tick": events.Tick(), "path": events.PathOpen(),
                                   "media": events.MediaSeen(), "talk": events.Talk(True),
                                   "hush": events.Talk(False)}  # fmt: skip
    theirs: dict[str, messages.Body] = {
        "created": messages.SessionCreated(doorbot_id=CAMERA, session_id="S"),
        "again": messages.SessionCreated(doorbot_id=CAMERA, session_id="S"),
        "answer": messages.Sdp(doorbot_id=CAMERA, session_id="S", sdp="ANSWER"),
        "ice": messages.Ice(doorbot_id=CAMERA, session_id="S", ice=CANDIDATE, mlineindex=0),
        "pong": messages.Pong(doorbot_id=CAMERA, session_id="S"),
        "camera": messages.CameraStarted(doorbot_id=CAMERA, session_id="S"),
        "noise": messages.StreamInfo(doorbot_id=CAMERA, session_id="S", transcoding=True),
    }
    sent = 0

    def judged(event: events.Event) -> None:
        nonlocal sent
        for action in session.receive(event, now=now):
            if isinstance(action, events.Send):
                verdict = judge.receive(messages.encode(action.message))
                assert verdict.code is None, verdict
                sent += 1

    judged(events.Start(OFFER))
    for move in moves:
        now += 1.0
        if move in ("created", "again"):
            judge.created(DIALOG, "S")
        elif move == "answer":
            judge.answered(DIALOG)
        elif move == "camera":
            judge.connected(DIALOG)
        judged(ours[move] if move in ours else received(theirs[move]))
    judged(events.Stop())
    assert sent >= 2  # the offer and the close at least


def test_what_ring_writes_is_shown_as_one_short_printable_line() -> None:
    session = Session(CAMERA, DIALOG, RIID)
    shouting = "low\x1b[2J\nlight " * 9999
    shown: list[Any] = []
    for event in (
        *(event for _, event in _OPENING),
        received(messages.Notification(doorbot_id=CAMERA, is_ok=False, text=shouting)),
        received(messages.Unknown(), method=shouting),
        received(messages.Pong(doorbot_id=CAMERA), "another", method=shouting),
        received(messages.StreamInfo(doorbot_id=CAMERA, transcoding=True, transcoding_reason=shouting)),
        events.Garbled("SIG-NOISE", shouting),
        received(messages.Close(doorbot_id=CAMERA, reason=messages.Reason(code=99, text=shouting))),
    ):
        shown += session.receive(event, now=0.0)
    texts = [action.text for action in shown if isinstance(action, events.Note)] + [shown[-1].detail]
    assert len(texts) == 6
    assert all(text.isprintable() and len(text) < 300 and "light" in text for text in texts), texts
