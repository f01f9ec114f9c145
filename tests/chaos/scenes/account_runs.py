"""How a trouble between a person and their Ring is met: by a program, the server, a command, the doctor, the page."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import httpx2
from cells import Lab, Met, Outcome, Run
from cells.command import command
from cells.live_view import ITSELF
from cells.server import read_refusal
from troubles.bent_ring import until

from ringlight.cameras import Account
from ringlight.doctor.checkup import examine
from ringlight.errors import RingError
from ringlight.faults import FAULTS
from ringlight.server.program import run_server
from scenes.account_home import ASKS, Home
from scenes.account_page import PAGE_ASKS, page_reads
from tones import tone


class Befalling(Protocol):
    """What goes wrong: where, what is asked meanwhile, how it begins and ends."""

    @property
    def ask(self) -> str:
        """What is asked, of `ASKS`."""

    @property
    def is_lasting(self) -> bool:
        """Whether there is nothing to come back to."""

    def setting(self, lab: Lab) -> AbstractAsyncContextManager[Home]:
        """Where it happens."""

    async def begin(self, at: Home) -> None:
        """Let it happen."""

    async def end(self, at: Home) -> None:
        """Mend it."""


def account_meets(trouble: Befalling) -> Run:
    """A program asks the client, and asks again once it is mended."""

    async def run(lab: Lab) -> Outcome:
        async with trouble.setting(lab) as at:
            await trouble.begin(at)
            async with Account.open(at.settings) as account:
                ask = ASKS[trouble.ask].account
                began = time.monotonic()
                error = await _error(ask(account, lab.folder))
                named = time.monotonic() - began
                if error is None:
                    return Outcome(None, "", named)
                if trouble.is_lasting:
                    return Outcome(error.code, str(error), named)
                await trouble.end(at)

                async def works() -> bool:
                    return await _error(ask(account, lab.folder)) is None

                return await back_by(error.code, str(error), named, works)

    return run


async def _error(asking: Awaitable[object]) -> RingError | None:
    try:
        await asking
    except RingError as error:
        return error
    return None


async def back_by(code: str | None, said: str, named: float, works: Callable[[], Awaitable[bool]]) -> Outcome:
    """Ask until it works, for as long as somebody would."""
    began = time.monotonic()
    back = await until(works, ITSELF)
    return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)


def api_meets(trouble: Befalling) -> Run:
    """The server is asked, and again once it is mended."""

    async def run(lab: Lab) -> Outcome:
        async with trouble.setting(lab) as at:
            await trouble.begin(at)
            async with (
                Account.open(at.settings) as account, run_server(at.settings, account) as running,
                httpx2.AsyncClient(base_url=running.url, timeout=60) as http,
            ):  # fmt: skip
                ask = ASKS[trouble.ask].api
                began = time.monotonic()
                answer = await ask(http)
                named = time.monotonic() - began
                if answer.status_code < 400:
                    return Outcome(None, answer.text[:100], named)
                code, said = read_refusal(answer)
                if trouble.is_lasting:
                    return Outcome(code, said, named)
                await trouble.end(at)

                async def works() -> bool:
                    return (await ask(http)).status_code < 400

                return await back_by(code, said, named, works)

    return run


def command_meets(trouble: Befalling) -> Run:
    """A command is run, and again once it is mended."""

    async def run(lab: Lab) -> Outcome:
        async with trouble.setting(lab) as at:
            env = at.environment()
            tone(lab.folder / "hello.wav", 440, seconds=0.2)
            await trouble.begin(at)
            args = ASKS[trouble.ask].command
            first = await command(*args, env=env, cwd=lab.folder)
            assert "Traceback" not in first.err, first.err
            if first.status != 1:
                return Outcome(first.code, f"ended with {first.status}: {first.said}", first.read_after)
            if trouble.is_lasting:
                return Outcome(first.code, first.said, first.read_after)
            await trouble.end(at)

            async def works() -> bool:
                return (await command(*args, env=env, cwd=lab.folder)).status == 0

            return await back_by(first.code, first.said, first.read_after, works)

    return run


def doctor_sees(trouble: Befalling) -> Run:
    """The doctor looks, and again once it is mended."""

    async def run(lab: Lab) -> Outcome:
        async with trouble.setting(lab) as at:
            await trouble.begin(at)
            began = time.monotonic()
            first = (await examine(at.settings, ("account",), budget=60.0)).verdict.first
            named = time.monotonic() - began
            if first is None or first.code is None:
                return Outcome(None, "Nothing is wrong as far as this can be seen from here.", named)
            said = f"{first.code}: {FAULTS[first.code].title}. Seen: {first.seen}"
            if trouble.is_lasting:
                return Outcome(first.code, said, named)
            await trouble.end(at)

            async def works() -> bool:
                report = await examine(at.settings, ("account",), budget=60.0)
                return report.verdict.first is None

            return await back_by(first.code, said, named, works)

    return run


def page_meets(trouble: Befalling) -> Run:
    """The page is opened and used, and used again once it is mended."""

    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        async with trouble.setting(lab) as at:
            await trouble.begin(at)
            async with Account.open(at.settings) as account, run_server(at.settings, account) as running:
                page = await lab.chromium.new_page()
                try:
                    asked = PAGE_ASKS[trouble.ask]
                    mend = None if trouble.is_lasting else lambda: trouble.end(at)
                    return await page_reads(page, running.url, asked, mend)
                finally:
                    await page.close()

    return run


RUNS = {
    Met.VIEW: account_meets, Met.API: api_meets, Met.COMMAND: command_meets, Met.DOCTOR: doctor_sees,
    Met.PAGE: page_meets,
}  # fmt: skip
