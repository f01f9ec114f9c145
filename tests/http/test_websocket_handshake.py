"""The opening handshake: what a page must send, and what it gets."""

import pytest
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
