"""Cells of webhook receivers of others: what who sends to them reads, by a command, the doctor and the rooms' trial."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from scenes.linked_house import TOKEN, linked_house
from troubles.crossed import crossed

from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command
from cells.doctor import examined
from cells.partner import environment
from patients import KEY, Patient, foreign, free_port, says
from ringlight.doctor.plans.asked import Asked
from ringlight.secrets import Secret
from ringlight.settings import load_settings
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing


def sender_sees_late(lab_answers: Any) -> Run:
    """`ringlight partner webhook-send` to a receiver that answers after five seconds."""

    async def run(lab: Lab) -> Outcome:
        env = environment(lab, SimulatedRing("http://127.0.0.1:9", World()), RINGLIGHT_PARTNER__HMAC_KEYS=KEY)
        async with foreign(lab_answers) as late, foreign(says(200, {})) as good:
            first = await command("partner", "webhook-send", f"http://{late}/hook", env=env, cwd=lab.folder)
            assert "Traceback" not in first.err, first.err
            again = await command("partner", "webhook-send", f"http://{good}/hook", env=env, cwd=lab.folder)
        return first.then(again)

    return run


def doctor_sees(answer: Any) -> Run:
    """`ringlight doctor partner --webhook URL`."""

    async def run(lab: Lab) -> Outcome:
        async with crossed() as between, foreign(answer) as where:
            settings = load_settings(
                ring_url=between.ring.url, state_dir=lab.folder / "state", server={"port": 0}, partner=TOKEN
            )
            return await examined(Patient(settings, ("partner",), Asked(webhook=f"http://{where}/hook")))

    return run


def room_webhook(answer: Any) -> Run:
    """`POST /api/rooms/webhook-test`; `None`: nobody is there."""

    async def run(lab: Lab) -> Outcome:
        async with contextlib.AsyncExitStack() as stack:
            answers = [answer]

            async def receiver(scope: Any, receive: Any, send: Any) -> None:
                await answers[-1](scope, receive, send)

            where = f"127.0.0.1:{free_port()}" if answer is None else await stack.enter_async_context(foreign(receiver))
            rooms = {"webhook_url": Secret(f"http://{where}/hook"), "webhook_secret": Secret("whsec_" + "k" * 32)}
            house = await stack.enter_async_context(linked_house(lab, rooms=rooms))
            began = time.monotonic()
            tried = (await house.http.post("api/rooms/webhook-test")).json()
            named = time.monotonic() - began
            said = f"{tried['code']}: {tried['detail']}"
            if answer is None:
                return Outcome(tried["code"], said, named)
            answers.append(says(204, {}))
            began = time.monotonic()
            back = (await house.http.post("api/rooms/webhook-test")).json()["delivered"]
            return Outcome(tried["code"], said, named, "when asked again" if back else "not yet",
                           time.monotonic() - began)  # fmt: skip

    return run


def receiver_cells() -> Iterator[Cell]:
    yield Cell("HOOK-LATE", Met.COMMAND, "`partner webhook-send`: a receiver of six seconds",
               sender_sees_late(says(200, {}, slow=6.0)))  # fmt: skip
    for code, status in (("HOOK-FAILING", 503), ("HOOK-REDIRECT", 302), ("HOOK-LOST", 401)):
        yield Cell(code, Met.DOCTOR, f"`doctor partner --webhook`: a receiver says {status}",
                   doctor_sees(says(status, {})))  # fmt: skip
    for what, answer in (("says 500", says(500, {})), ("says 302", says(302, {})), ("is not there", None)):
        yield Cell("HOOK-UNDELIVERED", Met.API, f"webhooks of rooms: the receiver {what}", room_webhook(answer))
