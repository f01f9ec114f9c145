"""Cells of the command line: each switch, met by `ringlight snapshot`; and how a command of ours is run."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from causes import Trouble
from cells import Back, Cell, Lab, Met, Outcome, Run
from cells.live_view import ENDS_LATER, named_in, of_switches
from ringlight.account import AccountClient
from ringlight.cli.servers import DEMO_DEADLINES
from ringlight.secrets import Secret
from ringlight.settings import load_settings
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing, simulator

RINGLIGHT = Path(sys.executable).with_name("ringlight")


@contextlib.asynccontextmanager
async def signed_in(lab: Lab) -> AsyncIterator[tuple[SimulatedRing, dict[str, str]]]:
    """A simulated Ring, and the environment of somebody who has signed in to it."""
    async with simulator(World()) as ring:
        state = lab.folder / "state"
        settings = load_settings(ring_url=ring.url, state_dir=state)
        ring.world.asks_code = False
        async with AccountClient.open(settings) as account:
            await account.sign_in(ring.world.email, Secret(ring.world.password))
        yield ring, environment(ring.url, state)


def environment(ring_url: str, state: Path) -> dict[str, str]:
    """What a command runs in that has a Ring at this address, its state in this folder, and short deadlines."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    deadlines = {f"RINGLIGHT_LIVE_VIEW__{name.upper()}": str(value) for name, value in DEMO_DEADLINES.items()}
    return {**kept, **deadlines, "RINGLIGHT_STATE_DIR": str(state), "RINGLIGHT_RING_URL": ring_url,
            "NO_COLOR": "1", "COLUMNS": "400"}  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A command that has ended; `read_after` is when the first fault stood on stderr."""

    status: int
    out: str
    err: str
    seconds: float
    read_after: float

    @property
    def code(self) -> str | None:
        return named_in(self.err) or named_in(self.out)

    @property
    def said(self) -> str:
        lines = [line.strip() for line in (*self.err.splitlines(), *self.out.splitlines())]
        first = next((number for number, line in enumerate(lines) if named_in(line)), None)
        return "" if first is None else " ".join(lines[first : first + 3])

    def then(self, again: "Finished") -> Outcome:
        """Return what came of it, where `again` was run once the cause was gone."""
        back: Back = "not yet" if again.status else "when asked again"
        return Outcome(self.code, self.said, self.read_after, back, again.seconds)


async def command(*args: str, env: Mapping[str, str], cwd: Path, text: str = "") -> Finished:
    """Run one of our commands to its end."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        str(RINGLIGHT), *args, env=dict(env), cwd=cwd, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(text.encode())
    process.stdin.close()
    read_after, lines = 0.0, []
    try:
        out = asyncio.create_task(process.stdout.read())
        async for line in process.stderr:
            lines.append(line.decode())
            if not read_after and named_in(lines[-1]):
                read_after = time.monotonic() - began
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    seconds = time.monotonic() - began
    return Finished(status, (await out).decode(), "".join(lines), seconds, read_after or seconds)


def command_meets(trouble: Trouble) -> Run:
    """`ringlight snapshot` of a camera; it is asked for again once the cause is gone."""

    async def run(lab: Lab) -> Outcome:
        async with signed_in(lab) as (ring, env):
            ring.world.switch(list(trouble.on))
            wanted = ("snapshot", "Front Door", "door.jpg")
            first = await command(*wanted, env=env, cwd=lab.folder)
            assert "Traceback" not in first.err, first.err
            if first.status != 1:
                return Outcome(first.code, f"ended with {first.status}: {first.said}", first.read_after)
            ring.world.switch([])
            again = await command(*wanted, env=env, cwd=lab.folder)
            if again.status and trouble.code in NEEDS_SIGN_IN:
                await command(
                    "login", "--email", ring.world.email, env=env, cwd=lab.folder, text=f"{ring.world.password}\n"
                )
                again = await command(*wanted, env=env, cwd=lab.folder)
            return first.then(again)

    return run


NEEDS_SIGN_IN = {"AUTH-LINK-LOST"}

# What a command is told where the page is told something else: it has stored tokens and no password, and its first
# question to Ring is to be known, which has a limit of its own.
COMMAND_IS_TOLD = {"wrong-password": "AUTH-LINK-LOST", "rate-429": "AUTH-RATE", "rate-429-date": "AUTH-RATE"}


def command_cells() -> Iterator[Cell]:
    for trouble in of_switches():
        code = COMMAND_IS_TOLD.get(trouble.what, trouble.code)
        if code is None or trouble.what in ENDS_LATER:
            continue  # what is got over by itself is told on stderr while it records, and not by every switch
        told = Trouble(trouble.what, code, trouble.on)
        yield Cell(code, Met.COMMAND, trouble.what, command_meets(told), is_quick=trouble.what == "expired-ticket")
