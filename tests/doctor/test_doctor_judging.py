"""What evidence means, without a network: the cases that scenarios do not reach, each in a line."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.doctor import judging, judging_calls, judging_views
from ringlight.doctor.evidence import (
    Answered,
    Called,
    Delivered,
    Dialed,
    Kept,
    Named,
    Relayed,
    Secured,
    Upgraded,
    Viewed,
    read_target,
)
from ringlight.doctor.findings import Mark, Seen
from ringlight.doctor.proc_net import Listener
from ringlight.errors import fault_error
from ringlight.settings import PartnerSettings

NOW = 1_790_000_000.0
LOCAL = (Listener("127.0.0.1", 7, "uvicorn"),)
TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000
   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 4712
   2: nonsense
   3: 0100007F:C350 0100007F:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0
"""


def _token(**claims: float) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"


CASES: dict[str, tuple[Seen, Mark, str | None]] = {
    "an address without a scheme": (judging.judge_address(read_target("clinic.example")), Mark.FAULT, "REACH-URL"),
    "a port that is too high": (judging.judge_address(read_target("ws://a:70000/")), Mark.FAULT, "REACH-URL"),
    "port 0": (judging.judge_address(read_target("ws://a:0/")), Mark.FAULT, "REACH-URL"),
    "a whole address": (judging.judge_address(read_target("wss://a.example")), Mark.GOOD, None),
    "IPv6": (judging.judge_address(read_target("ws://[::1]:8000/ws/v2")), Mark.GOOD, None),
    "null in the host": (judging.judge_address(read_target("ws://null:8000/")), Mark.FAULT, "REACH-URL"),
    "an https page with wss": (judging.judge_page(read_target("wss://a/"), "https://b/"), Mark.GOOD, None),
    "an http page with ws": (judging.judge_page(read_target("ws://a/"), "http://b/"), Mark.GOOD, None),
    "an https page with ws on this machine": (
        judging.judge_page(read_target("ws://localhost/"), "https://b/"), Mark.NOTE, None),
    "a token that is none": (judging.judge_room_token("x", NOW), Mark.FAULT, "ROOM-TOKEN"),
    "a token that has not begun": (
        judging.judge_room_token(_token(exp=NOW + 900, nbf=NOW + 600), NOW), Mark.FAULT, "ROOM-TOKEN-EXPIRED"),
    "a good token": (judging.judge_room_token(_token(exp=NOW + 900), NOW), Mark.GOOD, None),
    "no name": (judging.judge_name(Named("a")), Mark.FAULT, "NET-DNS"),
    "no DNS server": (judging.judge_name(Named("a", answered=False), signaling=True), Mark.FAULT, "NET-DNS"),
    "no name of another region": (judging.judge_name(Named("a"), signaling=True), Mark.FAULT, "SIG-REGION"),
    "forbidden by the system": (
        judging.judge_connection("a:1", Dialed("forbidden")), Mark.FAULT, "REACH-SANDBOX"),
    "no way": (judging.judge_connection("a:1", Dialed("no-route")), Mark.FAULT, "NET-UNREACHABLE"),
    "refused from afar": (judging.judge_connection("a:1", Dialed("refused")), Mark.FAULT, "REACH-REFUSED"),
    "refused here, and bound to loopback": (
        judging.judge_connection("a:1", Dialed("refused", 0, True, LOCAL, ("10.0.0.1",))), Mark.FAULT,
        "REACH-LOOPBACK"),
    "refused here, and somebody listens there": (
        judging.judge_connection("a:1", Dialed("refused", 0, True, LOCAL, ("127.0.0.1",))), Mark.FAULT,
        "REACH-FIREWALL"),
    "refused here, and bound to another address": (
        judging.judge_connection("a:1", Dialed("refused", 0, True, (Listener("10.0.0.2"),), ("10.0.0.1",))), Mark.FAULT,
        "REACH-REFUSED"),
    "refused here, where /proc is missing": (
        judging.judge_connection("a:1", Dialed("refused", 0, True, None)), Mark.FAULT, "REACH-REFUSED"),
    "a certificate that has not begun": (
        judging.judge_security("a", Secured("expired", since=NOW + 9e5, until=NOW + 9e6), NOW), Mark.FAULT,
        "REACH-CERT-EXPIRED"),
    "a certificate that ends in a week": (
        judging.judge_security("a", Secured("trusted", until=NOW + 7 * 86_400), NOW), Mark.NOTE, None),
    "a certificate that is good for a month": (
        judging.judge_security("a", Secured("trusted", until=NOW + 30 * 86_400), NOW), Mark.GOOD, None),
    "a handshake that breaks off": (judging.judge_security("a", Secured("failed"), NOW), Mark.FAULT, "NET-TLS"),
    "something that is no HTTP": (judging.judge_answer("a", Answered(None), ours=False), Mark.FAULT, "REACH-OTHER"),
    "a host name that the server does not take": (
        judging.judge_answer("a", Answered(403, code="ORIGIN-REFUSED", is_ringlight=True), ours=True), Mark.FAULT,
        "ORIGIN-REFUSED"),
    "a server of ours with a key": (
        judging.judge_answer("a", Answered(401, code="KEY-NEEDED", is_ringlight=True), ours=True), Mark.GOOD, None),
    "no Date": (judging.judge_clock(None, NOW), Mark.SKIPPED, None),
    "59 s apart": (judging.judge_clock(NOW, NOW + 59), Mark.GOOD, None),
    "two minutes behind": (judging.judge_clock(NOW, NOW - 120), Mark.FAULT, "REACH-CLOCK"),
    "nginx that drops": (judging.judge_upgrade(Upgraded(404, "nginx", "nginx")), Mark.FAULT, "REACH-PROXY"),
    "an upgrade that is never answered": (
        judging.judge_upgrade(Upgraded(None, error=fault_error("NET-TIMEOUT"))), Mark.FAULT, "REACH-PROXY"),
    "an upgrade that is cut": (
        judging.judge_upgrade(Upgraded(None, error=fault_error("NET-UNREACHABLE"))), Mark.FAULT, "NET-UNREACHABLE"),
    "an Origin that is refused at the upgrade": (
        judging.judge_upgrade(Upgraded(403, without_origin=101), origin="https://b"), Mark.FAULT, "ROOM-ORIGIN"),
    "a key is wanted at the upgrade": (judging.judge_upgrade(Upgraded(401)), Mark.FAULT, "KEY-NEEDED"),
    "426": (judging.judge_upgrade(Upgraded(426)), Mark.FAULT, "REACH-PROXY"),
    "a room that wants a token": (
        judging.judge_open(Upgraded(101, close_code=4401, heard="ROOM-TOKEN-NEEDED")), Mark.GOOD, None),
    "TURN with a packet through it": (
        judging.judge_turn(Relayed("t", relayed=("1.2.3.4", 5), passed=True)), Mark.GOOD, None),
    "TURN whose relay ports are closed": (
        judging.judge_turn(Relayed("t", relayed=("1.2.3.4", 5), passed=False, why="nothing came")),
        Mark.FAULT, "TURN-RELAY"),
    "TURN that relays to nobody private": (
        judging.judge_turn(Relayed("t", relayed=("1.2.3.4", 5), why="error 403")), Mark.GOOD, None),
    "TURN over its quota": (judging.judge_turn(Relayed("t", refused=486)), Mark.FAULT, "TURN-UNREACHABLE"),
    "a symmetric NAT with TURN": (
        judging.judge_nat([Relayed("a", ("1.2.3.4", 1)), Relayed("b", ("1.2.3.4", 2))], has_turn=True),
        Mark.NOTE, None),
    "a NAT that keeps the port": (
        judging.judge_nat([Relayed("a", ("1.2.3.4", 1)), Relayed("b", ("1.2.3.4", 1))], has_turn=False),
        Mark.GOOD, None),
    "one STUN server alone": (judging.judge_nat([Relayed("a", ("1.2.3.4", 1))], has_turn=False), Mark.SKIPPED, None),
    "a port whose owner is not told": (
        judging.judge_port(80, free=False, is_ringlight=False, listeners=None), Mark.FAULT, "CFG-PORT"),
    "a port of ours": (judging.judge_port(80, free=False, is_ringlight=True, listeners=()), Mark.GOOD, None),
    "no key for webhooks": (judging_calls.judge_keys([]), Mark.SKIPPED, None),
    "a store that cannot be read": (
        judging_calls.judge_kept(Kept(error=fault_error("STORE-DAMAGED")), PartnerSettings()), Mark.FAULT,
        "STORE-DAMAGED"),
    "two accounts and no choice": (judging_calls.judge_kept(Kept(2, 60.0), PartnerSettings()), Mark.GOOD, None),
    "no account yet, and nobody asked": (
        judging_calls.judge_kept(Kept(), PartnerSettings(), needed=False), Mark.SKIPPED, None),
    "a pair of two months ago": (
        judging_calls.judge_kept(Kept(1, -9e5, 60 * 86_400), PartnerSettings()), Mark.NOTE, None),
    "who else speaks": (
        judging_calls.judge_call(Called(fault_error("PARTNER-RATE"), others=("cron (process 9)",))), Mark.FAULT,
        "PARTNER-RATE"),
    "one of two devices offline": (
        judging_calls.judge_devices(Called(devices=(("a", True), ("b", False)))), Mark.NOTE,
        "PARTNER-DEVICE-OFFLINE"),
    "a receiver that never answers": (
        judging_calls.judge_delivery(Delivered("u", True, None, 7)), Mark.FAULT, "HOOK-LATE"),
    "a receiver that fails": (judging_calls.judge_delivery(Delivered("u", True, 503, 0)), Mark.FAULT, "HOOK-FAILING"),
    "429 is a 4xx, and final": (judging_calls.judge_delivery(Delivered("u", True, 429, 0)), Mark.FAULT, "HOOK-LOST"),
    "a redirect": (judging_calls.judge_delivery(Delivered("u", True, 307, 0)), Mark.FAULT, "HOOK-REDIRECT"),
    "an unsigned delivery is sent elsewhere": (
        judging_calls.judge_delivery(Delivered("u", False, 302, 0)), Mark.FAULT, "HOOK-REDIRECT"),
    "an unsigned delivery is refused": (judging_calls.judge_delivery(Delivered("u", False, 401, 0)), Mark.GOOD, None),
    "an unsigned delivery is taken": (judging_calls.judge_delivery(Delivered("u", False, 200, 0)), Mark.NOTE, None),
    "an account without a camera": (judging_views.judge_cameras([]), Mark.NOTE, "CAM-UNKNOWN"),
    "another camera is offline": (
        judging_views.judge_cameras([("Front", None), ("Back", "CAM-OFFLINE")], ["front"]), Mark.NOTE, None),
    "no message was sent": (judging_views.judge_messages(Viewed(fault_error("CAM-OFFLINE"))), Mark.SKIPPED, None),
    "no picture since the dialog failed": (
        judging_views.judge_video(Viewed(fault_error("SIG-AUTH"))), Mark.SKIPPED, None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_evidence_is_judged(case: str) -> None:
    seen, mark, code = CASES[case]
    assert (seen.mark, seen.code) == (mark, code), seen.text
    assert seen.text
    assert not seen.text.endswith(".")


@given(st.text(max_size=120))
def test_no_text_breaks_the_reading_of_an_address(text: str) -> None:
    for url in (text, f"ws://{text}", f"wss://host/{text}", f"ws://host/?token={text}"):
        target = read_target(url)
        judging.judge_address(target)
        judging.judge_room_address(target)
        judging.judge_room_token(target.token, NOW)


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    target = read_target("wss://ada:pw@clinic.example:8443/ws/signaling/1/doctor?token=abc#x")
    assert target.text == "wss://clinic.example:8443/ws/signaling/1/doctor"
    assert (target.host, target.port, target.token) == ("clinic.example", 8443, "abc")
    assert "abc" not in repr(target)


def test_the_kernels_table_of_sockets_is_read() -> None:
    from ringlight.doctor.proc_net import LISTENING, read_table

    first, six, connected = read_table(TABLE)
    assert (first.address, first.port, first.state, first.inode) == ("127.0.0.1", 8000, LISTENING, 4711)
    assert (six.address, six.port) == ("::1", 80)
    assert (connected.peer, connected.peer_port) == ("127.0.0.1", 443)
