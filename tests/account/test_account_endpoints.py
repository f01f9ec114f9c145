"""The address of the signaling socket, with the ticket in it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from ringlight.account.endpoints import SIGNALING, signaling_url
from ringlight.errors import SetupError
from ringlight.secrets import Secret

TICKET = Secret("t/+&=?#é")
CLIENT = "ring_site-7c0d"


@pytest.mark.parametrize(
    ("ring_url", "override", "expected"),
    [
        (None, None, SIGNALING),
        ("http://127.0.0.1:9", None, "ws://127.0.0.1:9/ws"),
        ("http://127.0.0.1:9/", None, "ws://127.0.0.1:9/ws"),
        ("https://sim.example.org/ring", None, "wss://sim.example.org/ring/ws"),
        (None, "wss://other.example.org/ws", "wss://other.example.org/ws"),
        ("http://127.0.0.1:9", "wss://other.example.org:1/x", "wss://other.example.org:1/x"),
        (None, "http://127.0.0.1:9/ws", "ws://127.0.0.1:9/ws"),
    ],
)
def test_where_the_socket_is(ring_url: str | None, override: str | None, expected: str) -> None:
    url = signaling_url(ring_url, override, TICKET, CLIENT).reveal()
    assert url.partition("?")[0] == expected
    assert parse_qs(urlsplit(url).query, strict_parsing=True) == {
        "api_version": ["4.0"],
        "auth_type": ["ring_solutions"],
        "client_id": [CLIENT],
        "token": [TICKET.reveal()],
    }


def test_a_query_of_the_setting_is_kept() -> None:
    url = signaling_url(None, "wss://h/ws?x=1", TICKET, CLIENT).reveal()
    assert url.startswith("wss://h/ws?x=1&api_version=4.0&")


def test_the_ticket_is_escaped_and_the_whole_a_secret() -> None:
    url = signaling_url(None, None, Secret("a b&c"), CLIENT)
    assert "a b&c" not in url.reveal()
    assert repr(url) == "Secret(...)"


@pytest.mark.parametrize(("ring_url", "override"), [("ring", None), (None, "ftp://h/ws"), (None, "wss:///ws")])
def test_a_setting_that_is_no_address_says_which(ring_url: str | None, override: str | None) -> None:
    with pytest.raises(SetupError, match="ring_signaling_url" if override else "ring_url"):
        signaling_url(ring_url, override, TICKET, CLIENT)
