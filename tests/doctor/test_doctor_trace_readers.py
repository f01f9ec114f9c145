"""The readers of recordings, each against what it reads."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import as_chrome_har, netstring, opened, ring_dialog

from ringlight.doctor.traces.entries import Ended, Opened, Said
from ringlight.doctor.traces.har import read_har
from ringlight.doctor.traces.json_walk import walk
from ringlight.doctor.traces.lint import lint
from ringlight.doctor.traces.literals import find_object, is_open
from ringlight.doctor.traces.mitmproxy import looks_like_a_dump, read_dump

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["mitmproxy_11.flow", "mitmproxy_11.har"])
def test_what_mitmproxy_itself_wrote_is_read(name: str) -> None:
    """Version 11.0.2 between our client and the simulator: a sign-in's answer, and one view."""
    report = lint(opened((HERE / name).read_bytes()))
    assert (report.messages, report.findings, report.silence) == (12, [], None)
    assert report.seconds == pytest.approx(4.7, abs=0.1)


def test_a_dump_tells_how_a_socket_was_opened_and_ended() -> None:
    entries = list(read_dump(opened((HERE / "mitmproxy_11.flow").read_bytes())))
    assert isinstance(entries[0], Opened)
    assert (entries[0].status, entries[0].url.partition("?")[0]) == (101, "ws://127.0.0.1:18751/ws")
    assert isinstance(entries[-1], Ended)
    assert (entries[-1].code, entries[-1].ours) == (1000, True)
    times = [entry.place.at or 0.0 for entry in entries]
    assert all(one <= other for one, other in pairwise(times))


def test_a_clock_is_no_netstring() -> None:
    assert not looks_like_a_dump(b"03:00:00,001 DEBUG > TEXT")
    assert looks_like_a_dump(netstring({"websocket": None}))


VALUES: dict[str, Any] = {
    "{}": {},
    "{'a': True, \"b\": [1, 2.5, None], 'c': {'d': 'it\\'s'}}": {"a": True, "b": [1, 2.5, None], "c": {"d": "it's"}},
    "{ method: 'ping', body: [Object], list: [ 1, ... 3 more items ], u: undefined }":
        {"method": "ping", "body": None, "list": [1, None], "u": None},
    "{\n  sdp: 'v=0\\r\\n' +\n    'o=1\\r\\n',\n  code: 10,\n}": {"sdp": "v=0\r\no=1\r\n", "code": 10},
    '{"a": "\\u00e9\\n", "b": -1e3}': {"a": "é\n", "b": -1000.0},
    "{'a': (1, 2), b'c': b'd'}": {"a": [1, 2], "c": "d"},
    "{`a`: `b`}": {"a": "b"},
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_objects_are_read_as_python_node_and_json_write_them(text: str) -> None:
    found = find_object(f"before it: {text} after it")
    assert found == (VALUES[text], 11)
    assert not is_open(text)
    assert is_open(text[:-1])


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=20), max_size=5)
)
def test_what_python_and_json_write_is_read_back(value: dict[str, Any]) -> None:
    for text in (json.dumps(value), repr(value)):
        assert find_object(text) == (value, 0)


@settings(max_examples=300, deadline=None)
@given(st.text("{}[]'\"`:,\\ a1.+-", max_size=80))
def test_reading_an_object_never_raises(text: str) -> None:
    find_object(text)
    is_open(text)


def test_objects_within_objects_have_an_end() -> None:
    assert find_object("{a:" * 5000) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200))
def test_a_har_file_reads_the_same_in_whatever_pieces_it_comes(size: int) -> None:
    text = as_chrome_har(ring_dialog()).decode()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    entries = list(read_har(pieces))
    assert entries == list(read_har([text]))
    assert sum(isinstance(entry, Said) for entry in entries) == 13


def test_values_at_their_places_are_found_and_long_ones_left_out() -> None:
    text = json.dumps({"a": [{"b": 1, "x": {"b": 2}}, {"b": "y" * 100, "c": [1, {"d": '"}]'}]}], "b": 3})
    wanted = frozenset({("a", "*", "b"), ("a", "*", "c")})
    found = list(walk([text], wanted, ("a", "*"), 50))
    assert found == [
        (("a", "*", "b"), "1"), (("a", "*"), ""), (("a", "*", "b"), '"' + "y" * 100 + '"'),
        (("a", "*", "c"), '[1,{"d":"\\"}]"}]'), (("a", "*"), ""),
    ]  # fmt: skip
    in_pieces = list(walk([text[at : at + 10] for at in range(0, len(text), 10)], wanted, ("a", "*"), 50))
    assert in_pieces[2] == (("a", "*", "b"), ""), "what is too long is never put together"
    assert [entry for number, entry in enumerate(in_pieces) if number != 2] == [*found[:2], *found[3:]]
