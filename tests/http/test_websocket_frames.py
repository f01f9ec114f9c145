"""The frame codec, judged by `websockets`: whatever is sent, in whatever pieces, both read the same."""

import itertools
import struct
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from ringlight.http.websocket import frames, protocol
from ringlight.http.websocket.frames import Binary, Closed, Event, Frames, Ping, Pong, Violation

MOST = 600
MASK = b"\x11\xa2\x03\xf4"


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bytes | None = MASK, rsv: int = 0) -> bytes:
    """One frame as a client sends it, right or wrong."""
    size, bit = len(payload), 0x80 if mask else 0
    if size < 126:
        head = bytes((fin << 7 | rsv << 4 | opcode, bit | size))
    elif size < 65_536:
        head = struct.pack("!BBH", fin << 7 | rsv << 4 | opcode, bit | 126, size)
    else:
        head = struct.pack("!BBQ", fin << 7 | rsv << 4 | opcode, bit | 127, size)
    return head + (mask + frames.unmask(payload, mask) if mask else payload)


def in_pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    at = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[one:two] for one, two in itertools.pairwise(at)]


def read(pieces: Sequence[bytes], most: int = MOST) -> list[Event]:
    codec, long_way = Frames(most), Frames(most)
    events: list[Event] = []
    same: list[Event] = []
    for piece in pieces:
        text = codec.only_text(piece)
        events += [text] if text is not None else codec.receive(piece)
        same += long_way.receive(piece)
    assert events == same, "the shortest way reads the same"
    return events


def as_websockets_reads(data: bytes) -> list[Event]:
    """The same in our words. It leaves it to its caller to put fragments together and to read the text."""
    peer = ServerProtocol(state=OPEN, max_size=MOST)
    peer.receive_data(data)
    events: list[Event] = []
    whole, opcode = b"", Opcode.TEXT
    for one in peer.events_received():
        assert isinstance(one, Frame)
        payload = bytes(one.data)
        if one.opcode is Opcode.PING:
            events.append(Ping(payload))
        elif one.opcode is Opcode.PONG:
            events.append(Pong())
        elif one.opcode is Opcode.CLOSE:
            close = Close.parse(payload)
            events.append(Closed(close.code, close.reason))
        else:
            if one.opcode is not Opcode.CONT:
                whole, opcode = b"", one.opcode
            whole += payload
            if one.fin and opcode is Opcode.BINARY:
                events.append(Binary(whole))
            elif one.fin:
                try:
                    whole.decode()
                except UnicodeDecodeError:
                    return [*events, Violation(CloseCode.INVALID_DATA, "")]
                events.append(whole)
    if peer.parser_exc is not None:
        assert peer.close_sent is not None
        events.append(Violation(peer.close_sent.code, ""))
    return events


def alike(ours: list[Event], theirs: list[Event]) -> bool:
    """Whether both read the same.

    Which of several faults of one header is named first, each decides for itself; and we refuse a continuation of
    nothing, or a message within another, at its header, where websockets waits for its end.
    """
    if len(ours) == len(theirs) + 1 and isinstance(ours[-1], Violation) and ours[-1].code == 1002:
        return ours[:-1] == theirs
    return list(map(_roughly, ours)) == list(map(_roughly, theirs))


def _roughly(event: Event) -> Event:
    if isinstance(event, Violation):
        return Violation(1002 if event.code == 1009 else event.code, "")
    return event


PAYLOADS = st.one_of(st.text(max_size=40).map(str.encode), st.binary(max_size=40), st.sampled_from([
    b"", b"\x03\xe8", b"\x03\xe8bye", b"\x03", b"\x03\xed", b"\x0f\xa0\xff", b"x" * 125, b"x" * 126, b"\xc3" * 3,
    b"x" * MOST, b"x" * (MOST + 1), b"x" * 70_000,
]))  # fmt: skip
RIGHT = st.builds(
    frame,
    st.sampled_from([0, 1, 1, 1, 2, 8, 9, 10]),
    PAYLOADS,
    fin=st.booleans(),
    mask=st.binary(min_size=4, max_size=4),
)
ANY = st.builds(
    frame, st.integers(0, 15), PAYLOADS, fin=st.booleans(), mask=st.one_of(st.none(), st.just(MASK)),
    rsv=st.sampled_from([0, 0, 0, 0, 1, 2, 4]),
)  # fmt: skip


@given(st.lists(st.one_of(RIGHT, RIGHT, ANY), max_size=8), st.lists(st.integers(0, 400), max_size=12))
def test_frames_right_and_wrong_are_read_as_websockets_reads_them(sent: list[bytes], cuts: list[int]) -> None:
    data = b"".join(sent)
    assert alike(read(in_pieces(data, cuts)), as_websockets_reads(data))


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=12))
def test_noise_is_read_as_websockets_reads_it(data: bytes, cuts: list[int]) -> None:
    assert alike(read(in_pieces(data, cuts)), as_websockets_reads(data))


@given(
    st.lists(st.tuples(st.text(max_size=MOST // 4), st.lists(st.integers(0, MOST), max_size=4)), max_size=4), st.data()
)
def test_messages_survive_fragments_with_pings_between_them(
    said: list[tuple[str, list[int]]], data: st.DataObject
) -> None:
    sent = b""
    for text, cuts in said:
        parts = in_pieces(text.encode(), cuts)
        for index, part in enumerate(parts):
            sent += frame(1 if index == 0 else 0, part, fin=index == len(parts) - 1) + frame(9, b"?")
    pieces = in_pieces(sent, data.draw(st.lists(st.integers(0, len(sent)), max_size=20)))
    assert [event.decode() for event in read(pieces) if isinstance(event, bytes)] == [text for text, _ in said]


CONVERSATION = b"".join([
    frame(1, b"short"), frame(9, b"ping"), frame(1, "längere Nachricht ".encode() * 9), frame(1, b"frag", fin=False),
    frame(10), frame(0, b"ment", fin=False), frame(9), frame(0), frame(2, b"\x00\xff"), frame(1), frame(1, b"y" * 599),
    frame(8, b"\x03\xe9gone"), frame(1, b"after the end"),
])  # fmt: skip


def test_it_makes_no_difference_where_the_network_cuts() -> None:
    """Byte by byte, at every single place, and with a tail."""
    whole = read([CONVERSATION])
    assert whole[-1] == Closed(1001, "gone")
    assert [type(event) for event in whole].count(bytes) == 5
    assert read([CONVERSATION[at : at + 1] for at in range(len(CONVERSATION))]) == whole
    for at in range(len(CONVERSATION)):
        assert read([CONVERSATION[:at], CONVERSATION[at:]]) == whole


def test_every_way_of_announcing_a_length_is_read() -> None:
    for size in (0, 1, 125, 126, 127, 65_535, 65_536, 70_000):
        text = b"z" * size
        sent = frame(1, text)
        assert read([sent], 70_000) == [text]
        assert read([sent[:5], sent[5:13], sent[13:]], 70_000) == [text]


def test_a_length_in_more_bytes_than_it_needs_is_read_too() -> None:
    """The standard forbids it, websockets takes it, and nobody is harmed. 119 bytes so announced look like 127."""
    for size in (3, 119, 125, 126):
        text = frames.unmask(b"x" * size, MASK)
        for head in (struct.pack("!BBH", 0x81, 0xFE, size), struct.pack("!BBQ", 0x81, 0xFF, size)):
            assert read([head + MASK + text]) == [b"x" * size] == as_websockets_reads(head + MASK + text)


@pytest.mark.parametrize(
    "announced", [frame(1, b"x" * 601)[:4], bytes((0x81, 0xFF)) + b"\xff" * 8, frame(2, b"x" * 70_000)[:10]]
)
def test_a_message_that_is_too_long_is_refused_at_its_header(announced: bytes) -> None:
    """Not a byte of it is kept, and a length that no machine has room for is one too many as well."""
    codec = Frames(MOST)
    assert codec.receive(announced) == [Violation(1009, "more than 600 bytes")]
    assert codec.receive(b"x" * 1000) == ()


def test_fragments_count_together() -> None:
    codec = Frames(MOST)
    assert codec.receive(frame(1, b"x" * 400, fin=False)) == []
    assert codec.receive(frame(0, b"x" * 201)[:4]) == [Violation(1009, "more than 600 bytes")]


@pytest.mark.parametrize("flood", [frame(9), frame(10), frame(1, fin=False) + frame(0), frame(0, fin=False)])
def test_a_flood_of_what_is_no_message_ends(flood: bytes) -> None:
    codec = Frames(MOST)
    if flood == frame(0, fin=False):
        codec.receive(frame(1, b"a", fin=False))
    assert not any(isinstance(event, Violation) for event in codec.receive(flood * 240))
    codec.forgive()
    assert not any(isinstance(event, Violation) for event in codec.receive(flood * 240))
    codec.forgive()
    assert Violation(1008, "too many control frames or fragments") in codec.receive(flood * 600)


@pytest.mark.skipif(not str(frames.__file__).endswith(".py"), reason="a compiled class lets nobody look on")
def test_a_message_in_single_bytes_is_not_copied_anew_for_each_of_them() -> None:
    """Held bytes are looked at when a decision is possible, not before: twice for the header, once for the message."""
    looked: list[int] = []

    class Watched(Frames):
        __slots__ = ()

        def _read(self, data: bytes, events: list[Event]) -> int:
            looked.append(len(data))
            return super()._read(data, events)

    codec = Watched(100_000)
    sent = frame(1, b"q" * 66_000)
    found = [event for at in range(len(sent)) for event in codec.receive(sent[at : at + 1])]
    assert found == [b"q" * 66_000]
    assert looked == [1, 2, 10, len(sent)]


@given(st.binary(max_size=9000), st.binary(min_size=4, max_size=4))
def test_both_ways_of_unmasking_agree(data: bytes, mask: bytes) -> None:
    """The one in C is taken where it is there; ours is its oracle, and what is used without it."""
    assert protocol.unmask is not frames.unmask
    assert frames.unmask(data, mask) == protocol.unmask(data, mask)
    assert frames.unmask(frames.unmask(data, mask), mask) == data


def oracle(opcode: Opcode, data: bytes) -> bytes:
    return Frame(opcode, data).serialize(mask=False)


@given(st.integers(0, 70_000))
def test_what_we_send_is_what_websockets_would_send(size: int) -> None:
    assert frames.text_frame(b"t" * size) == oracle(Opcode.TEXT, b"t" * size)
    few = b"t" * min(size, 125)
    same: list[tuple[Callable[[bytes], bytes], Opcode]] = [
        (frames.ping_frame, Opcode.PING),
        (frames.pong_frame, Opcode.PONG),
    ]
    for ours, opcode in same:
        assert ours(few) == oracle(opcode, few)


def test_close_frames_are_cut_between_letters_and_never_carry_1005() -> None:
    assert frames.close_frame(1000, "bye") == oracle(Opcode.CLOSE, Close(1000, "bye").serialize())
    assert frames.close_frame(1005, "nothing") == b"\x88\x00"
    cut = frames.close_frame(4404, "é" * 100)
    assert len(cut) == 2 + 2 + 122
    assert cut[4:].decode() == "é" * 61
