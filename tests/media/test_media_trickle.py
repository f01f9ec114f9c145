"""ICE as a fragment of a description: what is read, what is refused, and that nothing breaks it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_kit import PRINT

from ringlight.errors import MediaError
from ringlight.media import trickle
from ringlight.media.sdp import Codec, Description, Section, Transport

# The example of RFC 9725, section 4.3.2, with addresses of our own.
FRAGMENT = """a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0
a=end-of-candidates
"""
AGREED = Description(
    (Section("audio", "0", codecs=(Codec(111, "opus", 48_000, 2),)), Section("video", "1", port=0)), ("0",), True
)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_viewers_fragment_is_read(ending: str) -> None:
    read = trickle.parse(FRAGMENT.replace("\n", ending))
    assert (read.ufrag, read.pwd, read.mids) == ("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1", ("0",))
    assert [line.split()[2] for line in read.candidates] == ["udp", "tcp"]
    assert not read.lite


def test_a_fragment_may_say_next_to_nothing() -> None:
    assert trickle.parse("") == trickle.parse("a=end-of-candidates") == trickle.Fragment()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("v=0\r\n", "not a line"),
        ("nonsense", "not a line"),
        ("a=ice-ufrag:abc", "ice-ufrag is no 4 to 256"),
        ("a=ice-ufrag:", "ice-ufrag is no 4 to 256"),
        ("a=ice-pwd:short", "ice-pwd is no 22 to 256"),
        ("a=ice-pwd:" + "<" * 30, "letters, digits"),
        ("a=ice-ufrag:abcd\na=ice-ufrag:efgh", "2 different values"),
        ("a=x\n" * 501, "501 lines"),
        ("a=" + "x" * 40_000, "40002 characters"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, seen: str) -> None:
    with pytest.raises(MediaError, match=seen) as caught:
        trickle.parse(text)
    assert caught.value.code == "VIEWER-FRAGMENT"


def test_our_answer_to_a_restart_is_a_fragment_that_names_the_bundles_first_section() -> None:
    ours = Transport("abcdef12", "p" * 32, PRINT, "passive", ("candidate:1 1 udp 1 192.0.2.1 5 typ host",), True)
    text = trickle.write(ours, AGREED)
    assert text.splitlines()[:5] == [
        "a=ice-lite", "a=ice-options:trickle ice2", "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0"
    ]  # fmt: skip
    read = trickle.parse(text)
    assert (read.ufrag, read.pwd, read.candidates, read.lite) == (ours.ufrag, ours.pwd, ours.candidates, True)


@given(st.text(max_size=300) | st.lists(st.sampled_from(FRAGMENT.splitlines()), max_size=30).map("\n".join))
def test_whatever_a_viewer_patches_is_at_worst_refused(text: str) -> None:
    with contextlib.suppress(MediaError):
        trickle.judge_restart(trickle.parse(text), AGREED, PRINT)
