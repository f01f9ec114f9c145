"""Cells of what the Partner API answers: by both clients of the SDK, the commands, the server's API and the doctor.

What the simulated Ring does not answer by itself, something in between does.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scenes.linked_house import ASKED, TOKEN, LinkedHouse, linked_house
from troubles.crossed import breaks_off, crossed, leads_to

from cells import Cell, Lab, Met, Outcome, Run
from cells.doctor import examined
from cells.partner import Ask, Caller, PartnerTrouble, client_meets, clip, command_meets, device, me, view
from patients import Patient, refusal
from ringlight.errors import RingError
from ringlight.settings import load_settings
from whep_viewer import viewer

SDK: dict[str, Ask] = {"me": me, "devices": lambda caller: caller.one.do(lambda c: c.devices.list()), "device": device,
                       "clip": clip, "view": view}  # fmt: skip
SDK |= {
    "events": lambda caller: caller.one.do(lambda c: c.history.events(caller.door)),
    "complete": lambda caller: caller.one.do(lambda c: c.integrations.complete()),
}
COMMANDS = {
    "devices": ("devices",), "events": ("events", "Front Door"), "clip": ("clip", "Front Door", "x.mp4"),
    "still": ("snapshot", "Front Door", "x.jpg"),
}  # fmt: skip
ALL = frozenset({Met.SYNC, Met.ASYNC, Met.COMMAND, Met.API, Met.DOCTOR})
BOTH = frozenset({Met.SYNC, Met.ASYNC})
API = frozenset({Met.API})


@dataclass(frozen=True)
class Answer:
    """What Ring answers to one kind of question.

    Attributes:
        what: In words.
        code: The fault.
        ask: What is asked; a name of `SDK`, `COMMANDS` and `ASKED`.
        met: Who meets it here; others do in other groups, or not at all.
        on: Switches.
        answers: What answers in Ring's place, by a part of the address.
        given: Settings of how calls survive.
        wait: Seconds until it may be asked again.
        again: Whether it works once the cause is gone.
        times: How often it is asked at most, until this fault is named.
    """

    what: str
    code: str
    ask: str
    met: frozenset[Met] = ALL
    on: tuple[str, ...] = ()
    answers: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    wait: float = 0.0
    again: bool = True
    times: int = 1


LISTED, FOOTAGE, WHEP = "/v1/devices", "/media/", "/whep/"
NO_TIME = {"total": 2.0}
ANSWERS = (
    Answer("400", "PARTNER-BAD-REQUEST", "devices", answers={LISTED: refusal(400, "Validation Error")}),
    Answer("403 for that time", "PARTNER-CONSENT", "clip", ALL - {Met.DOCTOR},
           answers={FOOTAGE: refusal(403, "Forbidden", code="TIME_RANGE_NOT_AUTHORIZED")}),
    Answer("403 without a reason", "PARTNER-FORBIDDEN", "clip", ALL - {Met.DOCTOR},
           answers={FOOTAGE: refusal(403, "Forbidden", code="REQUEST_FORBIDDEN")}),
    Answer("422 without a reason", "PARTNER-UNPROCESSABLE", "clip",
           answers={FOOTAGE: refusal(422, "Unprocessable Content")}),
    Answer("418", "PARTNER-STATUS", "devices", answers={LISTED: refusal(418, "I'm a teapot")}),
    Answer("404 for footage", "PARTNER-NOT-FOUND", "clip", ALL - {Met.DOCTOR},
           answers={FOOTAGE: refusal(404, "Not Found")}),
    Answer("footage elsewhere", "PARTNER-ORIGIN", "clip", answers={FOOTAGE: leads_to("ftp://elsewhere.example/x")}),
    Answer("storage cuts, and changes", "PARTNER-CUT", "clip", ALL - {Met.DOCTOR},
           ("partner-media-303", "partner-media-cut", "partner-media-changed")),
    Answer("a picture that breaks off each time", "PARTNER-CUT", "clip", frozenset({Met.DOCTOR}),
           answers={FOOTAGE: breaks_off}),
    Answer("a link that waits for its nonce", "PARTNER-TRANSITION", "complete", BOTH,
           answers={"/app-integrations": refusal(400, "Invalid Status Transition")}),
    Answer("no integration for this token", "PARTNER-NOT-LINKED", "complete", BOTH,
           answers={"/app-integrations": refusal(404, "There is no integration for this token.")}),
    Answer("the device is offline", "PARTNER-DEVICE-OFFLINE", "events", frozenset({Met.COMMAND}),
           answers={"/history/": refusal(503, "Device Unavailable", "Device is currently offline")}),
    Answer("401", "PARTNER-AUTH", "devices", API, ("partner-401",), again=False),
    Answer("403", "PARTNER-SCOPE", "devices", API, ("partner-403",)),
    Answer("the devices were withdrawn", "PARTNER-NOT-FOUND", "events", API, ("partner-no-devices",)),
    Answer("footage corrupt", "PARTNER-CORRUPT", "clip", API | {Met.DOCTOR}, ("partner-media-corrupt",)),
    Answer("footage encrypted", "PARTNER-ENCRYPTED", "clip", API | {Met.DOCTOR}, ("partner-media-encrypted",)),
    Answer("footage not ready", "PARTNER-NOT-READY", "clip", API | {Met.DOCTOR}, ("partner-media-early",), wait=5.0),
    Answer("no footage", "PARTNER-NO-FOOTAGE", "clip", API, ("partner-media-missing",)),
    Answer("429", "PARTNER-RATE", "devices", API, ("partner-429",), given=NO_TIME, wait=5.0),
    Answer("500", "PARTNER-SERVER", "devices", API, ("partner-500",)),
    Answer("503, busy", "PARTNER-UNAVAILABLE", "devices", API, ("partner-503",)),
    Answer("the device is offline", "PARTNER-DEVICE-OFFLINE", "view", API,
           answers={WHEP: refusal(503, "Device Unavailable", "Device is currently offline")}, wait=30.0),
    Answer("a page of HTML", "PARTNER-ANSWER", "devices", API, ("partner-html",)),
    Answer("a view elsewhere", "PARTNER-ORIGIN", "view", API | {Met.DOCTOR}, ("partner-view-foreign",)),
    Answer("another program watches", "PARTNER-VIEW-BUSY", "view", API, answers={WHEP: refusal(409, "Conflict")}),
    Answer("no answer", "CALL-DEADLINE", "devices", ALL - BOTH, ("partner-silent",), given={"total": 1.0}),
    Answer("it fails again and again", "CALL-CIRCUIT", "devices", API, ("partner-500",), wait=5.0, times=2,
           given={"breaker_in_a_row": 1, "breaker_open": 2.0}),
    Answer("it takes nothing", "CALL-BUDGET", "devices", BOTH | API, ("partner-500",), wait=30.0, times=100,
           given={"shedding": True, "circuit_breaker": False}),
    Answer("a line too long", "CALL-GATE", "events", BOTH | API | {Met.COMMAND}, wait=5.0, times=2,
           given={"gate_rate": 0.5, "gate_burst": 1, "total": 1.0}),
)  # fmt: skip


def api_meets(answer: Answer) -> Run:
    """What our server says, and whether it gets there once the cause is gone."""

    async def run(lab: Lab) -> Outcome:
        async with linked_house(lab, resilience=answer.given) as house:
            if answer.ask != "devices":
                await house.learn()
            house.between.trouble(answer.on, answer.answers)
            began = time.monotonic()
            for _ in range(answer.times):
                first = await ASKED[answer.ask](house)
                problem = first.json() if first.status_code >= 400 else {}
                if problem.get("code") == answer.code:
                    break
            named = time.monotonic() - began
            if not problem:
                return Outcome(None, first.text[:200], named)
            said = f"{problem['title']}. {problem['cause']}"
            house.between.mend()
            if not answer.again:
                return Outcome(problem["code"], said, named)
            return await _again(house, answer, Outcome(problem["code"], said, named))

    return run


async def _again(house: LinkedHouse, answer: Answer, first: Outcome) -> Outcome:
    began, back = time.monotonic(), False
    while not back and time.monotonic() < began + answer.wait + 5:
        back = (await ASKED[answer.ask](house)).status_code == 200
        await asyncio.sleep(0.0 if back else 0.2)
    return Outcome(first.code, first.said, first.named_after, "when asked again" if back else "not yet",
                   time.monotonic() - began)  # fmt: skip


async def view_ends(lab: Lab) -> Outcome:
    """Ring ends a view of a battery camera after 30 seconds; `GET /api/cameras/…/events` tells of it."""
    async with linked_house(lab, cameras={"renewal": "never"}) as house:
        await house.learn()
        yard = house.id_of("Back Yard")
        async with (
            viewer(house.url, yard, house.http) as watching,
            house.http.stream("GET", f"api/cameras/{yard}/events") as events,
        ):
            await watching.receive(10)
            began, fault = time.monotonic(), None
            async for line in events.aiter_lines():
                fault = json.loads(line.removeprefix("data: "))["fault"] if line.startswith("data: ") else None
                if fault is not None:
                    break
            named = time.monotonic() - began
        assert fault is not None
        began = time.monotonic()
        back = (await house.http.get(f"api/cameras/{yard}/snapshot.jpg")).status_code == 200
        return Outcome(fault["code"], f"{fault['title']}. {fault['cause']}", named,
                       "when asked again" if back else "not yet", time.monotonic() - began)  # fmt: skip


def doctor_sees(answer: Answer) -> Run:
    """`ringlight doctor partner`, or of a linked camera."""

    async def run(lab: Lab) -> Outcome:
        async with crossed() as between:
            settings = load_settings(
                ring_url=between.ring.url, state_dir=lab.folder / "state", server={"port": 0}, partner=TOKEN
            )
            between.trouble(answer.on, answer.answers)
            return await examined(Patient(settings, ("Front Door" if answer.ask == "view" else "partner",)))

    return run


def again_and_again(answer: Answer) -> Ask:
    """Ask until this fault is named, or as often as that may take."""

    def ask(caller: Caller) -> Any:
        for _ in range(answer.times):
            try:
                came = SDK[answer.ask](caller)
            except RingError as error:
                if error.code == answer.code:
                    raise
        return came

    return ask


def partner_answer_cells() -> Iterator[Cell]:
    for answer in ANSWERS:
        asked = SDK[answer.ask] if answer.times == 1 else again_and_again(answer)
        trouble = PartnerTrouble(answer.what, answer.code, asked, answer.on, answers=answer.answers,
                                 given=answer.given, wait=answer.wait, again=SDK[answer.ask] if answer.again else None,
                                 options={"retries": 0, "fallback": "never"} if answer.times > 1 else {})  # fmt: skip
        how = f"{answer.ask}: {answer.what}"
        for kind, met in (("sync", Met.SYNC), ("async", Met.ASYNC)):
            if met in answer.met:
                yield Cell(answer.code, met, how, client_meets(trouble, kind))
        if Met.COMMAND in answer.met:
            yield Cell(answer.code, Met.COMMAND, f"`partner {COMMANDS[answer.ask][0]}`: {answer.what}",
                       command_meets(COMMANDS[answer.ask], trouble))  # fmt: skip
        if Met.API in answer.met:
            yield Cell(answer.code, Met.API, how, api_meets(answer), is_quick=answer.what == "another program watches")
        if Met.DOCTOR in answer.met:
            yield Cell(answer.code, Met.DOCTOR, how, doctor_sees(answer))
    yield Cell("PARTNER-VIEW-LIMIT", Met.API, "view: 30 seconds on battery", view_ends)
    of_1969 = ("clip", "Front Door", "x.mp4", "--at", "1969-07-20T20:17:40")
    yield Cell("PARTNER-ARGUMENT", Met.COMMAND, "`partner clip`: of 1969",
               command_meets(of_1969, PartnerTrouble("of 1969", "PARTNER-ARGUMENT", again=None)))  # fmt: skip
