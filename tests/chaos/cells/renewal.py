"""Cells of tokens that cannot be renewed: met by the SDK, a command, the server's API and the doctor."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scenes.linked_house import LinkedHouse, linked_house
from troubles.crossed import Crossed, crossed

from both_clients import either
from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command
from cells.doctor import examined
from cells.partner import ACCOUNT, PartnerTrouble, client_meets, environment, link_into
from patients import PARTNER, Patient, says
from ringlight.errors import RingError
from ringlight.partner import Stored
from ringlight.partner.setup import store_of
from ringlight.secrets import Secret
from ringlight.settings import PartnerSettings, Settings, load_settings
from ringlight.store.pairs import MemoryPairStore

REFUSED = {"/oauth/token": says(401, {"error": "invalid_client"})}  # the app is not known by this secret
ENDED = ("partner-access-ended",)


@dataclass(frozen=True)
class Renewal:
    """A renewal that fails.

    Attributes:
        code: The fault.
        what: In words.
        on: Switches.
        answers: What answers in Ring's place.
        is_final: Whether nothing brings the link back.
        sdk: Whether the clients of the SDK meet it here; else they do in another group.
    """

    code: str
    what: str
    on: tuple[str, ...] = ENDED
    answers: dict[str, Any] = field(default_factory=dict)
    is_final: bool = False
    sdk: bool = False


RENEWALS = (
    Renewal("LINK-LOST", "the link was revoked", ("partner-link-lost",), is_final=True),
    Renewal("LINK-UNAVAILABLE", "the token service is down", (*ENDED, "partner-token-503")),
    Renewal("LINK-ANSWER", "a hotel's page for tokens", (*ENDED, "partner-token-html")),
    Renewal("LINK-REFUSED", "the app's secret is another one", answers=REFUSED, sdk=True),
)


def keep_pair(lab: Lab, between: Crossed) -> None:
    state = load_settings(state_dir=lab.folder / "state")
    with contextlib.closing(store_of(state)) as store:
        link_into(store, between.ring)


def command_renews(renewal: Renewal) -> Run:
    """`ringlight partner devices` of a linked account."""

    async def run(lab: Lab) -> Outcome:
        async with crossed() as between:
            await asyncio.to_thread(keep_pair, lab, between)
            between.trouble(renewal.on, renewal.answers)
            env = environment(lab, between.ring)
            first = await command("partner", "devices", env=env, cwd=lab.folder)
            assert "Traceback" not in first.err, first.err
            between.mend()
            if renewal.is_final:
                return Outcome(first.code, first.said, first.read_after)
            again = await command("partner", "devices", env=env, cwd=lab.folder)
            return first.then(again)

    return run


def api_renews(renewal: Renewal) -> Run:
    """`GET /api/cameras` of a server whose linked account cannot be asked."""

    async def run(lab: Lab) -> Outcome:
        async with crossed() as between:
            await asyncio.to_thread(keep_pair, lab, between)
            async with linked_house(lab, between, partner=PARTNER) as house:
                between.trouble(renewal.on, renewal.answers)
                began = time.monotonic()
                problem = (await house.http.get("api/cameras")).json()
                named = time.monotonic() - began
                said = f"{problem.get('title')}. {problem.get('cause')}"
                between.mend()
                if renewal.is_final:
                    return Outcome(problem.get("code"), said, named)
                return await _until_good(Outcome(problem.get("code"), said, named), house, "api/cameras", 70.0)

    return run


async def _until_good(first: Outcome, house: LinkedHouse, path: str, within: float) -> Outcome:
    began, back = time.monotonic(), False
    while not back and time.monotonic() < began + within:
        back = (await house.http.get(path)).status_code == 200
        await asyncio.sleep(0.0 if back else 0.2)
    return Outcome(first.code, first.said, first.named_after, "when asked again" if back else "not yet",
                   time.monotonic() - began)  # fmt: skip


def doctor_renews(renewal: Renewal) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with crossed() as between:
            await asyncio.to_thread(keep_pair, lab, between)
            known = load_settings(
                ring_url=between.ring.url, state_dir=lab.folder / "state", server={"port": 0}, partner=PARTNER
            )
            between.trouble(renewal.on, renewal.answers)
            return await examined(Patient(known, ("partner",)))

    return run


def nobody_is_linked(kind: str) -> Run:
    """A client with a store that has no tokens; then the account is linked."""

    def ask(lab: Lab, between: Crossed) -> Outcome:
        store = MemoryPairStore()
        settings = Settings(
            ring_url=between.ring.url, state_dir=lab.folder / "state",
            partner=PartnerSettings(client_id="sim-client", client_secret=Secret("sim-secret")),
        )  # fmt: skip
        with either(kind, settings=settings, tokens=Stored(store, ACCOUNT)) as one:
            began = time.monotonic()
            try:
                one.do(lambda c: c.users.me())
            except RingError as error:
                code, said, named = error.code, str(error), time.monotonic() - began
            else:
                return Outcome(None, "")
            link_into(store, between.ring)
            began = time.monotonic()
            while time.monotonic() < began + 20.0:  # after a renewal that failed there is a pause
                try:
                    one.do(lambda c: c.users.me())
                except RingError:
                    time.sleep(0.2)
                else:
                    return Outcome(code, said, named, "when asked again", time.monotonic() - began)
            return Outcome(code, said, named, "not yet")

    async def run(lab: Lab) -> Outcome:
        async with crossed() as between:
            return await asyncio.to_thread(ask, lab, between)

    return run


def renewal_cells() -> Iterator[Cell]:
    for renewal in RENEWALS:
        trouble = PartnerTrouble(renewal.what, renewal.code, on=renewal.on, answers=renewal.answers, linked=True,
                                 wait=60.0)  # fmt: skip
        for kind, met in (("sync", Met.SYNC), ("async", Met.ASYNC)):
            if renewal.sdk:
                yield Cell(renewal.code, met, renewal.what, client_meets(trouble, kind))
        yield Cell(renewal.code, Met.COMMAND, f"`partner devices`: {renewal.what}", command_renews(renewal))
        yield Cell(renewal.code, Met.API, f"cameras: {renewal.what}", api_renews(renewal))
        yield Cell(renewal.code, Met.DOCTOR, renewal.what, doctor_renews(renewal))
    for kind, met in (("sync", Met.SYNC), ("async", Met.ASYNC)):
        yield Cell("LINK-NONE", met, "a store without tokens", nobody_is_linked(kind))
