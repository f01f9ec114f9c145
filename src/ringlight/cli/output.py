"""How commands speak: results on stdout, the story and faults on stderr, an exit code for each end."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from ringlight.cli.logs import LOG
from ringlight.errors import RingError, SetupError, UsageError
from ringlight.http.names import Resolving

if TYPE_CHECKING:
    from ringlight.cameras.download import Progressed

T = TypeVar("T")
SAME_PRESS = 1.0  # seconds in which another Ctrl-C only repeats the first; a later one ends what does not close
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file.", metavar="FILE")]
TracePath = Annotated[
    Path | None,
    typer.Option("--trace", help="Record every signaling message: no secrets, but network addresses.", metavar="FILE"),
]

# No markup: what Ring and its users named may hold brackets.
story = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
result = Console(highlight=False, soft_wrap=True, markup=False)


def tell(text: str) -> None:
    """Say something on stderr."""
    if LOG.is_json:
        LOG.say(logging.INFO, text)
    else:
        story.print(Text(text))


def print_json(value: Any) -> None:
    """Print a result as JSON on stdout; where that cannot hold every letter, as escapes that programs read alike."""
    has_all = (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=not has_all) + "\n")


def show_fault(error: RingError) -> None:
    """Show what happened, why, and what to do: the code on the first line, the fix on the last."""
    fault = error.fault
    text = Text(f"{fault.code}: {fault.title}", style="bold red")
    story.print(text)
    if error.detail:
        story.print(Text(f"  seen   {error.detail}"))
    story.print(Text(f"  cause  {fault.cause}"))
    story.print(Text(f"  fix    {fault.fix}"))


def fail(error: RingError) -> NoReturn:
    """Show the fault and leave: 2 for a wrong set-up or use in one line, 1 for anything else."""
    is_wrong_use = isinstance(error, SetupError | UsageError)
    if LOG.is_json:
        fault = error.fault.as_dict(error.detail)
        LOG.say(logging.ERROR, f"{error.code}: {error.fault.title}", **fault)
        raise SystemExit(2 if is_wrong_use else 1)
    if is_wrong_use:
        detail = f" ({error.detail})" if error.detail else ""
        tell(f"{error.code}: {error.fault.title}{detail}. {error.fix}")
        raise SystemExit(2)
    show_fault(error)
    raise SystemExit(1)


@contextlib.contextmanager
def downloading() -> "Iterator[Progressed | None]":
    """Show how a download goes, on a terminal only."""
    if not story.is_terminal:
        yield None
        return
    from rich.progress import (  # noqa: PLC0415 - only a terminal needs it
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn("downloading"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=story, transient=True) as bar:
        task = bar.add_task("download", total=None)

        def progress(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield progress


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; SIGTERM and Ctrl-C let it close what it has open, then leave with 130."""
    try:
        if os.name != "nt":
            import uvloop  # noqa: PLC0415

            class Loop(Resolving, uvloop.Loop):  # type: ignore[misc]  # the two stubs of it differ
                """One that ends although a DNS server is still waited for."""

            return uvloop.run(_stoppable(work), loop_factory=Loop)
        return asyncio.run(_stoppable(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        tell("Stopped.")
        raise SystemExit(130) from None


async def _stoppable(work: Coroutine[Any, Any, T]) -> T:
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
    stopping, pressed = False, float("inf")

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            task.cancel()

    def press() -> None:
        nonlocal pressed
        stop()
        if loop.time() > pressed + SAME_PRESS:
            raise KeyboardInterrupt
        pressed = min(pressed, loop.time())

    with contextlib.suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGTERM, stop)
        # A shell starts what it runs in the background with SIGINT ignored, and scripts send it all the same.
        loop.add_signal_handler(signal.SIGINT, press)
    return await task
