"""The driver on a real socket and on fake transports: deadlines, limits, and one border for errors."""

import asyncio
import json
import logging
import pickle
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ringlight.errors import NetworkError, RingError, SetupError, UsageError
from ringlight.http.driver import MAX_BODY, USER_AGENT, AsyncDriver
from ringlight.http.flow import Flow, Request
from ringlight.secrets import Secret

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3a"
REQUEST = Request("POST", f"https://oauth.ring.com/oauth/token?q={CANARY}", at="token", bearer=Secret(CANARY))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _driver(answer: Callable[[httpx2.Request], httpx2.Response], *, base_url: str | None = None) -> AsyncDriver:
    return AsyncDriver(base_url=base_url, transport=httpx2.MockTransport(answer))


async def _failure(driver: AsyncDriver, request: Request = REQUEST) -> RingError:
    async with driver:
        with pytest.raises(RingError) as caught:
            await driver.send(request)
    return caught.value


# What is sent


async def test_a_request_reaches_the_stand_in_host_with_all_its_parts() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(418, headers={"Retry-After": "3"}, json={"a": 1})

    async with _driver(answer, base_url="http://127.0.0.1:9") as driver:
        response = await driver.send(
            Request(
                "POST",
                "https://oauth.ring.com/oauth/token?x=1",
                headers={"hardware_id": "h", "2fa-code": Secret("123456")},
                json={"password": Secret("p"), "n": [1, None]},
                bearer=Secret("t"),
            )
        )
    assert (response.status, response.headers["retry-after"], response.json()) == (418, "3", {"a": 1})
    (request,) = seen
    assert str(request.url) == "http://127.0.0.1:9/oauth/token?x=1"
    assert json.loads(request.content) == {"password": "p", "n": [1, None]}
    sent = {name: request.headers[name] for name in ("hardware_id", "2fa-code", "authorization", "user-agent")}
    assert sent == {"hardware_id": "h", "2fa-code": "123456", "authorization": "Bearer t", "user-agent": USER_AGENT}
    assert request.headers["content-type"] == "application/json"


async def test_a_form_is_encoded_and_may_hold_secrets() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200)

    async with _driver(answer) as driver:
        await driver.send(Request("POST", "https://h/", form={"a": "x y&", "b": Secret("ü")}))
    assert parse_qs(seen[0].content.decode()) == {"a": ["x y&"], "b": ["ü"]}
    assert seen[0].headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(("method", "body"), [("PUT", b"null"), ("POST", b""), ("GET", b"")])
async def test_only_a_put_without_json_sends_null(method: str, body: bytes) -> None:
    """Ring answers 422 to a PUT without any."""
    seen: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.content)
        return httpx2.Response(204)

    async with _driver(answer) as driver:
        await driver.send(Request(method, "https://h/"))
    assert seen == [body]


async def test_a_redirect_is_an_answer_not_an_order() -> None:
    """The bearer token must not follow a captive portal's redirect to another host."""
    async with _driver(lambda _: httpx2.Response(302, headers={"Location": "http://evil/"})) as driver:
        assert (await driver.send(REQUEST)).status == 302


async def test_cookies_are_an_answers_and_not_kept() -> None:
    """Two accounts in one process must not meet in a jar; a flow that wants cookies sends them itself."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(
            200, headers=[("Set-Cookie", "a=1; Expires=Fri, 31 Dec 2027 23:59:59 GMT"), ("Set-Cookie", "b=2")]
        )

    async with _driver(answer) as driver:
        response = await driver.send(Request("GET", "https://h/"))
        await driver.send(Request("GET", "https://h/", headers={"Cookie": Secret("c=3")}))
    assert response.set_cookies == ("a=1; Expires=Fri, 31 Dec 2027 23:59:59 GMT", "b=2")
    assert [request.headers.get("cookie") for request in seen] == [None, "c=3"]


async def test_a_request_may_want_more_time_and_a_longer_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
    async with _serving(_say(head, b"x" * 20)) as url, AsyncDriver(timeout=60) as driver:
        with pytest.raises(RingError, match="more than 19 bytes"):
            await driver.send(Request("GET", url, limit=19))
        assert len((await driver.send(Request("GET", url, limit=20, timeout=30))).body) == 20
    hang = asyncio.Event()
    async with _serving(_say(hang=hang)) as url, AsyncDriver(timeout=60) as driver:
        with pytest.raises(NetworkError, match=r"within 0\.05 s"):
            await driver.send(Request("GET", url, timeout=0.05))
        hang.set()


async def test_a_flow_runs_over_the_network() -> None:
    def flow() -> Flow[int]:
        response = yield REQUEST
        return response.status

    async with _driver(lambda _: httpx2.Response(201)) as driver:
        assert await driver.run(flow()) == 201


# The border


def _every_class() -> list[type[Exception]]:
    found = [getattr(httpx2, name) for name in dir(httpx2)]
    return [one for one in found if isinstance(one, type) and issubclass(one, Exception)]


def _instance(kind: Any) -> Exception:
    """Make one, whatever its signature, with the secret in each place that takes text."""
    request = httpx2.Request("GET", "https://h/", headers={"Authorization": CANARY})
    makes: list[Callable[[], Exception]] = [
        lambda: kind(CANARY),
        lambda: kind(),  # noqa: PLW0108 - a call like the others
        lambda: kind(CANARY, request=request, response=httpx2.Response(500)),
    ]
    for make in makes:
        with suppress(TypeError):
            return make()
    raise AssertionError(f"do not know how to make a {kind.__name__}")


def test_the_list_of_foreign_errors_is_not_empty() -> None:
    assert {"ConnectError", "InvalidURL", "StreamClosed", "HTTPStatusError"} <= {
        kind.__name__ for kind in _every_class()
    }


@pytest.mark.parametrize("kind", [*_every_class(), OSError, TimeoutError, ConnectionResetError])
async def test_no_foreign_error_escapes(kind: type[Exception]) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise _instance(kind)

    error = await _failure(_driver(answer))
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "oauth.ring.com" in str(error)
    assert CANARY not in str(error) + repr(error)
    assert CANARY.encode() not in pickle.dumps(error)


@pytest.mark.parametrize(
    ("cause", "code", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "NET-DNS", "oauth.ring.com"),
        (ConnectionRefusedError(111, "x"), "NET-UNREACHABLE", "connection refused"),
        (OSError(113, "x"), "NET-UNREACHABLE", "no route to host"),
        (ssl.SSLEOFError(8, "EOF occurred"), "NET-UNREACHABLE", "no connection"),
        (ssl.SSLError(1, "[SSL] handshake failure"), "NET-TLS", "handshake failed"),
        (ExceptionGroup("two addresses", [OSError("v6"), ConnectionRefusedError(111, "x")]), "NET-UNREACHABLE", "ref"),
    ],
)
async def test_the_root_cause_chooses_the_code(cause: Exception, code: str, words: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("all connection attempts failed") from cause

    error = await _failure(_driver(answer))
    assert error.code == code
    assert words in str(error.detail)
    assert isinstance(error, NetworkError)


@pytest.mark.parametrize("value", [f"{CANARY}\nx", f"{CANARY}ü"])
async def test_a_header_that_http_forbids_is_not_repeated_in_the_error(value: str) -> None:
    """h11 and Python's codecs both quote the value that they refuse."""
    async with _serving(_say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as url:
        error = await _failure(AsyncDriver(base_url=url), Request("GET", "https://h/", bearer=Secret(value)))
    assert isinstance(error, UsageError)
    assert CANARY not in str(error)


# Real sockets

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _say(*parts: bytes, hang: asyncio.Event | None = None) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for part in parts:
                writer.write(part)
                await writer.drain()
            if hang is not None:
                await hang.wait()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    return handle


@asynccontextmanager
async def _serving(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"


async def test_a_host_that_answers_byte_by_byte_does_not_outlive_the_deadline() -> None:
    """The deadline is for the whole exchange; a limit for each read would begin anew with every byte."""
    hang = asyncio.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    async with _serving(_say(head, b"a", b"b", hang=hang)) as url:
        error = await _failure(AsyncDriver(base_url=url, timeout=0.05))
        hang.set()
    assert error.code == "NET-TIMEOUT"
    assert "within 0.05 s" in str(error.detail)


async def test_an_answer_beyond_the_limit_is_refused_while_it_comes() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    async with _serving(_say(head, b"x" * (MAX_BODY + 1))) as url:
        error = await _failure(AsyncDriver(base_url=url))
    assert error.code == "AUTH-ANSWER"
    assert str(MAX_BODY) in str(error.detail)


async def test_an_answer_cut_in_the_middle_is_no_answer() -> None:
    async with _serving(_say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")) as url:
        assert (await _failure(AsyncDriver(base_url=url))).code == "NET-UNREACHABLE"


async def test_broken_compression_is_an_unreadable_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    async with _serving(_say(head)) as url:
        assert (await _failure(AsyncDriver(base_url=url))).code == "AUTH-ANSWER"


async def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening
        port = unused.getsockname()[1]
        error = await _failure(AsyncDriver(base_url=f"http://127.0.0.1:{port}"))
    assert error.code == "NET-UNREACHABLE"
    assert error.detail == f"127.0.0.1:{port}: connection refused"


async def test_a_name_that_nobody_knows_is_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await _failure(AsyncDriver(base_url="http://ring.example.org"))
    assert (error.code, error.detail) == ("NET-DNS", "ring.example.org")


async def test_a_certificate_that_nobody_signed_is_tls(tmp_path: Path) -> None:
    async with _serving(_say(b""), tls=_self_signed(tmp_path)) as url:
        error = await _failure(AsyncDriver(base_url=url))
    assert error.code == "NET-TLS"
    assert "self-signed" in str(error.detail) or "self signed" in str(error.detail)


async def test_https_to_a_port_without_tls_is_tls() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with _serving(plain) as url:
        error = await _failure(AsyncDriver(base_url=url.replace("http:", "https:")))
    assert error.code == "NET-TLS"


async def test_a_cancelled_request_leaves_the_driver_usable() -> None:
    hang = asyncio.Event()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    arrived = asyncio.Event()
    first = [True]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        if first.pop() if first else False:
            await hang.wait()
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with _serving(handle) as url, AsyncDriver(base_url=url) as driver:
        task = asyncio.create_task(driver.send(REQUEST))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await driver.send(REQUEST)).status == 200
        hang.set()


# Environment


async def test_a_proxy_of_the_environment_is_not_asked_about_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with (
        _serving(_say(b"HTTP/1.1 204 No Content\r\n\r\n")) as url,
        AsyncDriver(base_url=url) as driver,
    ):
        assert (await driver.send(REQUEST)).status == 204


def test_a_broken_proxy_setting_is_a_setting_to_correct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"gopher://ada:{CANARY}@h:1")
    with pytest.raises(SetupError) as caught:
        AsyncDriver()
    assert caught.value.code == "CFG-INVALID"
    assert CANARY not in str(caught.value)


def test_a_base_url_is_judged_at_once() -> None:
    with pytest.raises(SetupError):
        AsyncDriver(base_url="127.0.0.1:8000")


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_the_librarys_log_has_neither_queries_nor_headers_of_answers(caplog: pytest.LogCaptureFixture) -> None:
    """A signed address, a cookie and the redirect with a code are secrets; the library logs all three."""
    caplog.set_level(logging.DEBUG)
    head = f"HTTP/1.1 302 Found\r\nSet-Cookie: a={CANARY}\r\nLocation: /?code={CANARY}\r\nContent-Length: 0\r\n\r\n"
    async with _serving(_say(head.encode())) as url, AsyncDriver() as driver:
        request = Request("GET", f"{url}/path?signature={CANARY}", headers={"Cookie": Secret(CANARY)})
        assert CANARY in (await driver.send(request)).set_cookies[0]
    said = [record.getMessage() for record in caplog.records if record.name.startswith("http")]
    assert any("receive_response_headers.complete" in line for line in said)
    assert any("/path" in line and "302" in line for line in said)
    assert CANARY not in "".join(said)
