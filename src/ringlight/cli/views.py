"""`snapshot`, `record`, `talk` and `ptz`: one live view from the command line."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ringlight.cameras import Account, Camera
from ringlight.cameras.camera import Still
from ringlight.cameras.shared_view import SharedView
from ringlight.cameras.view import Direction
from ringlight.cli.output import Config, Json, TracePath, print_json, run, tell
from ringlight.errors import fault_error
from ringlight.faults import FAULTS, Retry
from ringlight.liveview.trace import recording
from ringlight.settings import Settings, load_settings

CameraName = Annotated[str, typer.Argument(help="The camera's name or id.", metavar="CAMERA")]


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def snapshot(
        camera: CameraName,
        out: Annotated[Path, typer.Argument(metavar="OUT.jpg")],
        fresh: Annotated[
            bool, typer.Option("--fresh", help="Let the camera take a picture by itself, without a live view.")
        ] = False,
        config: Config = None,
        trace: TracePath = None,
        json: Json = False,
    ) -> None:
        """Take a still of now: opens a live view, keeps one key frame, closes it."""
        run(_snapshot(load_settings(config), camera, out, trace, fresh=fresh, json=json))

    @app.command()
    def ptz(
        camera: CameraName,
        direction: Annotated[Direction, typer.Argument(metavar="left|right|up|down")],
        config: Config = None,
        trace: TracePath = None,
        json: Json = False,
    ) -> None:
        """Turn a camera one step; opens a live view for it."""
        run(_ptz(load_settings(config), camera, direction, trace, json=json))

    @app.command()
    def record(
        camera: CameraName,
        out: Annotated[Path, typer.Argument(metavar="OUT.mp4")],
        seconds: Annotated[
            float, typer.Option("--seconds", min=0, max=86_400, help="How much video; 0 goes on until Ctrl-C.")
        ] = 30,
        faststart: Annotated[
            bool, typer.Option("--faststart", help="Write it once more at the end, with the index first.")
        ] = False,
        sound: Annotated[bool, typer.Option("--sound/--no-sound", help="Keep the sound.")] = True,
        config: Config = None,
        trace: TracePath = None,
        json: Json = False,
    ) -> None:
        """Record to an MP4 file, without transcoding the pictures.

        The file can be played while it grows. Ctrl-C, a full disk and even a kill leave it whole: about the
        last second is missing. Where the camera changes its resolution, OUT-2.mp4 goes on.
        """
        wanted = Wanted(camera, out, seconds or None, faststart=faststart, sound=sound)
        run(_record(load_settings(config), wanted, trace, json=json))

    @app.command()
    def talk(
        camera: CameraName,
        file: Annotated[Path, typer.Argument(metavar="FILE", help="Any file with sound.")],
        config: Config = None,
        trace: TracePath = None,
        json: Json = False,
    ) -> None:
        """Play a sound file through a camera's speaker; opens a live view for it."""
        run(_talk(load_settings(config), camera, file, trace, json=json))


async def _talk(settings: Settings, name: str, file: Path, trace: Path | None, *, json: bool) -> None:
    async with _camera(settings, name, trace) as camera, camera.live_view() as view:
        tell(f"talking to {camera.name}")
        seconds = await view.say(file)
    _done({"file": str(file), "seconds": round(seconds, 2)}, f"{file}: {seconds:.1f} s said", json=json)


async def _ptz(settings: Settings, name: str, direction: Direction, trace: Path | None, *, json: bool) -> None:
    async with _camera(settings, name, trace) as camera:
        turned = await camera.turn(direction)
        said = f"turned {direction}" if turned == "moved" else f"is turned {direction} as far as it goes"
        _done({"camera": camera.id, "result": turned}, f"{camera.name} {said}", json=json)


async def _snapshot(settings: Settings, name: str, out: Path, trace: Path | None, *, fresh: bool, json: bool) -> None:
    async with _camera(settings, name, trace) as camera:
        if fresh:
            still = await camera.fresh_snapshot()
        else:
            async with camera.live_view() as view:
                still = Still(await view.snapshot(), "view")
    picture = still.image
    try:
        await asyncio.to_thread(out.write_bytes, picture)
    except OSError as error:
        raise fault_error("FILE-WRITE", f"{out}: {error.strerror}") from error
    _done({"file": str(out), "bytes": len(picture), "source": still.source}, f"{out}: {len(picture)} bytes", json=json)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A recording as it was asked for; `seconds` is `None` until Ctrl-C."""

    camera: str
    out: Path
    seconds: float | None
    faststart: bool
    sound: bool


async def _record(settings: Settings, wanted: Wanted, trace: Path | None, *, json: bool) -> None:
    stopped = False
    async with _camera(settings, wanted.camera, trace) as camera:
        began = time.monotonic()
        async with camera.live_view() as view:
            length = "until Ctrl-C" if wanted.seconds is None else f"{wanted.seconds:g} s"
            tell(f"{camera.name} answered after {time.monotonic() - began:.1f} s; recording {length}")
            async with view.recorder(
                wanted.out, wanted.seconds, faststart=wanted.faststart, sound=wanted.sound
            ) as recorder:
                try:
                    await view.enough(recorder)
                except asyncio.CancelledError:
                    stopped = True
    made = recorder.progress
    for note in made.notes:
        tell(note)
    files = [str(file) for file in made.files]
    values = {"file": str(wanted.out), "files": files, "seconds": round(made.seconds, 2), "bytes": made.size}
    _done({**values, "lost_frames": made.lost}, f"{', '.join(files)}: {made.seconds:.1f} s of video", json=json)
    if stopped and wanted.seconds is not None:  # Ctrl-C came before its end
        raise asyncio.CancelledError


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
            camera = await account.camera(name)
            telling = asyncio.create_task(_tell_troubles(camera.view), name="troubles")
            try:
                yield camera
            finally:
                telling.cancel()
                await asyncio.wait({telling})


async def _tell_troubles(view: SharedView) -> None:
    """Tell what the view gets over while it opens and runs: a recording may have a gap for it.

    What needs nobody to do anything, as that it goes over TCP, is for the doctor and the page.
    """
    told = 0
    async for progress in view.changes():
        fresh, told = progress.noted - told, progress.noted
        for note in progress.notes[-fresh:] if fresh else ():
            fault = FAULTS.get(note.partition(":")[0])
            if fault is not None and fault.retry is not Retry.NEVER:
                tell(note)
