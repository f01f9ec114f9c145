"""Runs checks: those that need nothing of one another at once, and what needs a failed one not at all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ringlight.doctor.findings import Finding, Mark, Seen, failed, fault, skipped
from ringlight.errors import RingError

__all__ = ["BUDGET", "Look", "Once", "run_looks"]

T = TypeVar("T")
BUDGET = 9.0  # seconds for a whole run without a camera; ten are promised


class Once(Generic[T]):
    """Evidence that several checks judge: gathered once, by the first that asks."""

    def __init__(self, gather: Callable[[], Awaitable[T]]) -> None:
        self._gather = gather
        self._task: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Return the evidence."""
        if self._task is None:
            self._task = asyncio.ensure_future(_awaited(self._gather()))
        return await asyncio.shield(self._task)


async def _awaited(work: Awaitable[T]) -> T:
    return await work


@dataclass(frozen=True, slots=True)
class Look:
    """One check of one subject.

    Attributes:
        check: A key of `CHECKS`.
        look: Gathers the evidence and judges it.
        subject: What it is about; empty for this machine or account.
        needs: Names of checks of the same run, `check` or `check subject`, without which it says nothing.
        patient: Whether it may take longer than the whole run else may: a camera has to wake up.
    """

    check: str
    look: Callable[[], Awaitable[Seen]]
    subject: str = ""
    needs: tuple[str, ...] = ()
    patient: bool = False

    @property
    def name(self) -> str:
        """How others refer to it."""
        return f"{self.check} {self.subject}".strip()


async def run_looks(looks: Sequence[Look], budget: float = BUDGET) -> list[Finding]:
    """Run all, and return their findings in the order in which they were given."""
    until = asyncio.get_running_loop().time() + budget
    running: dict[str, asyncio.Task[Finding]] = {}
    for look in looks:  # what a check needs comes before it
        needed = {name: running[name] for name in look.needs if name in running}
        running[look.name] = asyncio.create_task(_run(look, needed, until), name=f"doctor: {look.name}")
    try:
        return list(await asyncio.gather(*running.values()))
    except asyncio.CancelledError:
        for task in running.values():
            task.cancel()
        await asyncio.wait(running.values())
        raise


async def _run(look: Look, needed: dict[str, "asyncio.Task[Finding]"], until: float) -> Finding:
    for name, task in needed.items():
        finding = await task
        if finding.mark in (Mark.FAULT, Mark.SKIPPED):
            named = finding.check if finding.subject == look.subject else name
            return _finding(look, skipped(f"not looked at, because of: {named}"))
    return _finding(look, await _judged(look, until))


async def _judged(look: Look, until: float) -> Seen:
    try:
        async with asyncio.timeout_at(None if look.patient else until):
            return await look.look()
    except TimeoutError:
        return fault("NET-TIMEOUT", "it did not end in the time that the whole run has")
    except RingError as error:
        return failed(error)
    except PermissionError as error:
        return fault("REACH-SANDBOX", error.strerror or str(error))
    except OSError as error:
        return fault("NET-UNREACHABLE", error.strerror or str(error))


def _finding(look: Look, seen: Seen) -> Finding:
    return Finding(look.check, seen.mark, seen.text, seen.code, look.subject)
