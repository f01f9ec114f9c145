"""Cells of the server's API: requests that it must refuse, and by which name."""

import asyncio
import contextlib
import html
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from cells import Cell, Lab, Met, Outcome, Run
from cells.live_view import named_in
from patients import KEY as HMAC_KEY
from patients import PARTNER
from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.media.sdp import Transport
from ringlight.partner.webhooks.signature import signature_of
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import RoomSettings, Settings
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, KeyRows, hash_of_key
from ringlight.testing import simulator
from whep_viewer import offer_text

KEY = "k" * 32
LENT = "rlk_" + "k" * 43
SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
Send = Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]


@dataclass(frozen=True)
class Refusal:
    """A request that is refused.

    Attributes:
        what: In words.
        code: The fault.
        send: Sends it.
        on: Switches of the simulated Ring.
        keyed: Whether the server has a key, which the client then knows.
        rooms: Settings of the rooms.
        given: Other settings.
        server: Settings of the server itself.
        again: What is asked for once the cause is gone; `None` where only another request helps.
        lent: A key of somebody else, who sends the request with it.
    """

    what: str
    code: str
    send: Send
    on: tuple[str, ...] = ()
    keyed: bool = False
    rooms: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    again: Send | None = None
    lent: KeptKey | None = None


def get(path: str, **headers: str) -> Send:
    return lambda http: http.get(path, headers=headers)


def post(path: str, body: Any = None, **headers: str) -> Send:
    return lambda http: http.post(path, json=body, headers=headers)


def whep(text: str, kind: str = "application/sdp") -> Send:
    return lambda http: http.post("whep/front-door", content=text.encode(), headers={"Content-Type": kind})


async def _link_used(http: httpx2.AsyncClient) -> httpx2.Response:
    await http.post("api/rooms", json={"id": "visit"})
    made = (await http.post("api/rooms/visit/links", json={"role": "doctor"})).json()
    address = made["url"][1:]
    await http.post(address, headers={"Accept": "application/json"})
    return await http.post(address, headers={"Accept": "application/json"})


def _link(**wanted: float) -> Send:
    async def send(http: httpx2.AsyncClient) -> httpx2.Response:
        await http.post("api/rooms", json={"id": "visit"})
        times = {name: time.time() + after for name, after in wanted.items()}
        made = (await http.post("api/rooms/visit/links", json={"role": "doctor", **times})).json()
        await asyncio.sleep(0.5)
        return await http.post(made["url"][1:], headers={"Accept": "application/json"})

    return send


async def _guess(http: httpx2.AsyncClient) -> httpx2.Response:
    for number in range(10):
        await http.post(f"j/guess-{number}", headers={"Accept": "application/json"})
    return await http.post("j/guess-again", headers={"Accept": "application/json"})


async def _guess_keys(http: httpx2.AsyncClient) -> httpx2.Response:
    answer = await http.get("api/cameras", headers={"Authorization": "Bearer wrong"})
    for number in range(40):
        answer = await http.get("api/cameras", headers={"Authorization": f"Bearer wrong-{number}"})
        if answer.status_code == 429:
            break
    return answer


async def _watch_until_logged_out(http: httpx2.AsyncClient) -> httpx2.Response:
    """Log in as a browser does, and listen to a view until the server ends that; return the fault that it tells."""
    async with httpx2.AsyncClient(base_url=http.base_url, timeout=60) as browser:
        await browser.post("login", data={"key": KEY}, headers={"Origin": str(http.base_url).rstrip("/")})
        async with browser.stream("GET", "api/cameras/front-door/events") as events:
            told = [line async for line in events.aiter_lines() if line]
    return httpx2.Response(401, content=told[told.index("event: fault") + 1].removeprefix("data: "))


def webhook(**headers: str) -> Send:
    async def send(http: httpx2.AsyncClient) -> httpx2.Response:
        kept = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await http.post("ring/webhook", content=b"{}", headers=kept)

    return send


def signed(body: bytes) -> Send:
    """A delivery that is signed as Ring signs."""
    headers = {"Content-Type": "application/json", "X-Signature": signature_of(body, HMAC_KEY)}
    return lambda http: http.post("ring/webhook", content=body, headers=headers)


def told(after: float, account: str | None = "ava1.ring.account.NOBODY") -> Send:
    """A press of a doorbell, so many seconds from now."""

    async def send(http: httpx2.AsyncClient) -> httpx2.Response:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + after))
        meta = {"version": "1.1", "time": at, "request_id": "r-1", **({"account_id": account} if account else {})}
        data = {"id": "d_press", "type": "button_press", "attributes": {"source": "d", "source_type": "devices"}}
        return await signed(json.dumps({"meta": meta, "data": data}).encode())(http)

    return send


def patched(body: str, match: str | None) -> Send:
    """What a player changes of a view that it has; it ends that again."""

    async def send(http: httpx2.AsyncClient) -> httpx2.Response:
        offer = offer_text(Transport("ufra", "p" * 22, ":".join(["AA"] * 32), "actpass"))
        made = await http.post("whep/front-door", content=offer, headers={"Content-Type": SDP})
        headers = {"Content-Type": FRAGMENT, **({"If-Match": match} if match is not None else {})}
        answer = await http.patch(made.headers["location"], content=body, headers=headers)
        await http.delete(made.headers["location"])
        return answer

    return send


def _camera_link(seconds: float, *, revoked: bool = False) -> Send:
    async def send(http: httpx2.AsyncClient) -> httpx2.Response:
        made = (await http.post("api/links", json={"camera": "front-door", "seconds": seconds})).json()
        if revoked:
            await http.delete(f"api/links/{made['id']}")
        else:
            await asyncio.sleep(seconds + 1.0)
        return await httpx2.AsyncClient(base_url=http.base_url, timeout=30).get(
            made["url"].removeprefix("/"), headers={"Accept": "application/json"}
        )

    return send


OFFERS = {"no session description": "hello", "no ICE": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"}
CANDIDATE = (
    "a=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\na=ice-ufrag:ufra\r\n"
    f"a=ice-pwd:{'p' * 22}\r\na=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host\r\na=end-of-candidates\r\n"
)
APP = {"partner": PARTNER}
ELSEWHERE = {"oidc": {"issuer": "http://127.0.0.1:9", "client_id": "client", "scopes": {"*": ["view"]}}}
REFUSALS = (
    Refusal("an address that is none", "REQUEST-INVALID", get("nowhere")),
    Refusal("a method that is none", "REQUEST-METHOD", lambda http: http.put("whep/front-door")),
    Refusal("an offer as JSON", "REQUEST-TYPE", whep("{}", "application/json")),
    *(Refusal(f"an offer: {name}", "VIEWER-OFFER", whep(text)) for name, text in OFFERS.items()),
    Refusal("a camera that is none", "CAM-UNKNOWN", get("api/cameras/nobody")),
    Refusal("a camera that cannot turn", "CAM-NO-PTZ",
            post("api/cameras/front-door/ptz", {"direction": "left"})),
    Refusal("a camera without a light", "CAM-UNABLE", post("api/cameras/front-door/light", {"on": True})),
    Refusal("a direction that is none", "REQUEST-INVALID", post("api/cameras/driveway/ptz", {"direction": "round"})),
    Refusal("a recording that is none", "FILE-GONE", get("api/cameras/front-door/recordings/none.mp4")),
    Refusal("an event without a recording", "CAM-RECORDING", get("api/cameras/front-door/history/12/recording")),
    Refusal("a playback that is none", "VIEWER-GONE", lambda http: http.delete("whep/front-door/none")),
    Refusal("a fault that is none", "FAULT-UNKNOWN", get("api/faults/NONE-SUCH")),
    Refusal("a page of another origin", "ORIGIN-REFUSED", post("api/rooms", {}, Origin="https://elsewhere.example")),
    Refusal("no key", "KEY-NEEDED", get("api/cameras", Authorization=""), keyed=True, again=get("api/cameras")),
    Refusal("wrong keys, one after another", "KEY-TRIES", _guess_keys, keyed=True),
    Refusal("a log-in that ends while somebody watches", "KEY-SESSION", _watch_until_logged_out, keyed=True,
            server={"session_life": 6}),
    Refusal("a lent key for something else", "KEY-SCOPE", post("api/rooms", {}), keyed=True,
            lent=KeptKey("a1", "nan", hash_of_key(Secret(LENT)), ("view",), None, 0.0)),
    Refusal("a lent key for another camera", "KEY-CAMERA", get("api/cameras/driveway"), keyed=True,
            lent=KeptKey("a1", "nan", hash_of_key(Secret(LENT)), ("view",), ("front-door",), 0.0)),
    Refusal("a lent key that has ended", "KEY-EXPIRED", get("api/cameras"), keyed=True,
            lent=KeptKey("a1", "nan", hash_of_key(Secret(LENT)), ("view",), None, 0.0, 1000.0)),
    Refusal("a link to a camera that has ended", "KEY-LINK-EXPIRED", _camera_link(1), keyed=True),
    Refusal("a link to a camera that was taken back", "KEY-LINK-REVOKED", _camera_link(600, revoked=True), keyed=True),
    Refusal("a link that nobody made is taken back", "KEY-LINK-UNKNOWN", lambda http: http.delete("api/links/none"),
            keyed=True),
    Refusal("a change of a view without its tag", "VIEWER-MATCH", patched(CANDIDATE, None)),
    Refusal("a change of a view with an old tag", "VIEWER-STALE", patched(CANDIDATE, '"old"')),
    Refusal("a change of a view that is none", "VIEWER-FRAGMENT", patched("v=0\r\n", "*")),
    Refusal("a change of a view by half", "VIEWER-RESTART", patched("a=ice-ufrag:other\r\n", "*")),
    Refusal("a link to a camera that was changed", "KEY-LINK", get("s/xyz", Accept="application/json"), keyed=True),
    Refusal("a log-in service that is not there", "OIDC-UNREACHABLE", get("login/oidc"), keyed=True, given=ELSEWHERE),
    Refusal("a log-in elsewhere that was refused there", "OIDC-REFUSED",
            get("login/oidc/callback?error=access_denied"), keyed=True, given=ELSEWHERE),
    Refusal("a log-in elsewhere that does not know our address", "OIDC-REDIRECT",
            get("login/oidc/callback?error=invalid_request&error_description=redirect_uri"), keyed=True,
            given=ELSEWHERE),
    Refusal("a log-in elsewhere that nobody began here", "OIDC-STATE", get("login/oidc/callback?state=x&code=y"),
            keyed=True, given=ELSEWHERE),
    Refusal("a room that is none", "ROOM-UNKNOWN", get("api/rooms/none")),
    Refusal("a role that is none", "ROOM-ROLE", post("api/rooms", {"people": [{"role": "king"}]})),
    Refusal("a link used twice", "ROOM-LINK-USED", _link_used),
    Refusal("a link too early", "ROOM-EARLY", _link(opens=600)),
    Refusal("a link too late", "ROOM-LINK-EXPIRED", _link(expires=0.2)),
    Refusal("a link that is none", "ROOM-LINK-UNKNOWN", post("j/guess", Accept="application/json")),
    Refusal("links guessed", "ROOM-RATE", _guess),
    Refusal("a webhook without a signature", "HOOK-UNSIGNED", webhook(), given=APP),
    Refusal("a webhook with a wrong signature", "HOOK-SIGNATURE", webhook(X_Signature="sha256=" + "0" * 64), given=APP),
    Refusal("a webhook that is no JSON", "HOOK-TYPE", webhook(Content_Type="text/plain", X_Signature="sha256=00"),
            given=APP),
    Refusal("a webhook of last week", "HOOK-OLD", told(-7 * 86_400), given=APP),
    Refusal("a webhook of tomorrow", "HOOK-FUTURE", told(86_400), given=APP),
    Refusal("a webhook that says nothing", "HOOK-FORM", signed(b"{}"), given=APP),
    Refusal("a webhook of 300 kB", "HOOK-SIZE", signed(b"[" + b" " * 300_000 + b"]"), given=APP),
    Refusal("Ring limits", "RING-RATE", get("api/cameras/front-door/snapshot.jpg"), ("rate-429",)),
    Refusal("no picture from the camera", "CAM-OFFLINE", get("api/cameras/front-door/snapshot.jpg"), ("offline",),
            again=get("api/cameras/front-door/snapshot.jpg")),
)  # fmt: skip


def read_refusal(answer: httpx2.Response) -> tuple[str | None, str]:
    """Return the code and the words of a refusal, be it a problem body or a page."""
    if answer.headers.get("content-type", "").startswith("text/html"):
        words = html.unescape(re.sub(r"<[^>]*>", " ", answer.text.partition("<body")[2]))
        return named_in(words), words
    problem = answer.json()
    return problem["code"], f"{problem.get('title', '')}. {problem.get('cause', '')} {problem.get('detail', '')}"


def api_refuses(refusal: Refusal) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with simulator(World()) as ring:
            settings = Settings(
                ring_url=ring.url, state_dir=lab.folder / "state", rooms=RoomSettings(**refusal.rooms),
                secret_key=Secret(KEY) if refusal.keyed else None,
                server={"host": "0.0.0.0" if refusal.keyed else "127.0.0.1", "port": 0, **refusal.server},
                **refusal.given,
            )  # fmt: skip
            known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
            if refusal.lent is not None:
                settings.state_dir.mkdir()
                with contextlib.closing(Database(f"sqlite:///{settings.state_dir / 'ringlight.db'}")) as database:
                    assert KeyRows(database).add(refusal.lent)
            shown = LENT if refusal.lent is not None else KEY
            headers = {"Authorization": f"Bearer {shown}"} if refusal.keyed else {}
            async with (
                Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
                run_server(settings, account, demo=True) as running,
                httpx2.AsyncClient(base_url=f"http://127.0.0.1:{running.port}/", headers=headers, timeout=30) as http,
            ):
                await http.get("api/cameras")
                ring.world.switch(list(refusal.on))
                began = time.monotonic()
                answer = await refusal.send(http)
                named = time.monotonic() - began
                if answer.status_code < 400:
                    return Outcome(None, answer.text[:100], named)
                code, said = read_refusal(answer)
                if refusal.again is None:
                    return Outcome(code, said, named)
                ring.world.switch([])
                began = time.monotonic()
                back = (await refusal.again(http)).status_code == 200
                return Outcome(code, said, named, "when asked again" if back else "not yet",
                               time.monotonic() - began)  # fmt: skip

    return run


def server_cells() -> Iterator[Cell]:
    for refusal in REFUSALS:
        yield Cell(refusal.code, Met.API, refusal.what, api_refuses(refusal), is_quick=refusal.what == "no key")
