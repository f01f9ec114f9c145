"""The catalogue is whole: every row can be shown, every code can be raised, and every raised code has a row."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

import ringlight
from ringlight.cli.app import COMMANDS, make_app
from ringlight.errors import fault_error
from ringlight.faults import FAULTS, Retry, find
from ringlight.faults.sayings import SAYINGS
from ringlight.settings.sources import effective_settings

SOURCE = Path(ringlight.__file__).parent
LISTS = (SOURCE / "doctor" / "checks.py", SOURCE / "doctor" / "verdict.py")  # they name codes and raise none
CODE = re.compile(r"[A-Z]+(-[A-Z]+)+")
PREFIXES = {code.partition("-")[0] for code in FAULTS}
PLACES = {
    "token",
    "session",
    "clients_api",
    "device",
    "ticket",
    "upgrade",
    "close",
    "socket",
    "old_live_view",
    "partner",
    "room",
    "websocket",
}


def _codes_in_python() -> dict[str, set[str]]:
    """Every string literal outside the catalogue that looks like a code, with the files it is in."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        if path.is_relative_to(SOURCE / "faults") or path in LISTS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and CODE.fullmatch(text) and text.partition("-")[0] in PREFIXES:
                found.setdefault(text, set()).add(str(path.relative_to(SOURCE)))
    return found


def _codes_on_the_page() -> set[str]:
    paths = [
        path for path in (SOURCE / "web").rglob("*.js") if path.name != "faults.js"
    ]  # that is the catalogue itself
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return {found for text in texts for found in re.findall(r'"([A-Z]+(?:-[A-Z]+)+)"', text)} & set(FAULTS)


def _codes_by_sign() -> set[str]:
    """Every code that `find` gives for one of the row's own signs."""
    return {
        code for code, fault in FAULTS.items() for seen in fault.seen
        if find(seen.at, seen.number if seen.number is not None else 987, seen.text) == code
    }  # fmt: skip


def _codes_by_saying() -> set[str]:
    """Every code that `explain` names first for the words of another program."""
    return {saying.codes[0] for saying in SAYINGS}


def test_every_code_that_is_raised_is_listed() -> None:
    unlisted = {code: files for code, files in _codes_in_python().items() if code not in FAULTS}
    assert unlisted == {}


def test_every_code_that_is_listed_can_be_raised() -> None:
    assert set(FAULTS) - set(_codes_in_python()) - _codes_by_sign() - _codes_by_saying() - _codes_on_the_page() == set()


@pytest.mark.parametrize("code", FAULTS)
def test_a_row_tells_everything_in_whole_sentences(code: str) -> None:
    fault = FAULTS[code]
    assert fault.code == code
    assert CODE.fullmatch(code)
    assert fault.title[0].isupper() or "_" in fault.title.split()[0]
    assert not fault.title.endswith(".")
    assert len(fault.title) <= 60
    for text in (fault.cause, fault.fix):
        assert text[0].isupper() or text[0] == "`"
        assert text.endswith((".", ".”", "…"))
        assert "  " not in text
        assert text == text.strip()
    assert 200 <= fault.http <= 599
    assert isinstance(fault.retry, Retry)
    assert {seen.at for seen in fault.seen} <= PLACES


@pytest.mark.parametrize("code", FAULTS)
def test_a_row_can_be_shown_and_raised(code: str) -> None:
    row = FAULTS[code].as_dict("seen")
    assert set(row) == {"code", "title", "cause", "fix", "retry", "detail", "help"}
    assert all(row.values())
    assert json.loads(json.dumps(row)) == row
    assert FAULTS[code].as_dict()["detail"] is None
    assert fault_error(code).fault is FAULTS[code]


def test_no_two_rows_have_the_same_title_or_sign() -> None:
    assert len({fault.title for fault in FAULTS.values()}) == len(FAULTS)
    signs = [seen for fault in FAULTS.values() for seen in fault.seen]
    assert len(set(signs)) == len(signs)


def test_every_sign_leads_to_its_own_row() -> None:
    for code, fault in FAULTS.items():
        for seen in fault.seen:
            number = seen.number if seen.number is not None else 987
            assert find(seen.at, number, seen.text) == code
            assert find(seen.at, number, f"[x.cc:41] {seen.text.upper()}!") == code


def test_the_page_says_of_a_server_that_is_gone_what_the_catalogue_says() -> None:
    """It cannot ask for this row: the server that has it is what is missing."""
    script = (SOURCE / "web" / "page" / "api.js").read_text(encoding="utf-8")
    block = re.search(r"const SERVER_GONE = \{(.*?)\};", script, re.DOTALL)
    assert block
    said = dict(re.findall(r'(\w+): "(.*?)",\n', block[1]))
    fault = FAULTS["SERVER-GONE"]
    assert said == {
        "code": fault.code, "title": fault.title, "cause": fault.cause, "fix": fault.fix, "retry": fault.retry.value,
    }  # fmt: skip


# Every close code, status and cause of docs/reference/observed-protocol.md, with the row that tells of it.
SEEN = {
    ("close", 0, ""): "SIG-CLOSED",
    ("close", 0, "client_closed"): "SIG-CLOSED",
    ("close", 5, "Authentication failed: -1"): "SIG-AUTH",
    ("close", 5, "session-manager.cc Unauthorized: invalid or expired token"): "SIG-TOKEN",
    ("close", 5, "Sessions with the provided ID not found"): "SIG-SESSION-LOST",
    ("close", 5, "something new"): "SIG-AUTH",
    ("close", 6, "Timeout waiting for ping"): "SIG-PING",
    ("close", 10, "answered_timeout"): "SIG-TIME-LIMIT",
    ("close", 26, "not ready yet"): "SIG-NOT-READY",
    ("close", 99, "quota"): "SIG-CLOSE-OTHER",
    ("socket", 1000, ""): "SIG-ENDED",
    ("socket", 1001, ""): "SIG-ENDED",
    ("socket", 1005, ""): "SIG-ENDED",
    ("socket", 1006, ""): "SIG-DROPPED",
    ("socket", 4002, ""): "SIG-REJECTED",
    ("token", 400, '{"error": "Verification Code is invalid or expired"}'): "AUTH-CODE-WRONG",
    ("token", 401, '{"error": "access_denied", "error_description": "invalid user credentials"}'): "AUTH-PASSWORD",
    ("token", 401, '{"error": "invalid_grant"}'): "AUTH-LINK-LOST",
    ("token", 406, "<html>406 Not Acceptable</html>"): "AUTH-EDGE-BLOCK",
    ("token", 412, '{"tsv_state": "sms"}'): "AUTH-CODE-NEEDED",
    ("token", 429, ""): "AUTH-RATE",
    ("token", 400, "too many requests from dependency service"): "AUTH-CODE-LIMIT",
    ("token", 503, ""): "AUTH-UNAVAILABLE",
    ("clients_api", 401, ""): "AUTH-TOKEN",
    ("clients_api", 404, "no session for hardware id 7c0d"): "ACCOUNT-SESSION",
    ("device", 404, ""): "CAM-GONE",
    ("ticket", 401, ""): "TICKET-REFUSED",
    ("ticket", 403, ""): "TICKET-REFUSED",
    ("ticket", 406, ""): "AUTH-EDGE-BLOCK",
    ("ticket", 502, ""): "RING-DOWN",
    ("upgrade", 404, ""): "SIG-TICKET",
    ("upgrade", 401, ""): "SIG-UPGRADE",
    ("upgrade", 403, ""): "SIG-UPGRADE",
    ("upgrade", 406, "<html>406 Not Acceptable</html>"): "AUTH-EDGE-BLOCK",
    ("upgrade", 429, ""): "RING-RATE",
    ("upgrade", 503, ""): "RING-DOWN",
    ("old_live_view", 403, ""): "RING-OLD-ENDPOINT",
    ("old_live_view", 412, '{"error":"RING_API_CALL_REQUEST_FAILURE"}'): "RING-OLD-ENDPOINT",
    ("clients_api", 422, ""): "RING-BODY",
    ("clients_api", 504, ""): "RING-DOWN",
    ("ticket", 520, ""): "RING-DOWN",  # of the network in front of Ring, as the two that follow
    ("upgrade", 522, ""): "RING-DOWN",
    ("token", 524, ""): "AUTH-UNAVAILABLE",
    ("partner", 400, "type is required INVALID_PAYLOAD"): "PARTNER-BAD-REQUEST",
    ("partner", 400, "Validation Error: The request contains invalid input."): "PARTNER-BAD-REQUEST",
    ("partner", 400, "Invalid Nonce"): "PARTNER-NONCE",
    ("partner", 400, "Invalid Status Transition"): "PARTNER-TRANSITION",
    ("partner", 401, ""): "PARTNER-AUTH",  # the live service sends no body
    ("partner", 401, "Invalid Client"): "PARTNER-AUTH",
    ("partner", 403, ""): "PARTNER-FORBIDDEN",
    ("partner", 403, "Out of Scope Access"): "PARTNER-SCOPE",
    ("partner", 403, "REQUEST_FORBIDDEN Cannot authorize: empty request body"): "PARTNER-FORBIDDEN",
    ("partner", 403, "TIME_RANGE_NOT_AUTHORIZED"): "PARTNER-CONSENT",
    ("partner", 404, "DEVICE_NOT_FOUND"): "PARTNER-NOT-FOUND",
    ("partner", 410, ""): "PARTNER-NOT-FOUND",
    ("partner", 409, ""): "PARTNER-VIEW-BUSY",
    ("partner", 416, "MEDIA_NOT_FOUND"): "PARTNER-NO-FOOTAGE",
    ("partner", 416, "TIMESTAMP_NOT_FOUND"): "PARTNER-NO-FOOTAGE",
    ("partner", 422, "Unprocessable Entity"): "PARTNER-UNPROCESSABLE",
    ("partner", 422, "CORRUPT_RECORDING"): "PARTNER-CORRUPT",
    ("partner", 422, "the recording could not be decrypted"): "PARTNER-CORRUPT",
    ("partner", 425, "RECORDING_NOT_READY"): "PARTNER-NOT-READY",
    ("partner", 429, "Rate Limit Exceeded"): "PARTNER-RATE",
    ("partner", 500, "INTERNAL_ERROR"): "PARTNER-SERVER",
    ("partner", 502, "<html>"): "PARTNER-SERVER",
    ("partner", 503, "SERVER_BUSY"): "PARTNER-UNAVAILABLE",
    ("partner", 503, ""): "PARTNER-UNAVAILABLE",
    ("partner", 503, "Device Unavailable: Device is currently offline"): "PARTNER-DEVICE-OFFLINE",
    ("partner", 522, ""): "PARTNER-SERVER",
}
CAUSES_OF_4002 = {
    "wrong or old message format": "SIG-FORMAT",
    "dialog_id missing": "SIG-DIALOG-ID",
    "doorbot_id text": "SIG-DOORBOT-ID",
    "session_id wrong": "SIG-SESSION-ID",
    "malformed SDP": "SIG-SDP",
    "malformed ICE": "SIG-CANDIDATE",
    "wrong method name": "SIG-METHOD",
    "wrong order": "SIG-ORDER",
    "code 26": "SIG-NOT-READY",
    "expired token": "SIG-TOKEN",
    "stale ticket": "SIG-TICKET",
    "missing account id": "ACCOUNT-ID",
    "region mismatch": "SIG-REGION",
    "firewall or WebSocket block": "SIG-BLOCKED",
    "NAT or UDP": "MEDIA-UDP",
    "connected without RTP": "MEDIA-SILENT",
    "missing User-Agent": "SIG-USER-AGENT",
    "no activate_session": "SIG-NO-ACTIVATION",
    "no or late ping": "SIG-PING",
    "time limit": "SIG-TIME-LIMIT",
    "Modes": "CAM-DISABLED",
    "offline": "CAM-OFFLINE",
    "privacy cover": "CAM-PRIVACY",
    "406 edge block": "AUTH-EDGE-BLOCK",
    "recvonly answered sendrecv": "SDP-DIRECTION",
    "profile mismatch": "SDP-PROFILE",
}


@pytest.mark.parametrize(("at", "number", "text"), SEEN)
def test_what_ring_is_known_to_send_has_a_row(at: str, number: int, text: str) -> None:
    assert find(at, number, text) == SEEN[at, number, text]


def test_every_known_cause_of_4002_has_a_row() -> None:
    assert set(CAUSES_OF_4002.values()) <= set(FAULTS)


def _commands() -> dict[tuple[str, ...], set[str]]:
    """Return each command, as it is typed, with its options."""
    found: dict[tuple[str, ...], set[str]] = {}

    def walk(path: tuple[str, ...], command: Any) -> None:
        found[path] = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        for name, inner in getattr(command, "commands", {}).items():
            walk((*path, name), inner)

    for module in COMMANDS:
        for name, command in typer.main.get_command(make_app(module)).commands.items():  # type: ignore[attr-defined]
            walk((name,), command)
    return found


def test_every_command_and_setting_that_a_row_names_is_there() -> None:
    """Else the fix is a dead end, at night."""
    commands, settings = _commands(), {one.name for one in effective_settings()}
    files = {"secrets.key", "body.doorbot_id", "body.session_id"}  # a file, and fields of Ring's messages
    wrong = []
    for fault in FAULTS.values():
        text = f"{fault.cause} {fault.fix}"
        for named in re.findall(r"`ringlight ([^`]+)`", text):
            words = named.split()
            path = next((tuple(words[:end]) for end in (3, 2, 1) if tuple(words[:end]) in commands), None)
            options = {word for word in words if word.startswith("-")}
            if path is None or not options <= commands[path]:
                wrong.append(f"{fault.code}: {named}")
        dotted = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)(?: = \w+)?`", text)) - files
        given = {name.lower().replace("__", ".") for name in re.findall(r"RINGLIGHT_([A-Z_]+)", text)}
        wrong += [f"{fault.code}: {name}" for name in sorted((dotted | given) - settings)]
    assert wrong == []
