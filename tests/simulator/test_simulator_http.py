"""The simulated Ring as a stranger meets it: the same statuses and bodies as the real one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ringlight.simulator.app import create_app
from ringlight.simulator.switchboard import SWITCHES
from ringlight.simulator.tokens import TICKET_LIFE, TOKEN_LIFE
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio

SIGN_IN = {
    "client_id": "ring_official_android", "scope": "client", "grant_type": "password",
    "username": "ada@ringlight.test", "password": "ringlight",
}  # fmt: skip


class Answer(NamedTuple):
    status: int
    json: Any


class Ring:
    """The simulated Ring called as an ASGI application, without a socket in between."""

    def __init__(self) -> None:
        self.clock = 1000.0
        self.world = World(now=lambda: self.clock)
        self.app = create_app(self.world)

    async def ask(self, method: str, path: str, body: bytes = b"", /, **headers: str) -> Answer:
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
            "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], json.loads(content) if content else None)

    async def token(self, fields: dict[str, str], *, form: bool = False, code: str = "") -> Answer:
        body = urlencode(fields).encode() if form else json.dumps(fields).encode()
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        return await self.ask("POST", "/oauth/token", body, content_type=kind, **{"2fa_code": code})

    async def tokens(self) -> dict[str, Any]:
        granted = (await self.token(SIGN_IN, code="123456")).json
        assert isinstance(granted, dict)
        return granted

    async def bearer(self) -> str:
        return f"Bearer {(await self.tokens())['access_token']}"


@pytest.fixture
def sim() -> Ring:
    return Ring()


# Signing in


@pytest.mark.parametrize("form", [False, True])
async def test_signing_in_needs_a_code_and_the_right_one(sim: Ring, form: bool) -> None:
    status, asked = await sim.token(SIGN_IN, form=form)
    assert (status, asked["tsv_state"]) == (412, "sms")
    status, wrong = await sim.token(SIGN_IN, form=form, code="999999")
    assert status == 400
    assert wrong["error"].startswith("Verification Code")
    status, granted = await sim.token(SIGN_IN, form=form, code="123456")
    assert status == 200
    assert set(granted) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert granted["expires_in"] == TOKEN_LIFE


@pytest.mark.parametrize("change", [{"password": "x"}, {"username": "eve@x"}, {"password": ""}])
async def test_a_wrong_pair_is_refused_before_any_code_is_sent(sim: Ring, change: dict[str, str]) -> None:
    for code in ("", "123456"):
        status, said = await sim.token({**SIGN_IN, **change}, code=code)
        assert (status, said["error"]) == (401, "access_denied")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 9999])
async def test_a_body_that_is_no_object_is_a_bad_request(sim: Ring, body: bytes) -> None:
    assert (await sim.ask("POST", "/oauth/token", body, content_type="application/json")).status == 400


async def test_a_refresh_token_works_once(sim: Ring) -> None:
    first = (await sim.tokens())["refresh_token"]
    status, granted = await sim.token({"grant_type": "refresh_token", "refresh_token": first})
    assert status == 200
    assert granted["refresh_token"] != first
    status, said = await sim.token({"grant_type": "refresh_token", "refresh_token": first})
    assert (status, said["error"]) == (401, "invalid_grant")
    assert (await sim.token({"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]})).status == 200


async def test_an_access_token_ends_with_its_hour(sim: Ring) -> None:
    bearer = await sim.bearer()
    assert (await sim.ask("GET", "/clients_api/ring_devices", authorization=bearer)).status == 200
    sim.clock += TOKEN_LIFE + 1
    assert (await sim.ask("GET", "/clients_api/ring_devices", authorization=bearer)).status == 401


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic abc", "Bearer ", ""])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/clients_api/ring_devices"),
        ("POST", "/clients_api/session"),
        ("POST", "/api/v1/clap/ticket/request/signalsocket"),
    ],
)
async def test_nothing_is_told_without_a_token(sim: Ring, method: str, path: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    assert await sim.ask(method, path, b"", **headers) == (401, None)


# Registration and devices


async def test_registration_keeps_the_hardware_id(sim: Ring) -> None:
    bearer = await sim.bearer()
    body = json.dumps({"device": {"hardware_id": "hw-1", "os": "android"}}).encode()
    kind = "application/json"
    status, said = await sim.ask("POST", "/clients_api/session", body, authorization=bearer, content_type=kind)
    assert (status, said["profile"]["id"]) == (201, 4711)
    assert sim.world.hardware_ids == {"hw-1"}
    for bad in (b"{}", b'{"device": 5}', b'{"device": {"hardware_id": 5}}', b"nonsense"):
        answer = await sim.ask("POST", "/clients_api/session", bad, authorization=bearer, content_type=kind)
        assert answer.status == 400


async def test_the_three_cameras_and_what_the_switches_say_of_them(sim: Ring) -> None:
    bearer = await sim.bearer()

    async def cameras() -> dict[int, dict[str, Any]]:
        groups = (await sim.ask("GET", "/clients_api/ring_devices", authorization=bearer)).json
        return {camera["id"]: camera for group in groups.values() for camera in group}

    found = await cameras()
    assert {number: camera["description"] for number, camera in found.items()} == {
        1001: "Front Door", 1002: "Back Yard", 1003: "Driveway",
    }  # fmt: skip
    assert found[1002]["battery_life"] == "87"
    assert found[1001]["alerts"] == {"connection": "online"}
    sim.world.switch(["offline", "live-view-disabled"])
    found = await cameras()
    assert {camera["alerts"]["connection"] for camera in found.values()} == {"offline"}
    assert {camera["settings"]["live_view_disabled"] for camera in found.values()} == {True}


# The controls


async def test_switches_are_listed_set_and_cleared(sim: Ring) -> None:
    status, listed = await sim.ask("GET", "/_sim/faults")
    assert status == 200
    assert {row["name"]: row["code"] for row in listed["faults"]} == {s.name: s.code for s in SWITCHES.values()}
    assert not any(row["on"] for row in listed["faults"])
    kind = "application/json"
    status, listed = await sim.ask("PUT", "/_sim/faults", b'{"on": ["offline", "no-udp"]}', content_type=kind)
    assert status == 200
    assert {row["name"] for row in listed["faults"] if row["on"]} == {"offline", "no-udp"}
    status, said = await sim.ask("PUT", "/_sim/faults", b'{"on": ["no-udp", "no-such"]}', content_type=kind)
    assert status == 404
    assert "no-such" in said["detail"]
    assert sim.world.on == {"offline", "no-udp"}, "nothing changes where a name is wrong"
    assert (await sim.ask("PUT", "/_sim/faults", b'{"on": "offline"}', content_type=kind)).status == 422
    assert (await sim.ask("PUT", "/_sim/faults", b"{}", content_type=kind)).status == 422
    status, listed = await sim.ask("PUT", "/_sim/faults", b'{"on": []}', content_type=kind)
    assert not any(row["on"] for row in listed["faults"])


@pytest.mark.parametrize(("what", "kind"), [("bell", "ding"), ("motion", "motion")])
async def test_pressing_the_bell_is_an_event_of_the_cameras_history(sim: Ring, what: str, kind: str) -> None:
    status, event = await sim.ask("POST", f"/_sim/cameras/1001/{what}")
    assert (status, event["kind"]) == (201, kind)
    bearer = await sim.bearer()
    history = (await sim.ask("GET", "/clients_api/doorbots/1001/history", authorization=bearer)).json
    assert history[0] == event
    assert (await sim.ask("POST", f"/_sim/cameras/999/{what}")).status == 404
    assert (await sim.ask("POST", "/_sim/cameras/1001/kick")).status == 422


async def test_revoking_the_password_takes_every_token_with_it(sim: Ring) -> None:
    granted = await sim.tokens()
    sim.world.switch(["wrong-password"])
    bearer = f"Bearer {granted['access_token']}"
    assert (await sim.ask("GET", "/clients_api/ring_devices", authorization=bearer)).status == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    assert (await sim.token(refresh)).status == 401
    assert (await sim.token(SIGN_IN, code="123456")).status == 401
    sim.world.switch([])
    assert (await sim.token(SIGN_IN, code="123456")).status == 200


async def test_every_switch_says_what_it_does() -> None:
    assert all(switch.about.endswith(".") and switch.title and switch.name == name for name, switch in SWITCHES.items())


# The signaling socket


def _address(ring: SimulatedRing, ticket: str, **query: str) -> str:
    fields = {"api_version": "4.0", "auth_type": "ring_solutions", "client_id": "ring_site-1", "token": ticket, **query}
    return f"{ring.url.replace('http', 'ws')}/ws?{urlencode(fields)}"


@asynccontextmanager
async def _socket(ring: SimulatedRing) -> AsyncIterator[ClientConnection]:
    async with connect(_address(ring, ring.world.tokens.make_ticket()), proxy=None) as web:
        yield web


async def _status(ring: SimulatedRing, ticket: str, **query: str) -> int:
    with pytest.raises(InvalidStatus) as caught:
        await connect(_address(ring, ticket, **query), proxy=None)
    return caught.value.response.status_code


async def _close_of(web: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(5):
        with suppress(ConnectionClosed):
            while True:
                await web.recv()
    return web.close_code, web.close_reason


async def test_a_ticket_opens_one_socket() -> None:
    async with simulator() as ring:
        ticket = ring.world.tokens.make_ticket()
        async with connect(_address(ring, ticket), proxy=None):
            pass
        assert await _status(ring, ticket) == 404
        assert await _status(ring, "invented") == 404
        assert await _status(ring, ring.world.tokens.make_ticket(), auth_type="ring_oauth") == 404


async def test_a_ticket_grows_old() -> None:
    clock = [0.0]
    async with simulator(World(now=lambda: clock[0])) as ring:
        ticket = ring.world.tokens.make_ticket()
        clock[0] = TICKET_LIFE + 0.1
        assert await _status(ring, ticket) == 404


async def test_without_a_user_agent_the_socket_closes_at_once() -> None:
    async with simulator() as ring:
        async with connect(_address(ring, ring.world.tokens.make_ticket()), user_agent_header=None, proxy=None) as web:
            assert (await _close_of(web))[0] == 1000
        assert not ring.world.dialogs


@pytest.mark.parametrize("frame", ["", "hello", b"\xff" * 65_536, "[]", '{"a":' * 9_999, "x" * 300_000])
async def test_noise_closes_the_socket_with_4002_and_nothing_else(frame: str | bytes) -> None:
    async with simulator() as ring:
        async with _socket(ring) as web:
            await web.send(frame)
            code, reason = await _close_of(web)
        assert code == 4002
        assert reason
        async with _socket(ring) as web:  # the next one is served
            assert (await web.ping()) is not None
        (dialog,) = ring.world.dialogs
        assert (dialog.ended, dialog.messages[0]["code"]) == ("SIG-NOISE", "SIG-NOISE")


async def test_the_verdicts_can_be_read_by_everybody(sim: Ring) -> None:
    async with simulator(sim.world) as ring, _socket(ring) as web:
        await web.send(json.dumps({"method": "ping", "dialog_id": "no uuid", "body": {"doorbot_id": 1001}}))
        assert await _close_of(web) == (4002, "ping: dialog_id must be a UUID as text")
    status, listed = await sim.ask("GET", "/_sim/dialogs")
    assert status == 200
    ((dialog),) = listed["dialogs"]
    assert (dialog["dialog_id"], dialog["doorbot_id"], dialog["ended"]) == ("no uuid", 1001, "SIG-DIALOG-ID")
    (message,) = dialog["messages"]
    assert (message["method"], message["code"]) == ("ping", "SIG-DIALOG-ID")
    assert "UUID" in message["detail"]


async def test_a_session_that_is_never_activated_ends() -> None:
    from ringlight.media import negotiate, sdp
    from ringlight.media.sdp import Transport

    text = sdp.write(negotiate.camera_offer(Transport("u", "p" * 22, "AB:CD", "actpass"), audio=False))
    dialog_id = "9b2f1c1e-2f6e-4f0b-8f7e-1d2c3b4a5968"
    offer = {"method": "live_view", "dialog_id": dialog_id, "riid": "r1",
             "body": {"doorbot_id": 1002, "sdp": text, "stream_options": {}}}  # fmt: skip
    async with simulator(World(activation_limit=0.1)) as ring, _socket(ring) as web:
        await web.send(json.dumps(offer))
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(5):
            while not heard or heard[-1]["method"] != "close":
                heard.append(json.loads(await web.recv()))
        assert [message["method"] for message in heard[:2]] == ["session_created", "sdp"]
        assert {(message["dialog_id"], message["riid"]) for message in heard} == {(dialog_id, "r1")}
        assert heard[-1]["body"]["reason"] == {"code": 0, "text": ""}
        # Reason 5 for a session id that the server never gave would need a session; 4002 for a second offer.
        await web.send(json.dumps(offer))
        assert (await _close_of(web))[0] == 4002


async def test_another_session_id_is_answered_with_reason_5() -> None:
    from ringlight.media import negotiate, sdp
    from ringlight.media.sdp import Transport

    text = sdp.write(negotiate.camera_offer(Transport("u", "p" * 22, "AB:CD", "actpass"), audio=False))
    dialog_id = "9b2f1c1e-2f6e-4f0b-8f7e-1d2c3b4a5968"
    async with simulator() as ring, _socket(ring) as web:
        body: dict[str, Any] = {"doorbot_id": 1002, "sdp": text, "stream_options": {}}
        await web.send(json.dumps({"method": "live_view", "dialog_id": dialog_id, "body": body}))
        async with asyncio.timeout(5):
            while json.loads(await web.recv())["method"] != "sdp":
                pass
            body = {"doorbot_id": 1002, "session_id": "mine"}
            await web.send(json.dumps({"method": "ping", "dialog_id": dialog_id, "body": body}))
            while (heard := json.loads(await web.recv()))["method"] != "close":
                pass
        assert heard["body"]["reason"] == {"code": 5, "text": "Sessions with the provided ID not found"}
        assert "riid" not in heard, "the server repeats a riid only where it was given one"
        assert ring.world.dialogs[-1].messages[-1]["code"] == "SIG-SESSION-ID"


async def test_the_people_are_listed_with_what_signs_in(sim: Ring) -> None:
    status, listed = await sim.ask("GET", "/_sim/people")
    assert status == 200
    assert listed["account"] == {"email": "ada@ringlight.test", "password": "ringlight", "code": "123456"}
    assert [(person["key"], person["installed"]) for person in listed["people"]] == [("ada", True), ("bob", False)]


async def test_what_can_be_asked_is_where_the_ready_line_leads(sim: Ring) -> None:
    assert (await sim.ask("GET", "/")).status == 307
    _, about = await sim.ask("GET", "/_sim/")
    for name in ("cameras", "people", "faults", "dialogs", "partner"):
        assert (await sim.ask("GET", about[name])).status == 200
