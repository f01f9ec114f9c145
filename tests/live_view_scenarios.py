"""Every cause in a person's own live view that the doctor must find, and how it is set here."""

import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from patients import (
    Change,
    Patient,
    Scenario,
    Setting,
    Stage,
    certificate,
    foreign,
    free_port,
    let_client_err,
    port_that_swallows,
    ring,
    says,
    settings,
)
from ringlight.doctor.plans.asked import Asked
from ringlight.doctor.probes import views


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
