"""STUN and TURN servers that a media server lends by `Link` fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.media.ice_servers import MOST, IceServer, read_links
from ringlight.secrets import Secret


def test_the_example_of_the_standard_is_read() -> None:
    """RFC 9725 section 4.6, several fields as HTTP joins them."""
    assert read_links(
        '<stun:stun.example.net>; rel="ice-server", '
        '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="myPassword"; '
        'credential-type="password", '
        '<turn:turn.example.net?transport=tcp>; rel="ice-server"; username="user"; credential="a,b;\\"c"; '
        'credential-type="password", '
        '<turns:turn.example.net?transport=tcp>; rel="ice-server"; username="user"; credential="myPassword"'
    ) == (
        IceServer("stun", "stun.example.net", 3478),
        IceServer("turn", "turn.example.net", 3478, "udp", False, "user", Secret("myPassword")),
        IceServer("turn", "turn.example.net", 3478, "tcp", False, "user", Secret('a,b;"c')),
        IceServer("turn", "turn.example.net", 5349, "tcp", True, "user", Secret("myPassword")),
    )


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("<stun:10.0.0.1:19302>;rel=ice-server", IceServer("stun", "10.0.0.1", 19302)),
        ("<stun:[2001:db8::1]:3479>; REL=ICE-SERVER", IceServer("stun", "2001:db8::1", 3479)),
        ("</x>; rel=next, <stun:s.example>; rel=ice-server", IceServer("stun", "s.example", 3478)),
    ],
)
def test_it_may_be_written_in_many_ways(value: str, found: IceServer) -> None:
    assert read_links(value) == (found,)


@pytest.mark.parametrize(
    "value",
    [
        "", "<", "<stun:s.example>", "<stun:s.example>; rel=preload", "<stun:>; rel=ice-server",
        "<stun:s.example:0>; rel=ice-server", "<stun:s.example:70000>; rel=ice-server",
        "<stuns:s.example>; rel=ice-server", "<turn:t.example>; rel=ice-server",
        "<https://t.example>; rel=ice-server", "<stun:user@s.example>; rel=ice-server",
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_left_out(value: str) -> None:
    assert read_links(value) == ()


def test_no_crowd_of_servers_is_asked() -> None:
    assert len(read_links(", ".join(f"<stun:s{at}.example>; rel=ice-server" for at in range(1000)))) == MOST


@given(st.text(st.sampled_from('<>;, ="\\stunre:l-ice')))
def test_whatever_is_written_is_survived(value: str) -> None:
    read_links(value)


def test_no_password_is_shown() -> None:
    (server,) = read_links('<turn:t.example>; rel="ice-server"; username="u"; credential="S3CRET"')
    assert "S3CRET" not in repr(server)
