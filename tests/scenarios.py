"""Every cause that the doctor must find, how it is set here, and the code that must come first: one table."""

import base64
import contextlib
import importlib.util
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from own_coturn import OwnCoturn
from patients import (
    PARTNER,
    Change,
    Patient,
    Stage,
    certificate,
    foreign,
    free_port,
    let_client_err,
    linked,
    port_that_swallows,
    proxy_that_drops_upgrades,
    refusal,
    ring,
    says,
    seed_app,
    server,
    settings,
    stun,
)
from ringlight.doctor import judging_calls
from ringlight.doctor.plans.asked import Asked
from ringlight.doctor.probes import relay, views
from ringlight.http.serving import listen
from ringlight.media.addresses import own_addresses
from ringlight.secrets import Secret
from ringlight.simulator.world import World

Setting = Callable[[Stage], AbstractAsyncContextManager[Patient]]
SEED_PATH = "/ws/signaling/5f0c/doctor"


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


# ---- live view ----


def switched(*on: str, seconds: float = 0.0, **given: Any) -> Setting:
    """A simulated Ring with switches, and a camera that is looked at."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        async with ring(stage, *on, **given) as known:
            yield Patient(known, ("Front Door",), Asked(seconds=seconds))

    return setting


def mistaken(change: Change, **given: Any) -> Setting:
    """A client that makes a mistake."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        let_client_err(stage, change)
        async with ring(stage, **given) as known:
            yield Patient(known, ("Front Door",))

    return setting


def _in(method: str, change: Change) -> Change:
    return lambda envelope: change(envelope) if envelope["method"] == method else envelope


def _body(method: str, **fields: Any) -> Change:
    return _in(method, lambda envelope: {**envelope, "body": {**envelope["body"], **fields}})


def _without(name: str) -> Change:
    return _in(
        "live_view", lambda envelope: {**envelope, "body": {k: v for k, v in envelope["body"].items() if k != name}}
    )


def _sdp(change: Callable[[str], str]) -> Change:
    return _in("live_view", lambda one: {**one, "body": {**one["body"], "sdp": change(one["body"]["sdp"])}})


def _no_line(name: str) -> Change:
    return _sdp(lambda text: re.sub(rf"a={name}[^\r]*\r\n", "", text))


def _renamed(method: str, other: str) -> Change:
    return _in(method, lambda envelope: {**envelope, "method": other})


def _at_top(envelope: dict[str, Any]) -> dict[str, Any]:
    return {**envelope.pop("body"), **envelope}


_CANDIDATE = {"ice": "a=candidate:1 1 udp 1 192.0.2.1 9 typ host", "mlineindex": 0}


@contextlib.asynccontextmanager
async def without_account_id(stage: Stage) -> AsyncIterator[Patient]:
    from ringlight.account import AccountClient
    from ringlight.errors import fault_error

    async def none(_: AccountClient) -> int:
        raise fault_error("ACCOUNT-ID")

    stage.patch.setattr(AccountClient, "account_id", none)
    async with ring(stage) as known:
        yield Patient(known, ("account",))


@contextlib.asynccontextmanager
async def other_region(stage: Stage) -> AsyncIterator[Patient]:
    async with ring(stage, ring_signaling_url="wss://api.eu-west-1.prod.signalling.invalid/ws") as known:
        yield Patient(known, ("account",))


@contextlib.asynccontextmanager
async def signed_out(stage: Stage) -> AsyncIterator[Patient]:
    async with ring(stage) as known:
        (known.state_dir / "tokens.json").unlink()
        yield Patient(known, ("account",))


@contextlib.asynccontextmanager
async def skewed(stage: Stage) -> AsyncIterator[Patient]:
    async with ring(stage) as known:
        yield Patient(known, ("account",), Asked(wall=lambda: time.time() + 7200))


@contextlib.asynccontextmanager
async def ring_gone(stage: Stage) -> AsyncIterator[Patient]:
    yield Patient(settings(stage, ring_url=f"http://127.0.0.1:{free_port()}"), ("account",))


@contextlib.asynccontextmanager
async def no_name(stage: Stage) -> AsyncIterator[Patient]:
    yield Patient(settings(stage, ring_url="https://oauth.ring.invalid"), ("network",))


@contextlib.asynccontextmanager
async def inspected(stage: Stage) -> AsyncIterator[Patient]:
    """A company's proxy that shows a certificate of its own."""
    async with foreign(says(405), certificate(stage, trusted=False)) as where:
        url = f"https://localhost:{where.rpartition(':')[2]}"
        yield Patient(settings(stage, ring_url=url), ("network",))


@contextlib.asynccontextmanager
async def blocked_ring(stage: Stage) -> AsyncIterator[Patient]:
    async with port_that_swallows(stage) as port:
        yield Patient(settings(stage, ring_url=f"http://127.0.0.1:{port}"), ("network",))


@contextlib.asynccontextmanager
async def upgrade_never_answered(stage: Stage) -> AsyncIterator[Patient]:
    stage.patch.setattr(views, "SOCKET_WAIT", 1.0)
    async with ring(stage, "upgrade-silent") as known:
        yield Patient(known, ("account",))


LIVE_VIEW = (
    Scenario("message structure", "SIG-FORMAT", mistaken(_in("live_view", _at_top))),
    Scenario("missing field", "SIG-FORMAT", mistaken(_without("stream_options")), "stream_options"),
    Scenario("missing dialog_id", "SIG-DIALOG-ID", mistaken(lambda one: {**one, "dialog_id": None})),
    Scenario("missing dialog_id, lost on the way", "SIG-DIALOG-ID", switched("missing-dialog-id")),
    Scenario("doorbot_id not an integer", "SIG-DOORBOT-ID", mistaken(_body("live_view", doorbot_id="1001"))),
    Scenario("doorbot_id not an integer, on the way", "SIG-DOORBOT-ID", switched("string-doorbot-id")),
    Scenario("session id not the server's", "SIG-SESSION-ID", mistaken(_body("activate_session", session_id="mine"))),
    Scenario("malformed SDP: line ends", "SIG-SDP", mistaken(_sdp(lambda sdp: sdp.replace("\r\n", "\n"))), "CR LF"),
    Scenario("malformed SDP: no media", "SIG-SDP", mistaken(_sdp(lambda sdp: sdp[: sdp.index("m=")]))),
    Scenario("malformed SDP: no ICE", "SIG-SDP", mistaken(_no_line("ice-ufrag")), "ice-ufrag"),
    Scenario("malformed SDP: no DTLS", "SIG-SDP", mistaken(_no_line("fingerprint")), "fingerprint"),
    Scenario("malformed SDP: video not receiving", "SIG-SDP",
             mistaken(_sdp(lambda sdp: sdp.replace("recvonly", "sendonly"))), "recvonly"),
    Scenario("malformed SDP: no H264", "SIG-SDP", mistaken(_sdp(lambda sdp: sdp.replace("H264/", "VP8/"))), "H264"),
    Scenario("malformed candidate", "SIG-CANDIDATE",
             mistaken(_in("mic_enable", lambda one: _body("ice", **_CANDIDATE)({**one, "method": "ice"})))),
    Scenario("candidate in the browser's form", "SIG-CANDIDATE", mistaken(_renamed("mic_enable", "icecandidate"))),
    Scenario("wrong method name", "SIG-METHOD", mistaken(_renamed("activate_session", "start"))),
    Scenario("action in place of method", "SIG-METHOD",
             mistaken(_in("live_view", lambda one: {"action": one.pop("method"), **one}))),
    Scenario("wrong order", "SIG-ORDER", mistaken(_renamed("mic_enable", "activate_session"))),
    Scenario("code 26", "SIG-NOT-READY", switched("never-ready", live_view={"ready_retries": 1})),
    Scenario("code 26, then ready", "SIG-NOT-READY", switched("not-ready")),
    Scenario("expired token in the view", "SIG-TOKEN", switched("token-expired")),
    Scenario("invalid token", "AUTH-LINK-LOST", switched("wrong-password")),
    Scenario("refused in the view", "SIG-AUTH", switched("auth-failed")),
    Scenario("nobody signed in", "AUTH-SIGNED-OUT", signed_out),
    Scenario("missing account id", "ACCOUNT-ID", without_account_id),
    Scenario("account id on the wire", "ACCOUNT-ID", mistaken(_body("live_view", account_id=4711)), "never sent"),
    Scenario("region mismatch", "SIG-REGION", other_region),
    Scenario("stale ticket", "SIG-TICKET", switched("expired-ticket")),
    Scenario("refused upgrade", "SIG-UPGRADE", switched("upgrade-403")),
    Scenario("no ticket", "TICKET-REFUSED", switched("ticket-401")),
    Scenario("firewall against WebSocket", "SIG-BLOCKED", upgrade_never_answered),
    Scenario("firewall against all of Ring", "REACH-FIREWALL", blocked_ring),
    Scenario("Ring cannot be reached", "REACH-REFUSED", ring_gone),
    Scenario("no name server, or an ad blocker", "NET-DNS", no_name),
    Scenario("a proxy that inspects", "REACH-CERT-ISSUER", inspected),
    Scenario("firewall against UDP", "MEDIA-TCP", switched("udp-blocked", live_view={"tcp_after": 0.3})),
    Scenario("firewall against all media", "MEDIA-UDP", switched("no-udp", live_view={"path_timeout": 1.5})),
    Scenario("no usable candidate", "MEDIA-UDP", switched("tcp-only-candidates", live_view={"path_timeout": 1.5})),
    Scenario("missing User-Agent", "SIG-USER-AGENT", switched("user-agent-lost")),
    Scenario("no activation", "SIG-NO-ACTIVATION", mistaken(_renamed("activate_session", "ping"))),
    Scenario("activation lost on the way", "SIG-NO-ACTIVATION",
             switched("not-activated", seconds=60, live_view={"activation_limit": 2.0})),
    Scenario("no ping", "SIG-PING", mistaken(_renamed("ping", "stream_options"), live_view={"pong_timeout": 1.0})),
    Scenario("pings unheard", "SIG-PING", switched("ping-lost", seconds=60)),
    Scenario("time limit", "SIG-TIME-LIMIT", switched("short-view", seconds=12)),  # it ends after 4
    Scenario("Modes", "CAM-DISABLED", switched("live-view-disabled")),
    Scenario("offline", "CAM-OFFLINE", switched("offline")),
    Scenario("privacy", "CAM-PRIVACY", switched("privacy-cover")),
    Scenario("video switched off", "CAM-VIDEO-OFF", switched("video-off")),
    Scenario("edge block 406", "AUTH-EDGE-BLOCK", switched("edge-406")),
    Scenario("audio and video direction", "SDP-DIRECTION", switched("video-sendrecv")),
    Scenario("profile mismatch", "SDP-PROFILE", switched("unoffered-type")),
    Scenario("profile mismatch, got over", "SDP-PROFILE", switched("unoffered-profile")),
    Scenario("no codec in common", "SDP-CODEC", switched("hevc-only")),
    Scenario("rejected without a word (4002)", "SIG-REJECTED", switched("socket-4002", seconds=60)),
    Scenario("cut (1006)", "SIG-DROPPED", switched("socket-1006", seconds=60)),
    Scenario("closed (1000)", "SIG-ENDED", switched("socket-1000", seconds=60)),
    Scenario("clock skew", "REACH-CLOCK", skewed, "2 hours ahead"),
    Scenario("no video", "MEDIA-SILENT", switched("black-hole", live_view={"media_timeout": 1.5})),
)  # fmt: skip


# ---- the Partner API ----


def app(*on: str, linked_first: bool = True, **partner: Any) -> Setting:
    """The simulated Partner API with switches, and a linked account."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        world = World()
        if linked_first:
            linked(stage, world)
        async with ring(stage, *on, world=world, partner={**PARTNER, **partner}) as known:
            yield Patient(known, ("partner",))

    return setting


def answering(application: Any, *, picture: bool = False) -> Setting:
    """Something that answers every call of the Partner API alike; with `picture` only the request for one."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        given = {**PARTNER, "access_token": "sim-token"}
        if picture:
            from ringlight.simulator.app import create_app

            real = create_app(World())

            async def either(scope: Any, receive: Any, send: Any) -> None:
                chosen = application if "/media/" in scope.get("path", "") else real
                await chosen(scope, receive, send)

            async with foreign(either) as where:
                yield Patient(settings(stage, ring_url=f"http://{where}", partner=given), ("partner",))
            return
        async with foreign(application) as where:
            yield Patient(settings(stage, ring_url=f"http://{where}", partner=given), ("partner",))

    return setting


@contextlib.asynccontextmanager
async def refresh_as_bearer(stage: Stage) -> AsyncIterator[Patient]:
    world = World()
    pair = linked(stage, world)
    async with ring(stage, world=world, partner={**PARTNER, "access_token": pair.refresh.reveal()}) as known:
        yield Patient(known, ("partner",))


@contextlib.asynccontextmanager
async def limit_used(stage: Stage) -> AsyncIterator[Patient]:
    world = World()
    world.partner.limit.calls, world.partner.limit.seconds = 10, 60.0
    for _ in range(7):
        world.partner.limit.take(world.now())
    async with ring(stage, world=world, partner={**PARTNER, "access_token": "sim-token"}) as known:
        yield Patient(known, ("partner",))


@contextlib.asynccontextmanager
async def patch_forgotten(stage: Stage) -> AsyncIterator[Patient]:
    from ringlight.store.database import Database
    from ringlight.store.link_rows import LinkRows
    from ringlight.store.links import AccountLink, Beginning, LinkState
    from ringlight.store.pairs import TokenPair

    async with ring(stage, partner={**PARTNER, "access_token": "sim-token"}) as known:
        with contextlib.closing(Database(known.database.reveal())) as database:
            rows = LinkRows(database)
            rows.begin(Beginning("one", time.time()))
            pair = TokenPair(Secret("a"), Secret("r"), time.time(), time.time() + 60)
            rows.adopt("one", pair, AccountLink("ada", LinkState.AWAITING, time.time()))
        yield Patient(known, ("partner",))


def receiver(application: Any) -> Setting:
    """A webhook receiver of somebody else."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        async with (
            foreign(application) as where,
            ring(stage, partner={**PARTNER, "access_token": "sim-token"}) as known,
        ):
            yield Patient(known, ("partner",), Asked(webhook=f"http://{where}/hook"))

    return setting


@contextlib.asynccontextmanager
async def slow_receiver(stage: Stage) -> AsyncIterator[Patient]:
    """Ring's five seconds, in small."""
    stage.patch.setattr(judging_calls, "ANSWER_WITHIN", 0.5)
    async with receiver(says(200, {}, slow=0.7))(stage) as patient:
        yield patient


@contextlib.asynccontextmanager
async def app_skewed(stage: Stage) -> AsyncIterator[Patient]:
    async with ring(stage, partner={**PARTNER, "access_token": "sim-token"}) as known:
        yield Patient(known, ("partner",), Asked(wall=lambda: time.time() - 900))


def linked_camera(*on: str, name: str = "Front Door", signed_in: bool = False, **given: Any) -> Setting:
    """A camera that is looked at, of a linked account; who has none of their own, or one with the same names."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        world = World()
        linked(stage, world)
        async with ring(stage, *on, world=world, partner=PARTNER, **given) as known:
            if not signed_in:
                (known.state_dir / "tokens.json").unlink()
            yield Patient(known, (name,))

    return setting


@contextlib.asynccontextmanager
async def app_alone(stage: Stage) -> AsyncIterator[Patient]:
    """An app that no account is linked with yet, and a camera that is asked for."""
    async with app(linked_first=False)(stage) as patient:
        (patient.settings.state_dir / "tokens.json").unlink()
        yield Patient(patient.settings, ("Front Door",))


@contextlib.asynccontextmanager
async def view_refused(stage: Stage) -> AsyncIterator[Patient]:
    """Another program watches the camera of a linked account."""
    from ringlight.simulator.app import create_app

    real, busy = create_app(World()), refusal(409, "There is a session of this device already.")

    async def either(scope: Any, receive: Any, send: Any) -> None:
        await (busy if "/whep/" in scope.get("path", "") else real)(scope, receive, send)

    async with foreign(either) as where:
        given = {**PARTNER, "access_token": "sim-token"}
        yield Patient(settings(stage, ring_url=f"http://{where}", partner=given), ("Front Door",))


PARTNER_API = (
    Scenario("400: a parameter", "PARTNER-BAD-REQUEST", answering(refusal(400, "Validation Error"))),
    Scenario("400: the nonce", "PARTNER-NONCE", answering(refusal(400, "Invalid Nonce"))),
    Scenario("400: the state", "PARTNER-TRANSITION", answering(refusal(400, "Invalid Status Transition"))),
    Scenario("401: expired", "PARTNER-AUTH", app("partner-401", access_token="sim-token"), "nothing renews it"),
    Scenario("401: revoked, link lost", "LINK-LOST", app("partner-link-lost")),
    Scenario("401: refresh token used as bearer", "PARTNER-WRONG-TOKEN", refresh_as_bearer),
    Scenario("401: empty body", "PARTNER-AUTH", app("partner-401-empty")),
    Scenario("no link", "LINK-NONE", app(linked_first=False)),
    Scenario("403: scope", "PARTNER-SCOPE", app("partner-403")),
    Scenario("403: consent and time range", "PARTNER-CONSENT",
             answering(refusal(403, "Forbidden", code="TIME_RANGE_NOT_AUTHORIZED"), picture=True)),
    Scenario("403: bad media body", "PARTNER-FORBIDDEN",
             answering(refusal(403, "Forbidden", "Cannot authorize: empty request body", "REQUEST_FORBIDDEN"),
                       picture=True)),
    Scenario("416: no footage", "PARTNER-NO-FOOTAGE", app("partner-media-missing")),
    Scenario("404: device gone", "PARTNER-NO-DEVICES", app("partner-no-devices")),
    Scenario("404: path guessed wrong", "PARTNER-NOT-FOUND", answering(refusal(404, "Not Found"))),
    Scenario("429", "PARTNER-RATE", app("partner-429")),
    Scenario("429: who else uses the limit", "PARTNER-RATE", limit_used, "of 10 calls a second are used"),
    Scenario("500", "PARTNER-SERVER", app("partner-500")),
    Scenario("503: device offline", "PARTNER-DEVICE-OFFLINE", app("partner-offline")),
    Scenario("503: service down", "PARTNER-UNAVAILABLE", app("partner-503")),
    Scenario("HTML instead of JSON", "PARTNER-ANSWER", app("partner-html")),
    Scenario("PATCH forgotten", "LINK-DORMANT", patch_forgotten),
    Scenario("nonce by a decoded key", "LINK-KEY", app(hmac_keys=["sim-hmac-key-for-ringlight"])),
    Scenario("nonce by a key in hexadecimal", "LINK-KEY", app(hmac_keys=["ab" * 32])),
    Scenario("webhook 4xx", "HOOK-LOST", receiver(says(404, {}))),
    Scenario("webhook 5xx", "HOOK-FAILING", receiver(says(500, {}))),
    Scenario("webhook 3xx", "HOOK-REDIRECT", receiver(says(307, {}))),
    Scenario("receiver slower than 5 s", "HOOK-LATE", slow_receiver),
    Scenario("the host's clock", "REACH-CLOCK", app_skewed, "behind"),
    Scenario("no credentials", "CFG-INVALID", app(linked_first=False, client_secret=None)),
    Scenario("a linked camera, offline", "PARTNER-DEVICE-OFFLINE", linked_camera("partner-offline"), "Front Door"),
    Scenario("a linked camera, no picture", "MEDIA-SILENT",
             linked_camera("partner-view-dark", live_view={"media_timeout": 1.5})),
    Scenario("a linked camera, watched by another", "PARTNER-VIEW-BUSY", view_refused),
    Scenario("a linked camera that is not there", "CAM-UNKNOWN", linked_camera(name="Attic"), "known: Front Door"),
    Scenario("no camera of that name anywhere", "CAM-UNKNOWN", linked_camera(name="Attic", signed_in=True),
             "known: Front Door, Back Yard, Driveway, Front Door"),
    Scenario("nobody signed in, no link", "LINK-NONE", app_alone),
)  # fmt: skip


# ---- the signaling server ----


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
        url = f"turn:127.0.0.1:{port or stage.coturn.port}?transport={transport}"
        async with server(stage, turn_url=url, turn_secret=secret or stage.coturn.secret) as known:
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
)  # fmt: skip

ALL = (*LIVE_VIEW, *PARTNER_API, *SIGNALING)
