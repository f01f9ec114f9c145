"""Marked secrets go through every conversation; the mark may turn up nowhere but on the wire."""

import asyncio
import io
import json
import logging
import pickle
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fake_ring import FakeRing, said

from ringlight.account import AccountClient, Credentials
from ringlight.errors import RingError
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request, Response
from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.store import FileTokenStore, MemoryTokenStore, Tokens

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3a-"
CREDENTIALS = Credentials("ada@ringlight.test", Secret(f"{CANARY}ringlight"), "123456")


@pytest.fixture
def records() -> Iterator[io.StringIO]:
    """Everything that anybody logs, dependencies included, with its arguments and tracebacks."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


def _traces_of(error: BaseException) -> str:
    """Return what a crash reporter sees of an error: the traceback with the variables of our own frames."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    trace.stack = traceback.StackSummary.from_list([frame for frame in trace.stack if "/ringlight/" in frame.filename])
    return "".join(trace.format())


def _check(error: RingError) -> None:
    shown = [str(error), repr(error), error.fix, _traces_of(error)]
    assert CANARY not in "".join(shown)
    assert CANARY.encode() not in pickle.dumps(error)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.detail) == (type(error), error.code, error.detail)


async def test_a_whole_life_over_the_network_leaves_no_mark(tmp_path: Path, records: io.StringIO) -> None:
    ring = FakeRing(CANARY)
    store = FileTokenStore(tmp_path / "tokens.json")
    async with _network(ring) as url, AsyncDriver(base_url=url) as driver:
        client = AccountClient(Settings(), store, driver, clock=lambda: ring.now, credentials=CREDENTIALS)
        await client.devices()
        ring.now += 9999
        ticket = await client.ticket()
        await client.aclose()
        shown = [repr(client), repr(vars(client)), repr(store.load()), repr(ticket), repr(CREDENTIALS)]
    log = records.getvalue()
    assert "httpcore2" in log
    assert "ringlight.account" in log
    assert CANARY not in log
    assert CANARY not in "".join(shown)
    assert CANARY in (tmp_path / "tokens.json").read_text()  # the mark was really there


ECHO = {"error": f"bad {CANARY}access-1 {CANARY}refresh-1 {CANARY}ringlight", "tsv_state": "sms"}


@pytest.mark.parametrize("step", ["token", "session", "clients_api", "ticket"])
@pytest.mark.parametrize(
    "answer",
    [
        *(said(status, ECHO) for status in (302, 400, 403, 404, 406, 412, 418, 422, 429, 500)),
        said(401, ECHO),
        said(401, {"error": "invalid_grant", "error_description": f"{CANARY}refresh-1"}),
        said(200, f"{CANARY}access-9"),
        said(200, {"access_token": f"{CANARY}access-9", "refresh_token": [f"{CANARY}refresh-9"]}),
        said(200, {"access_token": f"{CANARY}access-9", "ticket": 5, "profile": f"{CANARY}x"}),
        Response(200, {}, f"<html>{CANARY}</html>".encode()),
        said(200, {"access_token": f"{CANARY}\n", "refresh_token": f"{CANARY}\n", "ticket": ""}),
    ],
)
async def test_no_failure_shows_a_secret(step: str, answer: Response, records: io.StringIO) -> None:
    ring = FakeRing(CANARY)
    ring.answers[step] = [answer] * 9
    client = ring.client(MemoryTokenStore(ring.tokens(expires_in=0)))
    for use in (client.devices, client.ticket, client.access_token):
        try:
            await use()
        except RingError as error:
            _check(error)
    assert CANARY not in records.getvalue()


@pytest.mark.parametrize("status", [400, 401, 406, 412, 429, 503])
async def test_no_failed_sign_in_shows_the_password(status: int, records: io.StringIO) -> None:
    ring = FakeRing(CANARY)
    ring.answers["token"] = [said(status, ECHO)]
    with pytest.raises(RingError) as caught:
        await ring.client(MemoryTokenStore()).sign_in(CREDENTIALS.email, CREDENTIALS.password, "123456")
    _check(caught.value)
    assert CANARY not in records.getvalue()


async def test_a_dead_network_shows_no_secret(records: io.StringIO) -> None:
    ring = FakeRing(CANARY)
    async with AsyncDriver(base_url="http://127.0.0.1:1") as driver:
        client = AccountClient(Settings(), MemoryTokenStore(ring.tokens()), driver, clock=lambda: ring.now)
        with pytest.raises(RingError) as caught:
            await client.devices()
    assert caught.value.code == "NET-UNREACHABLE"
    _check(caught.value)
    assert CANARY not in records.getvalue()


def test_tokens_and_secrets_are_never_pickled() -> None:
    tokens = Tokens(Secret(CANARY), Secret(CANARY), 0.0, "hw")
    for secret in (tokens, CREDENTIALS):
        with pytest.raises(TypeError):
            pickle.dumps(secret)


@asynccontextmanager
async def _network(ring: FakeRing) -> AsyncIterator[str]:
    """Put the fake Ring behind a real socket, one request for each connection."""
    steps = {"/oauth/token": "token", "/clients_api/session": "session", "/clients_api/ring_devices": "clients_api"}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        answer = await ring.answer(_as_request(steps.get(lines[0].split()[1], "ticket"), headers, body))
        head = f"HTTP/1.1 {answer.status} X\r\nContent-Length: {len(answer.body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + answer.body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _as_request(step: str, headers: dict[str, str], body: bytes) -> Request:
    fields = {
        name: Secret(value) if name in {"password", "refresh_token"} else value
        for name, value in json.loads(body or b"{}").items()
    }
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return Request(
        "POST",
        "https://h/",
        headers={"hardware_id": headers["hardware_id"], "2fa-code": Secret(headers.get("2fa-code", ""))},
        json=fields,
        at=step,
        bearer=Secret(bearer) if bearer else None,
    )
