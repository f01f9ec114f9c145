"""Both drivers on real sockets and on broken ones: deadlines, limits, and one border for errors.

What a test with `make` says holds for our own connections and for an aiohttp session that somebody else owns.
"""

import asyncio
import json
import logging
import pickle
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import httpx2
import pytest
from both_drivers import MAKERS, Handler, Make, answering, failing, serving
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

from ringlight.errors import NetworkError, RingError, SetupError, UsageError
from ringlight.http.driver import MAX_BODY, USER_AGENT, AsyncDriver
from ringlight.http.flow import Flow, Request
from ringlight.http.session_driver import SessionDriver
from ringlight.secrets import Secret

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3a"
REQUEST = Request("POST", f"https://oauth.ring.com/oauth/token?q={CANARY}", at="token", bearer=Secret(CANARY))
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.fixture(params=MAKERS)
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(library: str) -> Make:
    """Makes a driver of either kind, with the same options."""
    return MAKERS[library]


async def _failure(make: Make, request: Request = REQUEST, **options: Any) -> RingError:
    async with make(**options) as driver:
        with pytest.raises(RingError) as caught:
            await driver.send(request)
    return caught.value


# What is sent


async def test_a_request_reaches_the_stand_in_host_with_all_its_parts(make: Make) -> None:
    answer = b'HTTP/1.1 418 Teapot\r\nRetry-After: 3\r\nContent-Length: 7\r\n\r\n{"a":1}'
    async with answering(answer) as (url, asked), make(base_url=url) as driver:
        response = await driver.send(
            Request(
                "POST",
                "https://oauth.ring.com/oauth/token?x=1&signed=a%2Fb%3D",
                headers={"hardware_id": "h", "2fa-code": Secret("123456")},
                json={"password": Secret("p"), "n": [1, None]},
                bearer=Secret("t"),
            )
        )
    assert (response.status, response.headers["retry-after"], response.json()) == (418, "3", {"a": 1})
    (request,) = asked
    assert (request.method, request.target) == ("POST", "/oauth/token?x=1&signed=a%2Fb%3D")
    assert json.loads(request.body) == {"password": "p", "n": [1, None]}
    sent = {name: request.headers[name] for name in ("hardware_id", "2fa-code", "authorization", "user-agent")}
    assert sent == {"hardware_id": "h", "2fa-code": "123456", "authorization": "Bearer t", "user-agent": USER_AGENT}
    assert (request.headers["content-type"], request.headers["accept"]) == ("application/json", "application/json")


async def test_a_form_is_encoded_and_may_hold_secrets(make: Make) -> None:
    async with answering(DONE) as (url, asked), make() as driver:
        await driver.send(Request("POST", url, form={"a": "x y&", "b": Secret("ü")}))
    assert parse_qs(asked[0].body.decode()) == {"a": ["x y&"], "b": ["ü"]}
    assert asked[0].headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("method", "body", "kind"), [("PUT", b"null", "application/json"), ("POST", b"", None), ("GET", b"", None)]
)
async def test_only_a_put_without_json_sends_null(make: Make, method: str, body: bytes, kind: str | None) -> None:
    """Ring answers 422 to a PUT that is said to be other than JSON; aiohttp by itself says so of every body."""
    async with answering(DONE) as (url, asked), make() as driver:
        await driver.send(Request(method, url))
    assert [(request.body, request.headers.get("content-type")) for request in asked] == [(body, kind)]


async def test_a_redirect_is_an_answer_not_an_order(make: Make) -> None:
    """The bearer token must not follow a captive portal's redirect to another host."""
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n"
    async with answering(answer) as (url, asked), make(base_url=url) as driver:
        assert (await driver.send(REQUEST)).status == 302
    assert len(asked) == 1


async def test_cookies_are_an_answers_and_not_kept(make: Make) -> None:
    """Two accounts in one process must not meet in a jar; a flow that wants cookies sends them itself."""
    first = "a=1; Expires=Fri, 31 Dec 2027 23:59:59 GMT"
    answer = f"HTTP/1.1 200 OK\r\nSet-Cookie: {first}\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    async with answering(answer.encode()) as (url, asked), make() as driver:
        response = await driver.send(Request("GET", url))
        await driver.send(Request("GET", url, headers={"Cookie": Secret("c=3")}))
    assert response.set_cookies == (first, "b=2")
    assert [request.headers.get("cookie") for request in asked] == [None, "c=3"]


async def test_a_request_may_want_more_time_and_a_longer_answer(make: Make) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
    async with serving(_say(head, b"x" * 20)) as url, make(timeout=60) as driver:
        with pytest.raises(RingError, match="more than 19 bytes"):
            await driver.send(Request("GET", url, limit=19))
        assert len((await driver.send(Request("GET", url, limit=20, timeout=30))).body) == 20
    hang = asyncio.Event()
    async with serving(_say(hang=hang)) as url, make(timeout=60) as driver:
        with pytest.raises(NetworkError, match=r"within 0\.05 s"):
            await driver.send(Request("GET", url, timeout=0.05))
        hang.set()


async def test_a_flow_runs_over_the_network(make: Make) -> None:
    def flow() -> Flow[int]:
        response = yield REQUEST
        return response.status

    async with answering(DONE) as (url, _), make(base_url=url) as driver:
        assert await driver.run(flow()) == 204


# The border


def _every_class() -> list[tuple[str, type[Exception]]]:
    plain = [OSError, TimeoutError, ConnectionResetError]
    found = [getattr(httpx2, name) for name in dir(httpx2)]
    ours = [one for one in found if isinstance(one, type) and issubclass(one, Exception)]
    theirs = [getattr(aiohttp, name) for name in dir(aiohttp)]
    sent = [one for one in theirs if isinstance(one, type) and issubclass(one, aiohttp.ClientError)]
    return [*(("httpx2", kind) for kind in (*ours, *plain)), *(("aiohttp", kind) for kind in (*sent, *plain))]


def _instance(kind: Any) -> Exception:
    """Make one, whatever its signature, with the secret in each place that takes text."""
    request = httpx2.Request("GET", "https://h/", headers={"Authorization": CANARY})
    about: Any = aiohttp.client_reqrep.ConnectionKey("h", 443, True, True, None, None, None)
    makes: list[Callable[[], Exception]] = [
        lambda: kind(CANARY),
        lambda: kind(),  # noqa: PLW0108 - a call like the others
        lambda: kind(CANARY, request=request, response=httpx2.Response(500)),
        lambda: kind(about, OSError(111, CANARY)),
        lambda: kind(b"expected", b"got", CANARY, 443),
    ]
    for make in makes:
        with suppress(TypeError):
            return make()
    raise AssertionError(f"do not know how to make a {kind.__name__}")


def test_the_list_of_foreign_errors_is_not_empty() -> None:
    assert {"ConnectError", "InvalidURL", "StreamClosed", "HTTPStatusError"} <= {
        kind.__name__ for library, kind in _every_class() if library == "httpx2"
    }
    assert {"ClientPayloadError", "ServerDisconnectedError", "ClientConnectorDNSError"} <= {
        kind.__name__ for library, kind in _every_class() if library == "aiohttp"
    }


@pytest.mark.parametrize(("library", "kind"), _every_class())
async def test_no_foreign_error_escapes(library: str, kind: type[Exception]) -> None:
    async with failing(library, _instance(kind)) as driver:
        with pytest.raises(RingError) as caught:
            await driver.send(REQUEST)
    error = caught.value
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
async def test_the_root_cause_chooses_the_code(library: str, cause: Exception, code: str, words: str) -> None:
    outer = httpx2.ConnectError("all failed") if library == "httpx2" else aiohttp.ClientConnectionError("all failed")
    outer.__cause__ = cause
    async with failing(library, outer) as driver:
        with pytest.raises(RingError) as caught:
            await driver.send(REQUEST)
    assert caught.value.code == code
    assert words in str(caught.value.detail)
    assert isinstance(caught.value, NetworkError)


@pytest.mark.parametrize("value", [f"{CANARY}\nx", f"{CANARY}ü"])
async def test_a_header_that_http_forbids_is_not_repeated_in_the_error(make: Make, value: str) -> None:
    """h11 and Python's codecs both quote the value that they refuse."""
    async with serving(_say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as url:
        error = await _failure(make, Request("GET", "https://h/", bearer=Secret(value)), base_url=url)
    assert isinstance(error, UsageError)
    assert CANARY not in str(error)


# Real sockets


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


async def test_a_host_that_answers_byte_by_byte_does_not_outlive_the_deadline(make: Make) -> None:
    """The deadline is for the whole exchange; a limit for each read would begin anew with every byte."""
    hang = asyncio.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    async with serving(_say(head, b"a", b"b", hang=hang)) as url:
        error = await _failure(make, base_url=url, timeout=0.05)
        hang.set()
    assert error.code == "NET-TIMEOUT"
    assert "within 0.05 s" in str(error.detail)


async def test_an_answer_beyond_the_limit_is_refused_while_it_comes(make: Make) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    async with serving(_say(head, b"x" * (MAX_BODY + 1))) as url:
        error = await _failure(make, base_url=url)
    assert error.code == "AUTH-ANSWER"
    assert str(MAX_BODY) in str(error.detail)


async def test_an_answer_cut_in_the_middle_is_no_answer(make: Make) -> None:
    async with serving(_say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")) as url:
        assert (await _failure(make, base_url=url)).code == "NET-UNREACHABLE"


async def test_broken_compression_is_an_unreadable_answer(make: Make) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    async with serving(_say(head)) as url:
        assert (await _failure(make, base_url=url)).code == "AUTH-ANSWER"


async def test_a_refused_connection_is_unreachable(make: Make) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening
        port = unused.getsockname()[1]
        error = await _failure(make, base_url=f"http://127.0.0.1:{port}")
    assert error.code == "NET-UNREACHABLE"
    assert error.detail == f"127.0.0.1:{port}: connection refused"


async def test_a_name_that_nobody_knows_is_dns(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await _failure(make, base_url="http://ring.example.org")
    assert (error.code, error.detail) == ("NET-DNS", "ring.example.org")


async def test_a_certificate_that_nobody_signed_is_tls(make: Make, tmp_path: Path) -> None:
    async with serving(_say(b""), tls=_self_signed(tmp_path)) as url:
        error = await _failure(make, base_url=url)
    assert error.code == "NET-TLS"
    assert "self-signed" in str(error.detail) or "self signed" in str(error.detail)


async def test_https_to_a_port_without_tls_is_tls(make: Make) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with serving(plain) as url:
        error = await _failure(make, base_url=url.replace("http:", "https:"))
    assert error.code == "NET-TLS"


async def test_a_cancelled_request_leaves_the_driver_usable(make: Make) -> None:
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

    async with serving(handle) as url, make(base_url=url) as driver:
        task = asyncio.create_task(driver.send(REQUEST))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await driver.send(REQUEST)).status == 200
        hang.set()


# Environment


async def test_a_proxy_of_the_environment_is_not_asked_about_loopback(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with (
        serving(_say(b"HTTP/1.1 204 No Content\r\n\r\n")) as url,
        make(base_url=url) as driver,
    ):
        assert (await driver.send(REQUEST)).status == 204


def test_a_broken_proxy_setting_is_a_setting_to_correct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"gopher://ada:{CANARY}@h:1")
    with pytest.raises(SetupError) as caught:
        AsyncDriver()
    assert caught.value.code == "CFG-INVALID"
    assert CANARY not in str(caught.value)


async def test_a_base_url_is_judged_at_once(make: Make) -> None:
    with pytest.raises(SetupError):
        await make(base_url="127.0.0.1:8000").__aenter__()


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
    async with serving(_say(head.encode())) as url, AsyncDriver() as driver:
        request = Request("GET", f"{url}/path?signature={CANARY}", headers={"Cookie": Secret(CANARY)})
        assert CANARY in (await driver.send(request)).set_cookies[0]
    said = [record.getMessage() for record in caplog.records if record.name.startswith("http")]
    assert any("receive_response_headers.complete" in line for line in said)
    assert any("/path" in line and "302" in line for line in said)
    assert CANARY not in "".join(said)


# An aiohttp session of somebody else's


async def test_nothing_of_ours_is_left_in_the_session_and_nothing_of_its_own_is_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The session's cookies and default header fields are for other hosts, Ring's cookies for nobody else."""
    caplog.set_level(logging.DEBUG)
    answer = f"HTTP/1.1 200 OK\r\nSet-Cookie: ring={CANARY}\r\nContent-Length: 0\r\n\r\n".encode()
    jar = aiohttp.CookieJar(unsafe=True)  # takes cookies of bare addresses too
    headers = {"Authorization": "Bearer other", "X-Other": "1"}
    async with answering(answer) as (url, asked), aiohttp.ClientSession(cookie_jar=jar, headers=headers) as session:
        jar.update_cookies({"other": "1"}, URL(url))
        async with SessionDriver(session) as driver:
            await driver.send(Request("GET", f"{url}/?signature={CANARY}"))
        assert [cookie.key for cookie in jar] == ["other"]
        assert (await session.get(url)).status == 200, "it is as usable as before"
    assert {"authorization", "x-other", "cookie"} & asked[0].headers.keys() == set()
    assert CANARY not in "".join(record.getMessage() for record in caplog.records)


async def test_a_closed_session_is_the_callers_mistake() -> None:
    session = aiohttp.ClientSession()
    driver = SessionDriver(session)
    await session.close()
    with pytest.raises(UsageError, match="the aiohttp session is closed"):
        await driver.send(REQUEST)
    await driver.aclose()
    with pytest.raises(UsageError, match="the aiohttp session is closed"):
        SessionDriver(session)


async def test_a_driver_that_was_closed_leaves_the_session_to_others() -> None:
    async with answering(DONE) as (url, _), aiohttp.ClientSession() as session:
        first, second = SessionDriver(session), SessionDriver(session)
        await first.aclose()
        assert (await second.send(Request("GET", url))).status == 204
        await second.aclose()
        assert not session.closed


def test_aiohttp_is_not_imported_by_who_does_not_bring_it() -> None:
    """It is an extra: everything else works on a machine that does not have it."""
    code = "import sys, ringlight.cameras, ringlight.testing, ringlight.cli.app; print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
