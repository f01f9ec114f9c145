"""Ring's side of webhooks: what is sent, when it is sent again, and the verdict on each answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from partner_calls import partner

from ringlight.http.serving import listen, serving
from ringlight.partner.webhooks import MotionDetected, SensorChanged, Verifier
from ringlight.simulator.partner.deliveries import DELAYS, Deliveries, judge_answer
from ringlight.simulator.partner.envelope import ACCOUNT_TYPES, DEVICE_TYPES, SUBSCRIPTION_TYPES
from ringlight.simulator.partner.webhooks import send_due
from ringlight.simulator.world import World
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio
KEY = "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="


class AppOfSomebody:
    """Answers webhooks as it is told, and keeps them."""

    def __init__(self) -> None:
        self.status, self.got = 200, []  # type: tuple[int, list[tuple[bytes, str]]]
        self.app = FastAPI()

        @self.app.post("/hook")
        async def hook(request: Request) -> Response:
            self.got.append((await request.body(), request.headers["x-signature"]))
            return Response(status_code=self.status)

    def events(self, now: float) -> list[Any]:
        return [Verifier(KEY).verify(content, signature, now=now) for content, signature in self.got]


@asynccontextmanager
async def somebody() -> AsyncIterator[tuple[AppOfSomebody, str]]:
    app = AppOfSomebody()
    async with serving(app.app, listen("127.0.0.1", 0)) as running:
        yield app, f"{running.url}hook"


async def test_whatever_happens_to_a_shared_device_is_told_and_signed() -> None:
    async with somebody() as (app, url), partner() as sim:
        await sim.web.put("/_sim/partner/webhooks", json={"url": url})
        await sim.web.post("/_sim/cameras/1001/bell")
        await sim.web.post("/_sim/cameras/1001/motion")
        for change in ({"online": False}, {"online": False}, {"online": True}, {"shared": False}, {"shared": True}):
            await sim.web.put("/_sim/partner/devices/1002", json=change)
        await sim.web.put("/_sim/partner/devices/sensor-1", json={"flooded": True})
        await sim.web.put("/_sim/partner/devices/sensor-1", json={"flooded": False})
        for _ in range(9):
            await send_due(sim.estate)
        events = sorted(app.events(sim.now / 1000), key=lambda one: one.time_ns)
        assert {event.type for event in events} == {
            "button_press", "motion_detected", "device_offline", "device_online", "device_removed", "device_added",
            "flood_detected", "flood_cleared",
        }  # fmt: skip
        assert len(events) == 8
        (motion,) = [event for event in events if isinstance(event, MotionDetected)]
        listed = (await sim.get("/v1/devices")).json()["data"]
        assert (motion.subtype, motion.device) == ("human", listed[0]["id"])
        assert {event.alarm for event in events if isinstance(event, SensorChanged)} == {True, False}


async def test_every_documented_type_can_be_sent_and_read() -> None:
    kinds = (*DEVICE_TYPES, *ACCOUNT_TYPES, *SUBSCRIPTION_TYPES, "of_tomorrow")
    async with somebody() as (app, url), partner() as sim:
        await sim.web.put("/_sim/partner/webhooks", json={"url": url})
        for kind in kinds:
            assert (await sim.web.post("/_sim/partner/webhooks/send", json={"type": kind})).status_code == 202
        await send_due(sim.estate)
        assert sorted(event.type for event in app.events(sim.now / 1000)) == sorted(kinds)


async def test_linking_is_told_of_in_its_order() -> None:
    async with somebody() as (app, url), partner() as sim:
        await sim.web.put("/_sim/partner/webhooks", json={"url": url})
        code = (await sim.web.post("/_sim/partner/install", json={})).json()["code"]
        await sim.web.post("/_sim/cameras/1001/bell")  # not told: the link is not completed
        sim.token = (await sim.tokens(grant_type="authorization_code", code=code)).json()["access_token"]
        nonce = (await sim.web.post("/_sim/partner/redirect")).json()["nonce"]
        await sim.call("POST", "/v1/accounts/me/app-integrations", json={"nonce": nonce})
        await sim.call("PATCH", "/v1/accounts/me/app-integrations", json={"status": "completed"})
        await sim.web.post("/_sim/partner/remove")
        kinds = [one.kind for one in sim.estate.deliveries.all]
        assert kinds == ["device_added"] * 5 + ["app_integration_added"] + ["device_removed"] * 5 + [
            "app_integration_removed"
        ]
        assert app.got == []


async def test_an_answer_of_5xx_brings_it_seven_times_and_then_to_the_dead_letters() -> None:
    async with somebody() as (app, url), partner() as sim:
        app.status = 503
        await sim.web.put("/_sim/partner/webhooks", json={"url": url})
        await sim.web.post("/_sim/cameras/1001/bell")
        for delay in DELAYS:
            if delay:
                sim.seconds += delay - 0.01
                assert await send_due(sim.estate) == 0
                sim.seconds += 0.02
            assert await send_due(sim.estate) == 1
        shown = (await sim.web.get("/_sim/partner/webhooks")).json()
        (delivery,) = shown["deliveries"]
        assert (delivery["state"], shown["dead"]) == ("dead", [1])
        verdicts = [attempt["verdict"].partition(": ")[2] for attempt in delivery["attempts"]]
        waits = ("1 s", "5 s", "30 s", "2 min", "10 min", "1 h")
        assert verdicts == [*(f"Ring would retry in {wait}" for wait in waits), "Ring would give up"]
        assert len(set(app.got)) == 1  # the same bytes each time
        app.status = 200
        assert (await sim.web.post("/_sim/partner/webhooks/replay")).json() == {"replayed": 1}
        await send_due(sim.estate)
        assert (await sim.web.get("/_sim/partner/webhooks")).json()["deliveries"][0]["state"] == "delivered"


def test_dead_letters_are_kept_for_three_days() -> None:
    deliveries = Deliveries()
    deliveries.add("x", b"{}", KEY, 0.0)
    now = 0.0
    for delay in DELAYS:
        now += delay
        (one,) = deliveries.start(now)
        deliveries.answered(one, 500, 0.1, now)
    assert deliveries.dead(now + 71 * 3600) == [one]
    assert deliveries.replay(now + 73 * 3600) == 0


def test_ten_refusals_in_a_row_disable_the_address() -> None:
    deliveries = Deliveries()
    for status in (*([401] * 9), 200, *([401] * 10)):
        assert not deliveries.disabled
        deliveries.add("x", b"{}", KEY, 0.0)
        (one,) = deliveries.start(0.0)
        deliveries.answered(one, status, 0.1, 0.0)
    assert deliveries.disabled
    deliveries.add("x", b"{}", KEY, 0.0)
    assert deliveries.all[-1].state == "withheld"
    deliveries.enable()
    deliveries.add("x", b"{}", KEY, 0.0)
    assert len(deliveries.start(0.0)) == 1


@pytest.mark.parametrize(
    ("status", "seconds", "verdict"),
    [
        (200, 0.1, "answered 200 in 0.1 s: delivered"),
        (200, 6.1, "answered 200 in 6.1 s, more than 5: Ring would retry in 1 s"),
        (404, 0.1, "answered 404 in 0.1 s: final, Ring would never send it again"),
        (404, 6.1, "answered 404 in 6.1 s, more than 5: Ring would retry in 1 s"),
        (500, 0.1, "answered 500 in 0.1 s: Ring would retry in 1 s"),
        (302, 0.1, "answered 302 in 0.1 s: Ring would retry in 1 s"),
        (None, 10.0, "no answer: Ring would retry in 1 s"),
    ],
)
def test_each_answer_has_a_verdict(status: int | None, seconds: float, verdict: str) -> None:
    assert judge_answer(status, seconds, 1.0, 0.0).verdict == verdict


async def test_the_switches_of_webhooks_do_what_they_say() -> None:
    async with somebody() as (app, url), partner() as sim:
        await sim.web.put("/_sim/partner/webhooks", json={"url": url})

        async def sent(switch: str, later: float = 0.0, times: int = 1) -> list[bytes]:
            app.got.clear()
            sim.world.switch([switch])
            for _ in range(times):
                await sim.web.post("/_sim/cameras/1001/motion")
            await send_due(sim.estate)
            sim.seconds += later
            await send_due(sim.estate)
            return [content for content, _ in app.got]

        first, second = await sent("partner-webhook-duplicate")
        assert first == second
        assert await sent("partner-webhook-drop") == []
        assert len(await sent("partner-webhook-delay", later=9.0)) == 0
        assert len(await sent("partner-webhook-snake", later=2.0)) == 2  # the late one too
        assert any(b'"sub_type":"human"' in content for content, _ in app.got)
        bodies = await sent("partner-webhook-reorder", later=3.0, times=2)
        assert bodies == [sim.estate.deliveries.all[-1].body, sim.estate.deliveries.all[-2].body]
        await sent("partner-webhook-forged")
        assert not Verifier(KEY).is_signed(*app.got[0])


async def test_a_simulator_that_runs_sends_by_itself_and_sooner_at_higher_speed() -> None:
    """An hour and more of attempts in a second."""
    world = World(speed=10_000.0)
    async with somebody() as (app, url), simulator(world):
        app.status = 500
        world.partner.deliveries.url = url
        world.press(1001, "ding")
        async with asyncio.timeout(20):
            while not world.partner.deliveries.dead(world.partner.clock()):
                await asyncio.sleep(0.01)
        assert len(app.got) == 7
