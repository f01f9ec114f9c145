"""What the evidence of an address, of relays and of this machine means. Pure: tested without a network."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

from ringlight.doctor.evidence import Address, Answered, Dialed, Named, Relayed, Secured, Upgraded
from ringlight.doctor.findings import Seen, failed, fault, good, note, skipped
from ringlight.doctor.proc_net import Listener
from ringlight.errors import RingError
from ringlight.faults import FAULTS
from ringlight.http.address import is_loopback_host, netloc_of
from ringlight.rooms.address import read_address

DAY = 86_400.0  # seconds
# Those who renew by themselves do it a month before the end, or a third of the time.
RENEW_WITHIN = 14 * DAY
CLOCK_LIMIT = 60.0  # seconds; tokens of rooms and of Ring, and signatures, are judged by minutes
CLOSED_AT_ONCE = {1000: "in the regular way", 1001: "since the server goes away", 1005: "without a code",
                  1008: "since a rule forbids it", 1011: "since the server failed"}  # fmt: skip
_NO_VALUE = re.compile(r"undefined|null|\bnan\b|\[object|\$\{|\{\{|<[a-z_]+>|%7b|process\.env", re.IGNORECASE)
_SCHEMES = ("http", "https", "ws", "wss")


# ---- the address, before anything is sent ----


def judge_address(address: Address) -> Seen:
    """Judge whether an address is whole. A room's id is judged by `judge_room_address`."""
    shown = address.text or "nothing"
    if address.scheme not in _SCHEMES:
        return fault("REACH-URL", f"{shown} begins with none of http:, https:, ws:, wss:")
    if not address.host:
        return fault("REACH-URL", f"{shown} names no host")
    if _NO_VALUE.search(address.host):
        return fault("REACH-URL", f"the host of {shown} is {address.host!r}")
    if not 0 < address.port < 65_536:
        return fault("REACH-URL", f"{shown} has a port that is no number from 1 to 65535")
    return good(f"{address.scheme}, {address.netloc}, {address.path or '/'}")


def judge_page(address: Address, page: str) -> Seen:
    """Judge whether a page may use the address (mixed content); browsers allow it for this machine itself."""
    if page.lower().startswith("https:") and not address.is_secure:
        if is_loopback_host(address.host):
            return note(f"the page is by https and the address is {address.scheme}: on this machine; not from others")
        return fault("REACH-MIXED", f"the page is by https, the address is {address.text}")
    return good(f"a page at {netloc_of(page) or page} may use {address.scheme}:")


def judge_room_address(address: Address) -> Seen:
    """Judge the path of a room's socket, by the rules of our own rooms."""
    try:
        read = read_address(address.path)
    except RingError as error:
        return failed(error)
    return good(f"room {read.room!r}, and a role that is known" if read.room else "the room comes in the first message")


def judge_room_token(token: str, now: float) -> Seen:
    """Judge a room token as far as that goes without its key: its time."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        until, since = float(claims["exp"]), float(claims.get("nbf", claims.get("iat", 0)))
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return fault("ROOM-TOKEN", "it is not in the form of a token of ours")
    if now >= until:
        return fault("ROOM-TOKEN-EXPIRED", f"it ended {_span(now - until)} ago")
    if now + CLOCK_LIMIT < since:
        return fault("ROOM-TOKEN-EXPIRED", f"it begins in {_span(since - now)}")
    return good(f"good for {_span(until - now)} more")


# ---- the way to it ----


def judge_name(named: Named, *, signaling: bool = False) -> Seen:
    """Judge a look-up. `signaling`: the host is set by `ring_signaling_url` and is not Ring's own."""
    if not named.addresses:
        return fault("SIG-REGION" if signaling and named.answered else "NET-DNS", named.why_not)
    if named.addresses == (named.host,):
        return good(f"{named.host} is an address")
    return good(f"{named.host} is {', '.join(named.addresses[:3])}")


def judge_connection(where: str, dialed: Dialed) -> Seen:
    """Judge a connection. `where` is host and port."""
    match dialed.outcome:
        case "open":
            return good(f"{where} took the connection in {dialed.seconds * 1000:.0f} ms")
        case "forbidden":
            return fault("REACH-SANDBOX", f"the system forbids a connection to {where}")
        case "no-route":
            return fault("NET-UNREACHABLE", f"there is no way to {where}")
        case "swallowed":
            return fault("REACH-FIREWALL", f"nothing came back from {where} within {dialed.seconds:.0f} s")
        case "refused":
            return _refused(where, dialed)


def _refused(where: str, dialed: Dialed) -> Seen:
    if not dialed.is_ours:
        return fault(
            "REACH-REFUSED", f"{where} refuses the connection; a server bound to 127.0.0.1 refuses others like this too"
        )
    known = dialed.listeners or ()
    if any(one.address in ("0.0.0.0", "::", *dialed.tried) for one in known):
        return fault("REACH-FIREWALL", f"{where} refuses, although {known[0].shown} listens there")
    local = next((one for one in known if ip_address(one.address).is_loopback), None)
    if local is not None:
        return fault("REACH-LOOPBACK", f"{where} refuses; {local.shown} listens on {local.address} only")
    if known:
        return fault("REACH-REFUSED", f"{where} refuses; {known[0].shown} listens on {known[0].address} only")
    return fault("REACH-REFUSED", f"{where} refuses the connection")


def judge_security(host: str, secured: Secured, now: float) -> Seen:
    """Judge a handshake."""
    match secured.outcome:
        case "trusted":
            ends = f"trusted, {_time_left(secured, now)}"
            if secured.until is not None and secured.until - now < RENEW_WITHIN:
                return note(f"{ends}: {(secured.until - now) / DAY:.0f} days; renew it, and see why that was not done")
            return good(ends)
        case "name":
            return fault("REACH-CERT-NAME", f"it is for {', '.join(secured.names[:4]) or 'no name'}, not for {host}")
        case "expired":
            return fault("REACH-CERT-EXPIRED", _time_left(secured, now))
        case "issuer":
            return fault("REACH-CERT-ISSUER", f"signed by {secured.issuer or 'itself'}: {secured.why}")
        case "plain":
            return fault("REACH-SCHEME", f"the address wants TLS, and {host} speaks without")
        case "failed":
            return fault("NET-TLS", secured.why or "the handshake failed")


def _time_left(secured: Secured, now: float) -> str:
    if secured.until is None:
        return "its time was not read"
    if secured.since is not None and now < secured.since:
        return f"it begins on {_day(secured.since)}"
    if now >= secured.until:
        return f"it ended on {_day(secured.until)}"
    return f"until {_day(secured.until)}"


def judge_answer(where: str, answered: Answered, *, ours: bool, ring: bool = False) -> Seen:
    """Judge a plain answer.

    Args:
        where: Host and port.
        answered: What came.
        ours: Whether a Ringlight server must be there.
        ring: Whether it is one of Ring's hosts.
    """
    if answered.status is None:
        if answered.speaks_tls:
            return fault("REACH-SCHEME", f"{where} wants TLS, and the address says that there is none")
        if answered.error is None or answered.error.code == "NET-UNREACHABLE":  # the connection was there a moment ago
            return fault("REACH-OTHER", f"{where} takes the connection and speaks no HTTP")
        return failed(answered.error)
    if ring and answered.status == 406:
        return fault("AUTH-EDGE-BLOCK", f"HTTP 406 from {where}")
    if answered.code == "ORIGIN-REFUSED":
        return fault("ORIGIN-REFUSED", f"{where} does not take requests for this host name")
    kind = "a Ringlight server" if answered.is_ringlight else answered.server or "a server"
    if ours and not answered.is_ringlight:
        page = " with a page" if "html" in answered.media_type else ""
        return fault("REACH-OTHER", f"{where} answers HTTP {answered.status}{page}, and is {kind}")
    return good(f"{kind} answers (HTTP {answered.status})")


def judge_clock(theirs: float | None, ours: float) -> Seen:
    """Judge two clocks, in seconds since 1970; an answer's `Date` is whole seconds."""
    if theirs is None:
        return skipped("the answer names no time")
    ahead = ours - theirs
    if abs(ahead) > CLOCK_LIMIT:
        which = "ahead of" if ahead > 0 else "behind"
        return fault("REACH-CLOCK", f"this machine is {_span(abs(ahead))} {which} the server")
    return good(f"{abs(ahead):.0f} s apart")


def judge_cors(answered: Answered, origin: str, netloc: str) -> Seen:
    """Judge whether a page of an origin may read answers."""
    if netloc_of(origin) == netloc:
        return good("the page is the server's own")
    if answered.allowed_origin in ("*", origin):
        return good(f"{origin} may read")
    code = "ORIGIN-REFUSED" if answered.is_ringlight else "REACH-CORS"
    return fault(code, f"for {origin} the answer allows {answered.allowed_origin or 'nobody'}")


# ---- the WebSocket ----


def judge_upgrade(upgraded: Upgraded, *, origin: str = "", ringlight: bool = False) -> Seen:
    """Judge the answer to an upgrade, where plain requests are answered."""
    if upgraded.status == 101:
        return good("HTTP 101")
    if upgraded.status is None:
        if upgraded.error is not None and upgraded.error.code != "NET-TIMEOUT":
            return failed(upgraded.error)
        return fault("REACH-PROXY", "plain requests are answered, and this one never")
    seen = f"HTTP {upgraded.status} in place of 101"
    if upgraded.without_origin == 101:
        return fault("ROOM-ORIGIN", f"{seen} for {origin}, and 101 without an Origin")
    if upgraded.status == 401:
        return fault("KEY-NEEDED", seen)
    if ringlight or upgraded.via:
        return fault("REACH-PROXY", seen + (f", by {upgraded.via}" if upgraded.via else ""))
    if upgraded.status == 403:
        # Starlette refuses so whatever no route takes; a plain 404 comes from a server that saw no upgrade.
        return fault("ROOM-PATH", f"{seen}: the server has no socket at this path")
    if upgraded.server.casefold().startswith("uvicorn"):
        return fault("CFG-DEPENDENCY", f"{seen}: uvicorn has no WebSocket library; `pip install websockets` there")
    return fault("REACH-PROXY", f"{seen}: the server saw no upgrade, or has nothing at this path")


def judge_open(upgraded: Upgraded, *, origin: str = "") -> Seen:
    """Judge what came of a WebSocket in its first second."""
    named = next((text for text in (upgraded.heard, upgraded.close_reason) if text in FAULTS), "")
    if named == "ROOM-TOKEN-NEEDED":
        return good("it is open; rooms want a token here")
    if named:
        return fault(named, f"closed with {upgraded.close_code}" + (f" for {origin}" if origin else ""))
    if upgraded.close_code is None:
        return good("it stays open")
    if upgraded.close_code == 1006:
        return fault("REACH-CUT", "cut without a close frame (1006)")
    how = CLOSED_AT_ONCE.get(upgraded.close_code, "")
    said = f", saying {upgraded.close_reason[:80]!r}" if upgraded.close_reason else ""
    return fault("REACH-CLOSED", f"closed with {upgraded.close_code}{f' {how}' if how else ''}{said}")


# ---- STUN and TURN ----


def judge_stun(asked: Sequence[Relayed]) -> Seen:
    """Judge the answers of STUN servers: one is enough."""
    answered = [one for one in asked if one.mapped is not None]
    if not asked:
        return skipped("no STUN server is set (RINGLIGHT_TURN_URL)")
    if answered and answered[0].mapped is not None:
        return good(f"seen as {answered[0].mapped[0]}, by {len(answered)} of {len(asked)}")
    why = next((one.why for one in asked if one.why), "no answer")
    return fault("MEDIA-UDP", f"none of {len(asked)} STUN servers answers over UDP: {why}")


def judge_nat(asked: Sequence[Relayed], *, has_turn: bool) -> Seen:
    """Judge whether the router keeps the port, as two servers see it (RFC 4787 section 4.1)."""
    mapped = [one.mapped for one in asked if one.mapped is not None]
    if len(mapped) < 2:
        return skipped("it takes two STUN servers that answer")
    if len({port for _, port in mapped}) == 1:
        return good(f"port {mapped[0][1]} for both")
    ports = ", ".join(str(port) for _, port in mapped)
    seen = f"seen under the ports {ports}"
    return note(f"{seen}; the TURN server helps") if has_turn else fault("REACH-NAT", seen)


def judge_turn(asked: Relayed) -> Seen:
    """Judge what a TURN server says to the name and password that we make."""
    if asked.relayed is not None:
        lends = f"lends {asked.relayed[0]}:{asked.relayed[1]}"
        if asked.passed is None:
            return good(f"{lends}; {asked.why}" if asked.why else lends)
        return (
            good(f"{lends}, and a packet came through it and back")
            if asked.passed
            else fault("TURN-RELAY", f"it {lends}, and {asked.why}")
        )
    if asked.refused is None:
        return fault("TURN-UNREACHABLE", asked.why or "no answer within 3 s")
    if asked.refused in (401, 403, 441):
        return fault("TURN-CREDENTIALS", f"error {asked.refused} {asked.reason}".strip())
    return fault("TURN-UNREACHABLE", f"it lends nothing: error {asked.refused} {asked.reason}".strip())


# ---- this machine ----


def judge_port(port: int, *, free: bool, is_ringlight: bool, listeners: Sequence[Listener] | None) -> Seen:
    """Judge the port of our own server."""
    if free:
        return good(f"{port} is free; no server runs")
    if is_ringlight:
        return good(f"a Ringlight server has {port}")
    if listeners is None:
        return fault("CFG-PORT", f"{port} is taken; this system does not tell by whom")
    return fault("CFG-PORT", f"{port} is taken by {listeners[0].shown if listeners else 'a program that is hidden'}")


def judge_extras(missing: Sequence[tuple[str, str]]) -> Seen:
    """Judge which packages are missing: the setting that needs one, and the extra that brings it."""
    if missing:
        told = "; ".join(f"{setting} needs `pip install 'ringlight[{extra}]'`" for setting, extra in missing)
        return fault("CFG-DEPENDENCY", told)
    return good("nothing is missing")


def _span(seconds: float) -> str:
    for length, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
