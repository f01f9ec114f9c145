"""Cells of the Partner API: each of its troubles, met by both clients of the SDK and by the command line."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from troubles.crossed import Crossed, crossed

from both_clients import Either, either
from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command
from ringlight.errors import RingError
from ringlight.faults import FAULTS
from ringlight.media import negotiate, sdp
from ringlight.partner import Stored, TokenPair
from ringlight.resilience.events import RetryScheduled
from ringlight.secrets import Secret
from ringlight.settings import PartnerSettings, ResilienceSettings, Settings
from ringlight.store.pairs import MemoryPairStore, PairStore
from ringlight.testing import SimulatedRing

OFFER = sdp.write(negotiate.camera_offer(sdp.Transport("u", "p" * 24, ":".join(["AB"] * 32), "actpass"), audio=False))
QUICK = ResilienceSettings(backoff_first=0.01, backoff_cap=0.02)
ACCOUNT = "ava1.ring.account.ADA"
Ask = Callable[["Caller"], Any]


@dataclass
class Caller:
    """Who calls: one client of either kind, a folder, and what is known of the front door."""

    one: Either
    lab: Lab
    ring: SimulatedRing
    door: str = ""
    moment: int = 0

    def learn(self) -> None:
        """Look up the front door and something that it has seen."""
        self.door = next(one.id for one in self.one.do(lambda c: c.devices.list()) if one.name == "Front Door")
        seen = self.one.do(lambda c: c.history.events(self.door, event_types=["motion"]))
        self.moment = seen[0].start if seen else 0  # of an account that was just linked, nothing before may be had


def me(caller: Caller) -> Any:
    return caller.one.do(lambda c: c.users.me())


def device(caller: Caller) -> Any:
    return caller.one.do(lambda c: c.devices.get(caller.door))


def clip(caller: Caller) -> Any:
    return caller.one.do(lambda c: c.media.clip(caller.door, caller.moment, 5, to=caller.lab.folder / "x.mp4"))


def view(caller: Caller) -> Any:
    session = caller.one.do(lambda c: c.live.open(caller.door, OFFER))
    caller.one.do(lambda c: c.live.close(session))
    return session


def two_views(caller: Caller) -> Any:
    session = caller.one.do(lambda c: c.live.open(caller.door, OFFER))
    try:
        return caller.one.do(lambda c: c.live.open(caller.door, OFFER))
    finally:
        caller.one.do(lambda c: c.live.close(session))


def nonce_twice(caller: Caller) -> Any:
    caller.ring.world.partner.links["ada"].status = "unclaimed"
    nonce = caller.ring.world.partner.send_person()["nonce"]
    caller.one.do(lambda c: c.integrations.confirm(nonce))
    return caller.one.do(lambda c: c.integrations.confirm(nonce))


def six_times(caller: Caller) -> Any:
    """As often as opens the breaker, and once more."""
    for _ in range(8):
        with contextlib.suppress(RingError):
            me(caller)
    return me(caller)


@dataclass(frozen=True)
class PartnerTrouble:
    """A trouble of the Partner API.

    Attributes:
        what: In words.
        code: The fault that is raised, or noted where it is got over.
        ask: What is called.
        on: Switches.
        overcome: Whether the call gets its answer all the same.
        linked: Whether the client has a linked account's pair of tokens; else an access token alone.
        options: Of the call.
        again: What is called afterwards; `None` where the trouble is the call itself.
        wait: Seconds until it may be asked again: those that a refusal named, or that the breaker stays open.
        answers: What answers in Ring's place, by a part of the address.
        given: Settings of how calls survive, in place of the lab's.
    """

    what: str
    code: str
    ask: Ask = me
    on: tuple[str, ...] = ()
    overcome: bool = False
    linked: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    again: Ask | None = me
    wait: float = 0.0
    answers: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)


ONE_TRY = {"retries": 0, "fallback": "never"}
PARTNER_TROUBLES = (
    PartnerTrouble("401, an access token alone", "PARTNER-AUTH", on=("partner-401",), again=None),
    PartnerTrouble("401 without a word", "PARTNER-AUTH", on=("partner-401-empty",), again=None),
    PartnerTrouble("403", "PARTNER-SCOPE", on=("partner-403",)),
    PartnerTrouble("the device was withdrawn", "PARTNER-NOT-FOUND", device, ("partner-no-devices",), again=device),
    PartnerTrouble("the link was revoked", "LINK-LOST", on=("partner-link-lost",), linked=True, again=None),
    PartnerTrouble("token service down", "LINK-UNAVAILABLE", on=("partner-access-ended", "partner-token-503"),
                   linked=True, wait=60.0),
    PartnerTrouble("a hotel's page for tokens", "LINK-ANSWER", on=("partner-access-ended", "partner-token-html"),
                   linked=True, wait=60.0),
    PartnerTrouble("429 with seconds", "PARTNER-RATE", on=("partner-429",), options={"timeout": 2}, wait=3.5),
    PartnerTrouble("429 with a date", "PARTNER-RATE", on=("partner-429-date",), options={"timeout": 2}, wait=4.5),
    PartnerTrouble("429 without a hint", "PARTNER-RATE", on=("partner-429-bare",), options=ONE_TRY, wait=2.0),
    PartnerTrouble("500", "PARTNER-SERVER", on=("partner-500",)),
    PartnerTrouble("502 with a page", "PARTNER-SERVER", on=("partner-502",)),
    PartnerTrouble("503, busy", "PARTNER-UNAVAILABLE", on=("partner-503",)),
    PartnerTrouble("every second call fails", "PARTNER-UNAVAILABLE", on=("partner-flaky",), overcome=True),
    PartnerTrouble("no answer", "CALL-DEADLINE", on=("partner-silent",), options={"timeout": 1.0}),
    PartnerTrouble("cut before the answer", "NET-UNREACHABLE", on=("partner-cut",)),
    PartnerTrouble("cut in the body", "NET-UNREACHABLE", on=("partner-cut-body",)),
    PartnerTrouble("a page of HTML", "PARTNER-ANSWER", on=("partner-html",)),
    PartnerTrouble("half a document", "PARTNER-ANSWER", on=("partner-truncated",)),
    PartnerTrouble("broken compression", "PARTNER-ANSWER", on=("partner-bad-gzip",)),
    PartnerTrouble("the device is offline", "PARTNER-DEVICE-OFFLINE", view, ("partner-offline",), again=view,
                   wait=30.0),
    PartnerTrouble("no footage", "PARTNER-NO-FOOTAGE", clip, ("partner-media-missing",), again=clip),
    PartnerTrouble("footage not ready", "PARTNER-NOT-READY", clip, ("partner-media-early",), options=ONE_TRY,
                   again=clip),
    PartnerTrouble("footage corrupt", "PARTNER-CORRUPT", clip, ("partner-media-corrupt",), again=clip),
    PartnerTrouble("footage encrypted", "PARTNER-ENCRYPTED", clip, ("partner-media-encrypted",), again=clip),
    PartnerTrouble("storage busy", "PARTNER-UNAVAILABLE", clip, ("partner-media-303", "partner-media-busy"),
                   options={"timeout": 5},
                   again=clip),
    PartnerTrouble("two views of one camera", "PARTNER-VIEW-BUSY", two_views, ("partner-view-busy",), again=view),
    PartnerTrouble("a view elsewhere", "PARTNER-ORIGIN", view, ("partner-view-foreign",), again=view),
    PartnerTrouble("a nonce twice", "PARTNER-NONCE", nonce_twice, linked=True, again=None),
    PartnerTrouble("no subscriptions here", "PARTNER-UNPROCESSABLE",
                   lambda caller: caller.one.do(lambda c: c.subscriptions.list()), ("partner-no-subscriptions",)),
    PartnerTrouble("an app that may not unlink", "PARTNER-ONE-WAY",
                   lambda caller: caller.one.do(lambda c: c.integrations.remove()), again=None),
    PartnerTrouble("no id", "PARTNER-ARGUMENT", lambda caller: caller.one.do(lambda c: c.devices.status("")),
                   again=None),
    PartnerTrouble("a service that fails again and again", "CALL-CIRCUIT", six_times, ("partner-500",), options=ONE_TRY,
                   wait=35.0),
)  # fmt: skip


def link_into(store: PairStore, ring: SimulatedRing) -> Stored:
    """Link the simulated account, and keep its tokens."""
    code = ring.world.partner.install()
    form = {"grant_type": "authorization_code", "code": code, "client_id": "sim-client", "client_secret": "sim-secret"}
    granted = httpx2.post(f"{ring.url}/oauth/token", data=form).json()
    now = time.time()
    pair = TokenPair(Secret(granted["access_token"]), Secret(granted["refresh_token"]), now, now + 14_400)
    store.write(ACCOUNT, pair, over=None)
    ring.world.partner.links["ada"].status = "completed"
    return Stored(store, ACCOUNT)


def client_meets(trouble: PartnerTrouble, kind: str) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with crossed() as between:
            return await asyncio.to_thread(_call, lab, between, trouble, kind)

    return run


def _call(lab: Lab, between: Crossed, trouble: PartnerTrouble, kind: str) -> Outcome:
    ring = between.ring
    settings = Settings(
        ring_url=ring.url, state_dir=lab.folder / "state", resilience=QUICK.model_copy(update=trouble.given),
        partner=PartnerSettings(client_id="sim-client", client_secret=Secret("sim-secret")),
    )  # fmt: skip
    tokens: Any = link_into(MemoryPairStore(), ring) if trouble.linked else "sim-token"
    with either(kind, settings=settings, tokens=tokens) as one:
        patient = Caller(one.but(timeout=30.0), lab, ring)  # its gate may be a narrow one
        patient.learn()
        caller = Caller(one, lab, ring, patient.door, patient.moment)
        between.trouble(trouble.on, trouble.answers)
        noted: list[tuple[float, str]] = []
        began = time.monotonic()
        end = one.client.on_event(
            lambda event: noted.append((time.monotonic() - began, event.code))
            if isinstance(event, RetryScheduled) else None
        )  # fmt: skip
        asking = Caller(one.but(**trouble.options) if trouble.options else one, lab, ring, caller.door, caller.moment)
        error: RingError | None = None
        try:
            for _ in range(2 if trouble.overcome else 1):
                trouble.ask(asking)
        except RingError as raised:
            error = raised
        took = time.monotonic() - began
        end()
        if trouble.overcome and error is None and noted:
            at, code = noted[0]
            return Outcome(code, f"{FAULTS[code].title}: it is tried again", at, "by itself", took - at)
        if error is None:
            return Outcome(None, "")
        between.mend()
        if trouble.again is None:
            return Outcome(error.code, str(error), took)
        return _again(caller, trouble, error, took)


def _again(caller: Caller, trouble: PartnerTrouble, error: RingError, took: float) -> Outcome:
    """Ask until it works: as a program would that heeds the pause that the fault names."""
    assert trouble.again is not None
    began = time.monotonic()
    while time.monotonic() < began + trouble.wait + 5:
        try:
            trouble.again(caller)
        except RingError:
            time.sleep(0.2)
        else:
            return Outcome(error.code, str(error), took, "when asked again", time.monotonic() - began)
    return Outcome(error.code, str(error), took, "not yet")


COMMAND_TROUBLES = (
    ("partner-401", "PARTNER-AUTH", ("devices",)), ("partner-403", "PARTNER-SCOPE", ("devices",)),
    ("partner-500", "PARTNER-SERVER", ("devices",)), ("partner-503", "PARTNER-UNAVAILABLE", ("devices",)),
    ("partner-429", "PARTNER-RATE", ("devices",)), ("partner-html", "PARTNER-ANSWER", ("devices",)),
    ("partner-cut", "NET-UNREACHABLE", ("devices",)),
    ("partner-media-missing", "PARTNER-NO-FOOTAGE", ("clip", "Front Door", "x.mp4")),
    ("partner-media-corrupt", "PARTNER-CORRUPT", ("clip", "Front Door", "x.mp4")),
    ("partner-media-encrypted", "PARTNER-ENCRYPTED", ("snapshot", "Front Door", "x.jpg")),
    ("partner-media-early", "PARTNER-NOT-READY", ("clip", "Front Door", "x.mp4")),
)  # fmt: skip


def environment(lab: Lab, ring: SimulatedRing, **given: str) -> dict[str, str]:
    """Return that of somebody who has an app at this Ring."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    return {**kept, "RINGLIGHT_RING_URL": ring.url, "RINGLIGHT_STATE_DIR": str(lab.folder / "state"), "NO_COLOR": "1",
            "COLUMNS": "400", "RINGLIGHT_PARTNER__CLIENT_ID": "sim-client",
            "RINGLIGHT_PARTNER__CLIENT_SECRET": "sim-secret", **given}  # fmt: skip


def command_meets(args: tuple[str, ...], trouble: PartnerTrouble) -> Run:
    """`ringlight partner …`, and once more when the cause is gone; nothing is said of who asked wrongly."""

    async def run(lab: Lab) -> Outcome:
        async with crossed() as between:
            numbers = {f"RINGLIGHT_RESILIENCE__{name.upper()}": str(value) for name, value in trouble.given.items()}
            env = environment(lab, between.ring, **numbers)
            between.trouble(trouble.on, trouble.answers)
            wanted = ("partner", *args, "--access", "-")
            first = await command(*wanted, env=env, cwd=lab.folder, text="sim-token\n")
            assert "Traceback" not in first.err, first.err
            between.mend()
            if trouble.again is None:
                return Outcome(first.code, first.said, first.read_after)
            for name in numbers:
                del env[name]
            again = await command(*wanted, env=env, cwd=lab.folder, text="sim-token\n")
            return first.then(again)

    return run


def partner_cells() -> Iterator[Cell]:
    for trouble in PARTNER_TROUBLES:
        for kind, met in (("sync", Met.SYNC), ("async", Met.ASYNC)):
            yield Cell(
                trouble.code, met, trouble.what, client_meets(trouble, kind), is_quick=trouble.what == "503, busy"
            )
    for switch, code, args in COMMAND_TROUBLES:
        yield Cell(code, Met.COMMAND, f"`partner {args[0]}`: {switch}",
                   command_meets(args, PartnerTrouble(switch, code, on=(switch,))))  # fmt: skip
