"""`snapshot` and `record`: one live view from the command line."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from ringlight.cameras import Account, Camera
from ringlight.cameras.view import Direction
from ringlight.cli.output import Config, Json, TracePath, print_json, run, tell
from ringlight.errors import fault_error
from ringlight.liveview.trace import recording
from ringlight.settings import Settings, load_settings

CameraName = Annotated[str, typer.Argument(help="The camera's name or id.", metavar="CAMERA")]


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def snapshot(
        camera: CameraName,
        out: Annotated[Path, typer.Argument(metavar="OUT.jpg")],
        config: Config = None,
        trace: TracePath = None,
        json: Json = False,
    ) -> None:
        """Take a still of now: opens a live view, keeps one key frame, closes it."""
        run(_snapshot(load_settings(config), camera, out, trace, json=json))

    @app.command()
    def ptz(
        camera: CameraName,
        direction: Annotated[Direction, typer.Argument(metavar="left|right|up|down")],
        config: Config = None,
        trace: TracePath = None,
    ) -> None:
        """Turn a camera one step; opens a live view for it."""
        run(_ptz(load_settings(config), camera, direction, trace))

    @app.command()
    def record(
        camera: CameraName,
        out: Annotated[Path, typer.Argument(metavar="OUT.mp4")],
        seconds: Annotated[float, typer.Option("--seconds", min=1, max=600, help="How much video.")] = 30,
        config: Config = None,
        trace: TracePath = None,
        json: Json = False,
    ) -> None:
        """Record video to an MP4 file, without transcoding."""
        run(_record(load_settings(config), camera, out, seconds, trace, json=json))


async def _ptz(settings: Settings, name: str, direction: Direction, trace: Path | None) -> None:
    async with _camera(settings, name, trace) as camera:
        await camera.turn(direction)
        tell(f"{camera.name} turned {direction}")


async def _snapshot(settings: Settings, name: str, out: Path, trace: Path | None, *, json: bool) -> None:
    async with _camera(settings, name, trace) as camera, camera.live_view() as view:
        picture = await view.snapshot()
    try:
        await asyncio.to_thread(out.write_bytes, picture)
    except OSError as error:
        raise fault_error("FILE-WRITE", f"{out}: {error.strerror}") from error
    _done({"file": str(out), "bytes": len(picture)}, f"{out}: {len(picture)} bytes", json=json)


async def _record(settings: Settings, name: str, out: Path, seconds: float, trace: Path | None, *, json: bool) -> None:
    async with _camera(settings, name, trace) as camera:
        began = time.monotonic()
        async with camera.live_view() as view:
            tell(f"{camera.name} answered after {time.monotonic() - began:.1f} s; recording {seconds:g} s")
            length = await view.record(out, seconds=seconds)
    _done({"file": str(out), "seconds": round(length, 2)}, f"{out}: {length:.1f} s of video", json=json)


def _done(values: dict[str, object], sentence: str, *, json: bool) -> None:
    if json:
        print_json(values)
    else:
        tell(sentence)


@contextlib.asynccontextmanager
async def _camera(settings: Settings, name: str, trace: Path | None) -> AsyncIterator[Camera]:
    with recording(trace) as record:
        async with Account.open(settings) as account:
            account.trace = record
            yield await account.camera(name)
