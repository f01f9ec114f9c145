"""The opening handshake: what a page must send, and what it gets."""

import time
from itertools import product

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.http11 import Request
from websockets.uri import parse_uri

from ringlight.http.websocket import handshake
from ringlight.http.websocket.handshake import RefusedError, Upgrade

GOOD = {
    "host": "localhost", "upgrade": "websocket", "connection": "keep-alive, Upgrade", "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


def test_the_answer_is_one_that_websockets_accepts() -> None:
    client = ClientProtocol(parse_uri("ws://localhost/ws/v2?token=1"), subprotocols=["token.x", "rooms"])  # type: ignore[list-item]
    request: Request = client.connect()
    client.send_request(request)
    upgrade = handshake.read_upgrade(b"".join(client.data_to_send()))
    assert (upgrade.method, upgrade.path, upgrade.query) == ("GET", "/ws/v2", "token=1")
    assert upgrade.subprotocols == ["token.x", "rooms"]
    client.receive_data(handshake.accepted(handshake.judge(upgrade), "rooms"))
    assert client.handshake_exc is None
    assert client.subprotocol == "rooms"


def test_the_example_of_the_standard() -> None:
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in handshake.accepted(handshake.judge(Upgrade("GET", "/", "", GOOD)), None)


@pytest.mark.parametrize(("wrong", "status"), [
    ({"connection": "close"}, 400), ({"sec-websocket-version": "8"}, 426), ({"sec-websocket-key": ""}, 400),
    ({"sec-websocket-key": "c2hvcnQ="}, 400), ({"sec-websocket-key": "no base64!"}, 400),
    ({"sec-websocket-key": "schlüssel"}, 400),
])  # fmt: skip
def test_a_request_that_is_none_is_told_what_is_wrong(wrong: dict[str, str], status: int) -> None:
    with pytest.raises(RefusedError) as caught:
        handshake.judge(Upgrade("GET", "/", "", GOOD | wrong))
    assert caught.value.status == status
    answer = handshake.refused(caught.value)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b"Sec-WebSocket-Version: 13" in answer) == (status == 426)


def test_it_begins_with_get() -> None:
    with pytest.raises(RefusedError, match="GET"):
        handshake.judge(Upgrade("POST", "/", "", GOOD))


def test_fields_that_come_twice_are_one_list_and_paths_are_decoded() -> None:
    head = (
        b"GET /ws/signaling/a%20b/doctor HTTP/1.1\r\nSec-WebSocket-Protocol: a\r\nsec-websocket-protocol: b , c\r\n\r\n"
    )
    upgrade = handshake.read_upgrade(head)
    assert upgrade.path == "/ws/signaling/a b/doctor"
    assert upgrade.subprotocols == ["a", "b", "c"]


def test_a_head_of_many_fields_of_one_name_holds_nobody_up() -> None:
    """Anybody may send one, and all others wait meanwhile: to join each field to those before took seconds."""
    began = time.process_time()
    upgrade = handshake.read_plain(PLAIN[:-2] + b"a:bcdefghijk\r\n" * 60_000 + b"\r\n")
    assert time.process_time() - began < 0.7
    assert upgrade is not None
    assert len(upgrade.headers["a"]) == 60_000 * 12 - 2


PLAIN = (
    b"GET /ws/v2?token=1 HTTP/1.1\r\nHost: localhost\r\nUPGRADE: WebSocket\r\nConnection: keep-alive,  Upgrade \r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Empty:\r\n\r\n"
)


class Parsed:
    """What the HTTP parser makes of a request that has no body, as uvicorn hands it to a WebSocket."""

    def __init__(self, data: bytes) -> None:
        self.target, self.is_whole = b"", False
        self.headers: list[tuple[bytes, bytes]] = []
        parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_upgrade = self.is_whole
        except httptools.HttpParserError:
            self.is_upgrade = False
        else:
            self.is_upgrade = False
        self.start = f"{parser.get_method().decode()} {self.target.decode()} HTTP/{parser.get_http_version()}"

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.is_whole = True

    @property
    def head(self) -> bytes:
        lines = [self.start.encode(), *(name + b": " + value for name, value in self.headers)]
        return b"".join(line + b"\r\n" for line in [*lines, b""])


def test_a_plain_request_is_read_as_the_http_parser_reads_it() -> None:
    upgrade = handshake.read_plain(PLAIN)
    assert upgrade == handshake.read_upgrade(Parsed(PLAIN).head)
    assert upgrade is not None
    assert upgrade.headers["upgrade"] == "WebSocket"


@pytest.mark.parametrize("data", [
    PLAIN[:-1], PLAIN[:40], b"", PLAIN + b"\x81", PLAIN + PLAIN, b"\r\n" + PLAIN,
    PLAIN.replace(b"GET", b"POST"), PLAIN.replace(b"GET ", b"GET  "), PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
    PLAIN.replace(b"/ws", b"http://localhost/ws"), PLAIN.replace(b"/v2", b"/v\x80"), PLAIN.replace(b"/v2", b"/v 2"),
    PLAIN.replace(b"\r\n", b"\n"), PLAIN.replace(b"localhost\r\n", b"localhost\n"),
    PLAIN.replace(b"localhost", b"local\r\n host"), PLAIN.replace(b"localhost", b"local\rhost"),
    PLAIN.replace(b"localhost", b"local\0host"), PLAIN.replace(b"Host:", b"Host :"), PLAIN.replace(b"Host:", b":"),
    PLAIN.replace(b"Host: localhost", b"Host"), PLAIN.replace(b"X-Empty:", b"Content-Length: 1"),
    PLAIN.replace(b"X-Empty:", b"transfer-encoding: chunked"), PLAIN.replace(b"X-Empty:", b"Expect: 100-continue"),
    PLAIN.replace(b"WebSocket\r", b"h2c\r"), PLAIN.replace(b"UPGRADE", b"X-Upgrade"),
    PLAIN.replace(b"Connection", b"X-Connection"), PLAIN.replace(b"  Upgrade", b"close"),
])  # fmt: skip
def test_what_is_not_plain_is_left_to_the_http_parser(data: bytes) -> None:
    assert handshake.read_plain(data) is None


_PIECES = [
    b"GET /a HTTP/1.1\r\n", b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n", b"Connection: close\r\n", b"\r\n",
    b"Host: a\xff\r\n", b"Content-Length: 0\r\n", b"Cookie: a=1;\tb\r\n", b" x\r\n", b"\n", b"x", b":", b"\0",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(_PIECES), max_size=9).map(b"".join) | st.binary(max_size=30).map(lambda b: PLAIN[:-2] + b)
)
def test_nothing_is_plain_that_the_http_parser_reads_otherwise(data: bytes) -> None:
    upgrade = handshake.read_plain(data)
    if upgrade is not None:
        parsed = Parsed(data)
        assert parsed.is_upgrade
        assert upgrade == handshake.read_upgrade(parsed.head)


def test_no_single_letter_makes_a_difference_to_the_http_parser() -> None:
    """Each byte in each place of the head: what stays plain is read as the parser reads it."""
    plain = 0
    for at, letter in product(range(len(PLAIN)), range(256)):
        data = PLAIN[:at] + bytes((letter,)) + PLAIN[at + 1 :]
        if (upgrade := handshake.read_plain(data)) is not None:
            plain += 1
            parsed = Parsed(data)
            assert parsed.is_upgrade, data
            assert upgrade == handshake.read_upgrade(parsed.head), data
    assert plain > len(PLAIN)
