"""A Ring app on our own server: linked accounts, their cameras beside the person's own, and what the page is told."""

import asyncio
import contextlib
import html
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.media.sdp import Transport
from ringlight.secrets import Secret
from ringlight.server import ring_notices
from ringlight.server.program import run_server
from ringlight.settings import CameraSettings, PartnerSettings, ServerSettings, Settings
from ringlight.simulator.partner.envelope import envelope
from ringlight.simulator.partner.premises import account_id, opaque
from ringlight.simulator.partner.webhooks import send_once
from ringlight.store import MemoryTokenStore
from ringlight.store.database import Database
from ringlight.store.inbox import Claim, Inbox, Put, Settle
from ringlight.testing import SimulatedRing, simulator
from whep_viewer import offer_text

pytestmark = pytest.mark.anyio
SDP = {"Content-Type": "application/sdp"}
OFFER = offer_text(Transport("ufra", "p" * 22, ":".join(["AA"] * 32), "actpass"))
KEY = "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="
APP = {"client_id": "sim-client", "client_secret": Secret("sim-secret"), "hmac_keys": [Secret(KEY)]}
WITHIN = 40  # seconds


@dataclass
class Site:
    """Our server beside a simulated Ring."""

    ring: SimulatedRing
    web: httpx2.AsyncClient

    async def press(self, button: str, **body: Any) -> Any:
        answer = await self.web.post(f"{self.ring.url}/_sim/{button}", json=body)
        return answer.json() if answer.content else None

    async def link(self, account: str = "ada") -> Any:
        """Install the app, follow Ring's redirect, and click."""
        base = f"{self.web.base_url}ring"
        await self.web.put(f"{self.ring.url}/_sim/partner/app", json={"base": base})
        done = await self.press("partner/install", account=account)
        page = await self.web.get(done["redirect"])
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
        return await self.web.post(done["redirect"], data={name: html.unescape(value) for name, value in hidden})

    async def cameras(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = (await self.web.get("api/cameras")).json()["cameras"]
        return listed

    async def linked(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many linked cameras are there."""
        while True:
            found = [camera for camera in await self.cameras() if "--" in camera["id"]]
            if len(found) == count:
                return found
            await asyncio.sleep(0.1)

    async def shown(self, holds: Any) -> dict[str, Any]:
        """Listen to the event stream until a snapshot is as it should be."""
        async with self.web.stream("GET", "api/ring/stream") as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: ") and holds(snapshot := json.loads(line[6:])):
                    assert isinstance(snapshot, dict)
                    return snapshot
        raise AssertionError("the stream has ended")


@contextlib.asynccontextmanager
async def site(
    tmp_path: Path, *, signed_in: bool | None = True, key: str | None = None, partner: dict[str, Any] | None = None
) -> AsyncIterator[Site]:
    """Run both. `signed_in`: with an account, with one that nobody is signed in to, or (`None`) without any."""
    database = f"sqlite:///{tmp_path / 'app.db'}"
    async with simulator() as ring, asyncio.timeout(WITHIN):
        settings = Settings(
            ring_url=ring.url, state_dir=tmp_path, database_url=Secret(database),
            secret_key=Secret(key) if key else None, cameras=CameraSettings(linger=0.2),
            server=ServerSettings(host="0.0.0.0" if key else "127.0.0.1", port=0),
            partner=PartnerSettings(**(APP if partner is None else partner)),
        )  # fmt: skip
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code) if signed_in else None
        async with contextlib.AsyncExitStack() as stack:
            account = None
            if signed_in is not None:
                opened = Account.open(settings, store=MemoryTokenStore(), credentials=known)
                account = await stack.enter_async_context(opened)
            serving = await stack.enter_async_context(run_server(settings, account))
            base = f"http://127.0.0.1:{serving.port}/"
            async with httpx2.AsyncClient(base_url=base, timeout=30, trust_env=False) as web:
                yield Site(ring, web)


async def test_the_cameras_of_a_linked_account_stand_beside_the_persons_own(tmp_path: Path) -> None:
    """Both have a "Front Door"; their ids can never be the same, whichever came first."""
    async with site(tmp_path) as here:
        assert [camera["id"] for camera in await here.cameras()] == ["front-door", "back-yard", "driveway"]
        page = await here.link()
        assert 'data-state="completed"' in page.text
        linked = await here.linked(3)
        assert [re.sub("--.*", "", camera["id"]) for camera in linked] == ["front-door", "back-yard", "driveway"]
        assert (await here.link("bob")).status_code == 200
        (bobs,) = [camera for camera in await here.linked(4) if camera["name"] == "Bob's Door"]
        for identifier in ("front-door", linked[0]["id"], bobs["id"]):
            answer = await here.web.post(f"whep/{identifier}", content=OFFER, headers=SDP)
            assert answer.status_code == 201, answer.text
            assert (await here.web.delete(answer.headers["location"])).status_code == 200
        still = await here.web.get(f"api/cameras/{linked[1]['id']}/snapshot.jpg")
        assert still.content.startswith(b"\xff\xd8")


async def test_motion_is_on_the_page_at_once_with_its_clip(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.link()
        (door, *_) = await here.linked(3)
        await here.web.put(f"{here.ring.url}/_sim/partner/webhooks", json={"url": f"{here.web.base_url}ring/webhook"})
        watching = asyncio.create_task(here.shown(lambda shown: shown["events"] and shown["events"][0]["recording"]))
        await here.press("cameras/1001/motion")
        shown = await watching
        event = shown["events"][0]
        assert (event["type"], event["subtype"], event["camera"]["id"]) == ("motion_detected", "human", door["id"])
        assert [(link["state"], link["identifier"]) for link in shown["links"]] == [("completed", "owner")]
        clip = f"api/cameras/{door['id']}/history/{event['recording']}/recording"
        part = await here.web.get(clip, headers={"Range": "bytes=0-99"})
        assert (part.status_code, part.content[4:8]) == (206, b"ftyp")


async def test_an_account_that_fails_does_not_hide_the_linked_ones(tmp_path: Path) -> None:
    """Nobody is signed in: the list says so, and has the others."""
    async with site(tmp_path, signed_in=False) as here:
        assert (await here.web.get("api/cameras")).json()["code"] == "AUTH-SIGNED-OUT"
        await here.link()
        await here.linked(3)
        listed = (await here.web.get("api/cameras")).json()
        assert [fault["code"] for fault in listed["faults"]] == ["AUTH-SIGNED-OUT"]
        assert (await here.web.get(f"api/cameras/{listed['cameras'][0]['id']}")).status_code == 200
        assert (await here.web.get("api/cameras/attic")).json()["code"] == "AUTH-SIGNED-OUT"


async def test_a_token_of_the_playground_alone_is_enough_for_its_cameras(tmp_path: Path) -> None:
    async with site(tmp_path, signed_in=None, partner={"access_token": Secret("sim-token")}) as here:
        assert [camera["name"] for camera in await here.cameras()] == ["Front Door", "Back Yard", "Driveway"]
        assert (await here.web.get("api/about")).json()["ring_app"] is True
        shown = (await here.web.get("api/ring")).json()
        assert (shown["linking"], shown["links"], shown["events"]) == (False, [], [])
        assert (await here.web.post("ring/token")).status_code == 404


async def test_an_account_that_removes_the_app_takes_its_cameras_along(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.link()
        await here.linked(3)
        await here.web.put(f"{here.ring.url}/_sim/partner/webhooks", json={"url": f"{here.web.base_url}ring/webhook"})
        await here.press("partner/remove")
        await here.linked(0)
        shown = await here.shown(lambda shown: shown["links"] and shown["links"][0]["state"] == "lost")
        assert shown["links"][0]["cameras"] == []


async def test_dead_letters_are_shown_replayed_and_dropped(tmp_path: Path) -> None:
    await give_up(f"sqlite:///{tmp_path / 'app.db'}", 3)
    async with site(tmp_path) as here:
        first = (await here.web.get("api/ring")).json()["dead"]
        assert [(one["fault"]["code"], one["fault"]["detail"]) for one in first] == [("HOOK-HANDLER", "ValueError")] * 3
        number = first[0]["number"]
        assert (await here.web.post("api/ring/dead-letters/replay", json={"numbers": [number]})).json() == {
            "replayed": 1
        }
        shown = await here.shown(lambda shown: [one["state"] for one in shown["events"]].count("done") == 1)
        assert len(shown["dead"]) == 2
        assert (await here.web.post("api/ring/dead-letters/drop", json={})).json() == {"dropped": 2}
        assert (await here.web.get("api/ring")).json()["dead"] == []
        assert (await here.web.post("api/ring/dead-letters/replay", json={"numbers": "all"})).status_code == 400


async def give_up(database: str, count: int) -> None:
    """Leave dead letters, as a handler that fails six times does."""

    def work() -> None:
        kept = Database(database)
        inbox = Inbox(kept)
        for number in range(1, count + 1):
            body = envelope(
                "button_press", request_id=f"r{number}", account=account_id("ada"), device=opaque("device", "1001", 96),
                at_ns=1_790_000_000_000_000_000,
            )  # fmt: skip
            inbox.write(
                [Put(f"r{number}", account_id("ada"), opaque("device", "1001", 96), "button_press", body, time.time())]
            )
            inbox.write([Claim(number, "gone")])
            inbox.write([Settle(number, "gone", "dead", 6, problem="HOOK-HANDLER: ValueError")])
        kept.close()

    await asyncio.to_thread(work)


async def test_what_is_refused_is_a_notice_and_leaves_no_row(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        body = envelope("button_press", request_id="r", account="a", device="d", at_ns=1)
        for _ in range(3):
            assert (await send_once(f"{here.web.base_url}ring/webhook", body, "wrong key")).status == 401
        shown = (await here.web.get("api/ring")).json()
        (notice,) = shown["notices"]
        assert (notice["code"], notice["subject"], notice["count"], notice["over"]) == (
            "HOOK-SIGNATURE", "webhooks", 1, False,
        ), "the others within a minute are kept back"  # fmt: skip
        assert shown["events"] == []


async def test_refused_webhooks_are_told_no_more_once_others_were_taken_for_some_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_notices, "QUIET", 0.2)
    async with site(tmp_path) as here:
        hook = f"{here.web.base_url}ring/webhook"
        body = envelope("button_press", request_id="r", account="a", device="d", at_ns=time.time_ns())
        assert (await send_once(hook, body, "wrong key")).status == 401
        assert [one["code"] for one in (await here.web.get("api/status")).json()["notices"]] == ["HOOK-SIGNATURE"]
        assert (await send_once(hook, body, KEY)).status == 200
        shown = await here.shown(lambda state: [one["over"] for one in state["notices"]] == [True])
        assert [one["code"] for one in shown["notices"]] == ["HOOK-SIGNATURE"]
        assert (await here.web.get("api/status")).json()["notices"] == []


async def test_only_ring_comes_without_a_key(tmp_path: Path) -> None:
    """A webhook is judged by its signature and a code by Ring; all else wants the server's own key."""
    async with site(tmp_path, signed_in=None, key="k" * 40) as here:
        for path in ("api/ring", "api/ring/stream", "ring/link?nonce=n&time=1", "ring/home"):
            assert (await here.web.get(path)).json()["code"] == "KEY-NEEDED", path
        assert (await here.web.post("ring/webhook", content=b"{}")).status_code == 415
        assert (await here.web.post("ring/token", data={})).json()["code"] == "REQUEST-INVALID"
        led = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        key = ("ringlight", "k" * 40)
        assert (await here.web.get("ring/home", headers=led, auth=key)).status_code == 200
        assert (await here.web.get("api/ring", headers=led, auth=key)).json()["code"] == "ORIGIN-REFUSED"
