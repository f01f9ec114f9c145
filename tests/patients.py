"""What the doctor's scenarios are made of: a simulated Ring, servers of ours and of others, and what stands between."""

import asyncio
import contextlib
import copy
import datetime
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from own_coturn import SharedCoturn
from ringlight.account import AccountClient
from ringlight.cameras import Account
from ringlight.doctor.plans.asked import Asked
from ringlight.doctor.probes import net
from ringlight.http.serving import Tls, listen, serving
from ringlight.liveview import attempt, messages
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import Settings, load_settings
from ringlight.simulator.world import World
from ringlight.store.pairs import TokenPair
from ringlight.testing import simulator

KEY = "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="
Change = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class Stage:
    """What a scenario may use."""

    folder: Path
    patch: pytest.MonkeyPatch
    coturn: SharedCoturn


@dataclass
class Patient:
    """Who comes to the doctor: the settings, and what was said."""

    settings: Settings
    targets: tuple[str, ...] = ()
    asked: Asked = field(default_factory=Asked)


Setting = Callable[[Stage], AbstractAsyncContextManager[Patient]]


@dataclass(frozen=True)
class Scenario:
    """One cause.

    Attributes:
        cause: In the words of the three guides.
        code: What the doctor must name first.
        setting: Sets it, and says who comes to the doctor.
        seen: Part of what the doctor must say that it saw.
    """

    cause: str
    code: str
    setting: Setting
    seen: str = ""


def settings(stage: Stage, **given: Any) -> Settings:
    """Settings that touch nothing of this machine."""
    return load_settings(**{"state_dir": stage.folder / "state", "server": {"port": 0}, **given})


@contextlib.asynccontextmanager
async def ring(stage: Stage, *on: str, world: World | None = None, **given: Any) -> AsyncIterator[Settings]:
    """A simulated Ring to which somebody has signed in before its switches were thrown."""
    async with simulator(world) as running:
        known = settings(stage, ring_url=running.url, **given)
        running.world.asks_code = False
        async with AccountClient.open(known) as account:
            await account.sign_in(running.world.email, Secret(running.world.password))
        running.world.switch(list(on))
        yield known


PARTNER = {"client_id": "sim-client", "client_secret": "sim-secret", "hmac_keys": [KEY]}


def linked(stage: Stage, world: World) -> TokenPair:
    """Keep a good pair of tokens of the simulated account in the store."""
    from ringlight.partner.setup import store_of

    grants = world.partner.grants
    pair = grants.exchange(grants.make_code("ada", "sim-client"), "sim-client", "")
    assert pair is not None
    wall = world.wall()
    made = TokenPair(Secret(pair["access_token"]), Secret(pair["refresh_token"]), wall, wall + 14_400)
    with contextlib.closing(store_of(settings(stage))) as store:
        store.write("ada", made, over=None)
    return made


@contextlib.asynccontextmanager
async def server(stage: Stage, **given: Any) -> AsyncIterator[Settings]:
    """Our own server, of an account that nobody has signed in to."""
    known = settings(stage, **given)
    if known.server.port == 0:
        known = known.model_copy(update={"server": known.server.model_copy(update={"port": free_port()})})
    async with Account.open(known) as account, run_server(known, account):
        yield known


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def seed_app(*, opens: bool = True, close: int | None = None) -> Any:
    """Somebody else's signaling server: FastAPI, with one route for sockets, and no idea of Origins."""
    from fastapi import FastAPI, WebSocket

    app = FastAPI()

    @app.get("/")
    async def root() -> dict[str, str]:
        return {"status": "healthy"}

    if opens:

        @app.websocket("/ws/signaling/{consultation_id}/{user_type}")
        async def signaling(web: WebSocket, consultation_id: str, user_type: str) -> None:
            await web.accept()
            if close == 1006:
                return  # uvicorn then cuts the connection
            if close is not None:
                await web.close(close)
                return
            with contextlib.suppress(Exception):
                await web.receive()

    return app


@contextlib.asynccontextmanager
async def foreign(app: Any, tls: Tls | None = None) -> AsyncIterator[str]:
    """Serve an application; yield `host:port`."""
    async with serving(app, listen("127.0.0.1", 0), tls) as running:
        yield f"127.0.0.1:{running.port}"


def says(status: int, body: object = None, *, media: str = "application/json", slow: float = 0.0) -> Any:
    """An ASGI application that gives the same answer to all."""
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        if slow:
            await asyncio.sleep(slow)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", media.encode())]})
        await send({"type": "http.response.body", "body": content})

    return app


def refusal(status: int, title: str, detail: str = "", code: str = "") -> Any:
    """A refusal of the Partner API."""
    item = {"status": str(status), "title": title, "detail": detail} | ({"code": code} if code else {})
    return says(status, {"errors": [item]})


@contextlib.asynccontextmanager
async def proxy_that_drops_upgrades(port: int, *, cuts: bool = False) -> AsyncIterator[int]:
    """What nginx does unless it is told otherwise: it passes requests on without Upgrade and Connection.

    With `cuts` it passes the upgrade on too, and cuts what has become a WebSocket.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):  # who only looked whether the port is open
            writer.close()
            return
        lines = head.split(b"\r\n")
        keeps = cuts and b"\r\nupgrade: websocket" in head.lower()
        if not keeps:
            lines = [line for line in lines if not line.lower().startswith((b"upgrade:", b"connection:"))]
            lines.insert(-2, b"Connection: close")
        back, there = await asyncio.open_connection("127.0.0.1", port)
        there.write(b"\r\n".join(lines))
        body = asyncio.create_task(pass_on(reader, there))
        writer.write(await (back.readuntil(b"\r\n\r\n") if keeps else back.read()))
        body.cancel()
        there.close()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield int(listening.sockets[0].getsockname()[1])
    finally:
        listening.close()


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write what is read until it ends, and then close."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def port_that_swallows(stage: Stage) -> AsyncIterator[int]:
    """A port whose queue is full: the kernel drops what comes, as a firewall does."""
    stage.patch.setattr(net, "CONNECT_WAIT", 1.0)
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield int(full.getsockname()[1])


@contextlib.asynccontextmanager
async def stun(*, shift: int = 0) -> AsyncIterator[str]:
    """A STUN server, as one sees it through a router that adds `shift` to the port."""
    from ringlight.media.stun import success

    class Answering(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(success(data[8:20], "", (addr[0], addr[1] ^ shift)), addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Answering, local_addr=("127.0.0.1", 0))
    try:
        yield f"stun:127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()


def certificate(stage: Stage, name: str = "localhost", *, days: int = 30, trusted: bool = True) -> Tls:
    """A certificate that ends in so many days; `trusted`: this process trusts who signed it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ringlight test")])
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - datetime.timedelta(days=90))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = Tls(stage.folder / "cert.pem", stage.folder / "key.pem")
    files.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    if trusted:
        stage.patch.setenv("SSL_CERT_FILE", str(files.certificate))
    return files


class _Broken:
    """The message module of a client that makes a mistake in what it sends."""

    def __init__(self, change: Change) -> None:
        self._change = change

    def encode(self, message: messages.Message) -> str:
        envelope = copy.deepcopy(messages.load(messages.encode(message)))
        return msgspec.json.encode(self._change(envelope)).decode()

    def __getattr__(self, name: str) -> Any:
        return getattr(messages, name)


def let_client_err(stage: Stage, change: Change) -> None:
    """Let our client send wrong messages, as another one would."""
    stage.patch.setattr(attempt, "messages", _Broken(change))
