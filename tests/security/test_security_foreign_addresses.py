"""No answer leads us into our own network: not by an address, a name, a redirect, or a name that changes its mind."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from ringlight.account import control
from ringlight.errors import RingError
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request, Response
from ringlight.http.sending import Sending
from ringlight.http.session_driver import SessionDriver
from ringlight.http.sync_driver import SyncDriver
from ringlight.http.target import is_inside, is_inside_by_name, pinned
from ringlight.partner.api import Api
from ringlight.partner.media import Media, fetch
from ringlight.publishing.whip import Place
from ringlight.secrets import Secret
from ringlight.server.oidc import provider

INSIDE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "224.0.0.1", "239.1.1.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "::127.0.0.1", "::10.0.0.1", "64:ff9b:1::7f00:1", "fec0::1", "5f00::1", "2002:7f00:1::", "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "not an address",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::",
           "::ffff:1.1.1.1"]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside(address: str) -> None:
    assert is_inside(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_outside(address: str) -> None:
    assert not is_inside(address)


@pytest.mark.parametrize(
    "host",
    ["localhost", "a.localhost", "router", "nas.local", "metadata.google.internal", "127.1", "0x7f.1", "2130706433",
     "017700000001", "[::1]".strip("[]"), "10.0.0.1.", "0"],
)  # fmt: skip
def test_names_and_odd_ways_of_writing_an_address(host: str) -> None:
    assert is_inside_by_name(host)


def test_one_address_inside_of_several_is_enough_to_refuse() -> None:
    with pytest.raises(RingError) as caught:
        pinned("https://storage.example/a", {}, ["1.1.1.1", "10.0.0.1"])
    assert caught.value.code == "NET-INSIDE"


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    target = pinned("https://storage.example:8443/a?sig=b", {"Range": "bytes=1-"}, ["1.1.1.1", "8.8.8.8"])
    assert target.url == "https://1.1.1.1:8443/a?sig=b"
    assert target.headers == {"Range": "bytes=1-", "Host": "storage.example:8443", "Connection": "close"}
    assert target.tls_name == "storage.example"
    assert pinned("http://[2606:4700::1111]/a", {}, ["2606:4700::1111"]).url == "http://[2606:4700::1111]/a"


class Door:
    """A server inside, which nobody should knock at."""

    def __init__(self) -> None:
        self.knocks = 0
        self._bound = socket.create_server(("127.0.0.1", 0))
        self.port = self._bound.getsockname()[1]
        self.heard = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._bound.accept()
                self.knocks += 1
                self.heard = connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
                connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._bound.shutdown(socket.SHUT_RDWR)
        self._bound.close()
        self._thread.join(10)


@pytest.fixture
def door() -> Iterator[Door]:
    inside = Door()
    yield inside
    inside.close()


Send = Callable[[Request], Response]


@contextlib.asynccontextmanager
async def _asynchronous(kind: str) -> AsyncIterator[Sending]:
    if kind == "httpx2":
        async with AsyncDriver(timeout=20) as driver:
            yield driver
        return
    async with aiohttp.ClientSession() as session, SessionDriver(session, timeout=20) as driver:
        yield driver


def _send(kind: str, request: Request) -> Response:
    if kind == "blocking":
        with SyncDriver(timeout=20) as driver:
            return driver.send(request)

    async def sent() -> Response:
        async with _asynchronous(kind) as driver:
            return await driver.send(request)

    return asyncio.run(sent())


each_driver = pytest.mark.parametrize("kind", ["blocking", "httpx2", "aiohttp"])


@each_driver
def test_a_foreign_address_inside_is_not_asked(kind: str, door: Door) -> None:
    with pytest.raises(RingError) as caught:
        _send(kind, Request("GET", f"http://127.0.0.1:{door.port}/latest/meta-data", foreign=True))
    assert caught.value.code == "NET-INSIDE"
    assert door.knocks == 0


@each_driver
def test_our_own_address_inside_is_asked(kind: str, door: Door) -> None:
    """What the settings name is trusted."""
    assert _send(kind, Request("GET", f"http://127.0.0.1:{door.port}/", at="storage")).status == 200


@each_driver
def test_a_name_that_stands_for_an_address_inside_is_not_asked(
    kind: str, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve(monkeypatch, ["127.0.0.1"])
    with pytest.raises(RingError) as caught:
        _send(kind, Request("GET", f"http://storage.example:{door.port}/", foreign=True))
    assert caught.value.code == "NET-INSIDE"
    assert door.knocks == 0


@each_driver
def test_a_name_that_changes_its_mind_leads_to_what_was_judged(
    kind: str, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: outside when it is judged, inside when it would be looked up again. It is not."""
    asked = _resolve(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
    monkeypatch.setattr("ringlight.http.target.is_inside", lambda address: address == "127.0.0.1")
    with pytest.raises(RingError) as caught:
        _send(kind, Request("GET", f"http://storage.example:{door.port}/", foreign=True))
    assert caught.value.code == "NET-UNREACHABLE"  # nobody listens at 127.0.0.2
    assert asked == ["storage.example"]
    assert door.knocks == 0


@each_driver
def test_the_server_is_told_its_own_name(kind: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual hosts and signed addresses need it."""
    _resolve(monkeypatch, ["127.0.0.1"])
    monkeypatch.setattr("ringlight.http.target.is_inside", lambda address: False)
    url = f"http://storage.example:{door.port}/a%20b?sig=%2F"
    assert _send(kind, Request("GET", url, foreign=True)).body == b"hi"
    assert door.heard.startswith(b"GET /a%20b?sig=%2F HTTP/1.1\r\n")
    assert f"\r\nhost: storage.example:{door.port}\r\n".encode() in door.heard.lower()


def test_who_stands_in_for_ring_inside_may_name_addresses_inside(door: Door) -> None:
    """The simulator does."""
    with SyncDriver(base_url=f"http://127.0.0.1:{door.port}") as driver:
        assert driver.send(Request("GET", f"http://127.0.0.1:{door.port}/clip.mp4", foreign=True)).status == 200


def test_what_an_answer_names_is_foreign() -> None:
    """Each flow that asks an address out of an answer says so; all others stay at their own origin."""
    recording = control.recording_request(Secret("https://storage.example/a.mp4?sig=b"), timeout=1.0)
    assert recording.foreign
    wish = Media(Api()).clip("device", 1_790_000_000_000, 10)
    clip = fetch(wish, "https://storage.example/a.mp4", wish.call.request, 307, {})
    assert clip.request.foreign
    assert not fetch(wish, f"{Api().origin}/v1/a", wish.call.request, 307, {}).request.foreign
    place = Place(Secret("https://sfu.example/whip"), Secret("token"))
    assert not place.foreign
    assert not place.led_to("/whip/session").foreign
    assert place.led_to("https://node2.sfu.example/whip").foreign
    assert place.led_to("https://node2.sfu.example/whip").led_to("/session").foreign
    with pytest.raises(RingError, match="PUBLISH-REFUSED"):
        place.led_to("https://node2.sfu.example/whip").led_to("https://10.0.0.1/")
    inside = Place(Secret("http://192.168.1.5:7880/whip"))
    assert not inside.led_to("http://192.168.1.6:7880/whip").foreign


@pytest.mark.parametrize(
    ("issuer", "address", "foreign"),
    [
        ("https://id.example/realms/a", "https://id.example/realms/a/token", False),
        ("https://id.example", "https://keys.id.example/keys", True),
        ("https://id.example", "http://127.0.0.1:6379/", True),
        ("https://id.example", "https://169.254.169.254/latest", True),
        ("https://sso.local", "https://keys.local/keys", False),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8081/keys", False),
    ],
)
def test_a_provider_outside_leads_us_nowhere_inside(issuer: str, address: str, *, foreign: bool) -> None:
    """Where people log in is in the settings; the addresses of its keys and tokens are in its answer."""
    known = provider.Provider(issuer, address, address, address, address, None, takes_basic=True, names_itself=False)
    client = provider.Client("client", Secret("secret"))
    asked = (
        next(provider.fetch_keys(known)),
        next(provider.look_up(known, Secret("access"), "ada")),
        next(provider.exchange(known, client, Secret("code"), redirect="https://h/cb", verifier=Secret("v"))),
    )
    assert [request.foreign for request in asked] == [foreign] * 3


def _resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let `storage.example` stand for these addresses, one answer after the other; return who was asked for."""
    real, asked = socket.getaddrinfo, list[str]()

    def looked_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host != "storage.example":
            return real(host, port, *args, **more)
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return asked
