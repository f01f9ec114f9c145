"""Every cause at a signaling server that the doctor must find, and how it is set here."""

import base64
import contextlib
import errno
import importlib.util
import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any

from own_coturn import OwnCoturn
from patients import (
    Patient,
    Scenario,
    Setting,
    Stage,
    certificate,
    foreign,
    free_port,
    port_that_swallows,
    proxy_that_drops_upgrades,
    ring,
    says,
    seed_app,
    server,
    settings,
    stun,
)
from ringlight.doctor.plans.asked import Asked
from ringlight.doctor.probes import relay
from ringlight.http.serving import listen
from ringlight.media.addresses import own_addresses

SEED_PATH = "/ws/signaling/5f0c/doctor"


def address(url: str, **asked: Any) -> Setting:
    """An address alone."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        yield Patient(settings(stage), (url.replace("PORT", str(free_port())),), Asked(**asked))

    return setting


def of_ours(path: str, *, asked: Asked | None = None, targets: tuple[str, ...] = (), **given: Any) -> Setting:
    """Our own server, and an address on it."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        async with server(stage, **given) as known:
            url = f"ws://localhost:{known.server.port}{path}"
            named = tuple(target.replace("PORT", str(known.server.port)) for target in targets)
            yield Patient(known, named or (url,), asked or Asked())

    return setting


def of_others(path: str, application: Any, *, asked: Asked | None = None, scheme: str = "ws") -> Setting:
    """Somebody else's server."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        async with foreign(application) as where:
            yield Patient(settings(stage), (f"{scheme}://{where}{path}",), asked or Asked())

    return setting


@contextlib.asynccontextmanager
async def room_of_stopped_server(stage: Stage) -> AsyncIterator[Patient]:
    yield Patient(settings(stage, ring_url="http://127.0.0.1:9", server={"port": free_port()}), ("room",))


@contextlib.asynccontextmanager
async def port_taken(stage: Stage) -> AsyncIterator[Patient]:
    with contextlib.closing(listen("127.0.0.1", 0)) as taken:
        yield Patient(settings(stage, server={"port": taken.getsockname()[1]}), ("server",))


@contextlib.asynccontextmanager
async def loopback_only(stage: Stage) -> AsyncIterator[Patient]:
    async with server(stage) as known:
        yield Patient(known, (f"ws://{own_addresses(ipv6=False)[0]}:{known.server.port}/ws/v2",))


@contextlib.asynccontextmanager
async def firewalled(stage: Stage) -> AsyncIterator[Patient]:
    async with port_that_swallows(stage) as port:
        yield Patient(settings(stage), (f"ws://127.0.0.1:{port}{SEED_PATH}",))


def secured(name: str = "localhost", **how: Any) -> Setting:
    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        async with foreign(seed_app(), certificate(stage, name, **how)) as where:
            yield Patient(settings(stage), (f"wss://localhost:{where.rpartition(':')[2]}{SEED_PATH}",))

    return setting


@contextlib.asynccontextmanager
async def tls_forgotten(stage: Stage) -> AsyncIterator[Patient]:
    async with foreign(seed_app(), certificate(stage)) as where:
        yield Patient(settings(stage), (f"ws://{where}{SEED_PATH}",))


@contextlib.asynccontextmanager
async def tls_not_there(stage: Stage) -> AsyncIterator[Patient]:
    async with foreign(seed_app()) as where:
        yield Patient(settings(stage), (f"wss://{where}{SEED_PATH}",))


@contextlib.asynccontextmanager
async def proxied(stage: Stage) -> AsyncIterator[Patient]:
    async with server(stage) as known, proxy_that_drops_upgrades(known.server.port) as port:
        yield Patient(known, (f"ws://127.0.0.1:{port}/ws/v2",))


@contextlib.asynccontextmanager
async def published_by_a_proxy(stage: Stage) -> AsyncIterator[Patient]:
    """The server itself is well; the address that others have for it leads through a proxy that is not."""
    async with server(stage) as known, proxy_that_drops_upgrades(known.server.port) as port:
        yield Patient(known.model_copy(update={"public_url": f"http://127.0.0.1:{port}"}), ("room",))


@contextlib.asynccontextmanager
async def without_websockets(stage: Stage) -> AsyncIterator[Patient]:
    """uvicorn where no WebSocket library is installed: it answers as if no upgrade had been asked for."""
    import asyncio

    import uvicorn

    listening = listen("127.0.0.1", 0)
    running = uvicorn.Server(uvicorn.Config(seed_app(), ws="none", log_level="critical", lifespan="off"))
    stage.patch.setattr(running, "capture_signals", contextlib.nullcontext)
    task = asyncio.create_task(running.serve(sockets=[listening]))
    while not running.started:
        await asyncio.sleep(0.01)
    try:
        yield Patient(settings(stage), (f"ws://127.0.0.1:{listening.getsockname()[1]}{SEED_PATH}",))
    finally:
        running.should_exit = True
        await task


@contextlib.asynccontextmanager
async def extra_missing(stage: Stage) -> AsyncIterator[Patient]:
    real = importlib.util.find_spec
    stage.patch.setattr(importlib.util, "find_spec", lambda name: None if name == "redis" else real(name))
    yield Patient(settings(stage, redis_url="redis://127.0.0.1"), ("server",))


def relays(
    *, secret: str | None = None, port: int | None = None, transport: str = "udp", wall: Any = time.time
) -> Setting:
    """A coturn, and what the settings say of it."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        coturn = await stage.coturn()
        url = f"turn:127.0.0.1:{port or coturn.port}?transport={transport}"
        async with server(stage, turn_url=url, turn_secret=secret or coturn.secret) as known:
            yield Patient(known, ("room",), Asked(wall=wall))

    return setting


@contextlib.asynccontextmanager
async def relay_leads_nowhere(stage: Stage) -> AsyncIterator[Patient]:
    """The lent addresses are of a network for documentation: as behind a firewall, nothing gets there."""
    stage.patch.setattr(relay, "THROUGH_WAIT", 1.0)
    coturn = OwnCoturn(options=("--external-ip", "192.0.2.7"))
    try:
        url = f"turn:127.0.0.1:{coturn.port}?transport=udp"
        async with server(stage, turn_url=url, turn_secret=coturn.secret) as known:
            yield Patient(known, ("room",))
    finally:
        coturn.close()


@contextlib.asynccontextmanager
async def symmetric_nat(stage: Stage) -> AsyncIterator[Patient]:
    async with stun() as first, stun(shift=5) as second, ring(stage, turn_url=f"{first},{second}") as known:
        yield Patient(known, ("network",))


@contextlib.asynccontextmanager
async def no_stun(stage: Stage) -> AsyncIterator[Patient]:
    stage.patch.setattr(relay, "ANSWER_WAIT", 1.5)
    async with ring(stage, turn_url=f"stun:127.0.0.1:{free_port()}") as known:
        yield Patient(known, ("network",))


def token(*, ends_in: float) -> str:
    """A room token as far as it can be read without its key."""
    claims = json.dumps({"exp": time.time() + ends_in}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"


@contextlib.asynccontextmanager
async def another_program(stage: Stage) -> AsyncIterator[Patient]:
    async with foreign(says(200, "<html>Welcome</html>", media="text/html")) as where:
        yield Patient(settings(stage, server={"port": int(where.rpartition(":")[2])}), ("room",))


@contextlib.asynccontextmanager
async def no_key(stage: Stage) -> AsyncIterator[Patient]:
    yield Patient(settings(stage, server={"host": "0.0.0.0", "port": 0}), ("server",))


@contextlib.asynccontextmanager
async def no_state(stage: Stage) -> AsyncIterator[Patient]:
    (stage.folder / "file").write_text("")
    yield Patient(settings(stage, state_dir=stage.folder / "file" / "state"), ("server",))


@contextlib.asynccontextmanager
async def full_disk(stage: Stage) -> AsyncIterator[Patient]:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    known = settings(stage)
    stage.patch.setattr("ringlight.doctor.probes.machine.tempfile.mkstemp", full)
    yield Patient(known, ("server",))


SIGNALING = (
    Scenario("server not running", "REACH-REFUSED", address(f"ws://127.0.0.1:PORT{SEED_PATH}")),
    Scenario("server not running, by the settings", "REACH-REFUSED", room_of_stopped_server),
    Scenario("undefined URL", "REACH-URL", address(f"ws://undefined{SEED_PATH}")),
    Scenario("undefined in the host and port", "REACH-URL", address(f"ws://undefined:undefined{SEED_PATH}")),
    Scenario("a template in the URL", "REACH-URL", address("wss://${process.env.BACKEND_URL}/ws/signaling/1/doctor")),
    Scenario("another scheme", "REACH-URL", address("localhost://8000/ws/signaling/1/doctor")),
    Scenario("undefined room", "ROOM-ID", of_others("/ws/signaling/undefined/doctor", seed_app())),
    Scenario("undefined room, on our server", "ROOM-ID", of_ours("/ws/signaling/undefined/doctor")),
    Scenario("unknown role", "ROOM-ROLE", of_ours("/ws/signaling/5f0c/nurse-in-chief")),
    Scenario("wrong host", "NET-DNS", address(f"ws://no-such-host.invalid{SEED_PATH}")),
    Scenario("Origin", "ROOM-ORIGIN", of_ours("/ws/v2", asked=Asked(origin="https://elsewhere.example"))),
    Scenario("CORS", "REACH-CORS",
             of_others("/", seed_app(), asked=Asked(origin="http://localhost:3000"), scheme="http")),
    Scenario("CORS, on our server", "ORIGIN-REFUSED",
             of_ours("", targets=("http://localhost:PORT/",), asked=Asked(origin="https://elsewhere.example"))),
    Scenario("path", "ROOM-PATH", of_others("/wrong/signaling/5f0c/doctor", seed_app())),
    Scenario("path, on our server", "ROOM-PATH", of_ours("/ws/signalling/5f0c/doctor")),
    Scenario("port in use", "CFG-PORT", port_taken, "process"),
    Scenario("bound to 127.0.0.1 only", "REACH-LOOPBACK", loopback_only, "127.0.0.1 only"),
    Scenario("firewall", "REACH-FIREWALL", firewalled),
    Scenario("https page with ws server", "REACH-MIXED",
             address("ws://signaling.invalid:8000/ws/signaling/5f0c/doctor", page="https://clinic.example/room")),
    Scenario("TLS name", "REACH-CERT-NAME", secured("clinic.example"), "clinic.example"),
    Scenario("TLS expiry", "REACH-CERT-EXPIRED", secured(days=-3)),
    Scenario("self-signed", "REACH-CERT-ISSUER", secured(trusted=False)),
    Scenario("TLS wanted, ws given", "REACH-SCHEME", tls_forgotten),
    Scenario("wss given, no TLS", "REACH-SCHEME", tls_not_there),
    Scenario("proxy that drops the upgrade", "REACH-PROXY", proxied),
    Scenario("proxy before our own server", "REACH-PROXY", published_by_a_proxy),
    Scenario("1006", "REACH-CUT", of_others(SEED_PATH, seed_app(close=1006))),
    Scenario("1000 at once", "REACH-CLOSED", of_others(SEED_PATH, seed_app(close=1000)), "1000"),
    Scenario("1011 at once", "REACH-CLOSED", of_others(SEED_PATH, seed_app(close=1011)), "failed"),
    Scenario("1008 at once", "REACH-CLOSED", of_others(SEED_PATH, seed_app(close=1008)), "rule"),
    Scenario("missing dependency of uvicorn", "CFG-DEPENDENCY", without_websockets),
    Scenario("missing dependency", "CFG-DEPENDENCY", extra_missing, "ringlight[redis]"),
    Scenario("something else answers", "REACH-OTHER", another_program),
    Scenario("TURN unreachable", "TURN-UNREACHABLE", relays(port=9)),
    Scenario("TURN unreachable over TCP", "TURN-UNREACHABLE", relays(port=9, transport="tcp")),
    Scenario("TURN relay ports closed", "TURN-RELAY", relay_leads_nowhere, "lends 192.0.2.7"),
    Scenario("TURN credentials: another secret", "TURN-CREDENTIALS", relays(secret="not coturn's")),
    Scenario("TURN credentials expired", "REACH-CLOCK", relays(wall=lambda: time.time() - 7200)),
    Scenario("NAT without a usable candidate", "REACH-NAT", symmetric_nat),
    Scenario("STUN blocked", "MEDIA-UDP", no_stun),
    Scenario("expired room token", "ROOM-TOKEN-EXPIRED",
             of_others(f"{SEED_PATH}?token=" + token(ends_in=-900), seed_app())),
    Scenario("no key beyond loopback", "CFG-SECRET-KEY", no_key),
    Scenario("unreadable state directory", "CFG-STATE-DIR", no_state),
    Scenario("no room in the state directory", "STORE-FULL", full_disk, "No space left on device"),
)  # fmt: skip
