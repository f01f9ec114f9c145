"""`light`, `siren`, `history` and `download`: what a camera can do without a live view."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from ringlight.account.control import SIREN_LONGEST
from ringlight.account.events import CameraEvent
from ringlight.cameras import Account
from ringlight.cli.output import Config, Json, downloading, print_json, result, run, tell
from ringlight.cli.views import CameraName
from ringlight.settings import Settings, load_settings

Switch = Literal["on", "off"]
State = Annotated[Switch, typer.Argument(metavar="on|off")]
KINDS = {"ding": "bell", "on_demand": "live view"}


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def light(camera: CameraName, state: State, config: Config = None, json: Json = False) -> None:
        """Switch a camera's light."""
        run(_light(load_settings(config), camera, state, json=json))

    @app.command()
    def siren(
        camera: CameraName,
        state: State,
        seconds: Annotated[
            int, typer.Option("--seconds", min=1, max=SIREN_LONGEST, help="How long it sounds; it ends by itself.")
        ] = 30,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Sound a camera's siren, or silence it. It is loud; nobody is asked again."""
        run(_siren(load_settings(config), camera, state, seconds, json=json))

    @app.command()
    def history(
        camera: CameraName,
        limit: Annotated[int, typer.Option("--limit", min=1, help="How many events at most.", metavar="N")] = 20,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """List what a camera has seen, newest first: time, kind, whether there is a recording, the event's id."""
        run(_history(load_settings(config), camera, limit, json=json))

    @app.command()
    def download(
        camera: CameraName,
        event: Annotated[str, typer.Argument(help="The event's id, as `ringlight history` lists it.", metavar="EVENT")],
        out: Annotated[Path, typer.Argument(metavar="OUT.mp4")],
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Save the recording of an event; where the line is cut it goes on from there."""
        run(_download(load_settings(config), camera, event, out, json=json))


async def _light(settings: Settings, name: str, state: Switch, *, json: bool) -> None:
    async with Account.open(settings) as account:
        camera = await account.camera(name)
        await camera.set_light(state == "on")
    if json:
        print_json({"camera": camera.id, "light": state})
    else:
        tell(f"{camera.name}: the light is {state}")


async def _siren(settings: Settings, name: str, state: Switch, seconds: int, *, json: bool) -> None:
    async with Account.open(settings) as account:
        camera = await account.camera(name)
        await camera.set_siren(state == "on", seconds=seconds)
    sounds = seconds if state == "on" else 0
    if json:
        print_json({"camera": camera.id, "siren": state, "seconds": sounds})
    else:
        tell(f"{camera.name}: the siren sounds for {sounds} s" if sounds else f"{camera.name}: the siren is silent")


async def _history(settings: Settings, name: str, limit: int, *, json: bool) -> None:
    async with Account.open(settings) as account:
        camera = await account.camera(name)
        events = [event async for event in camera.history(limit=limit)]
    if json:
        print_json({"camera": camera.id, "events": [event.shown() for event in events]})
        return
    if not events:
        tell(f"{camera.name} has seen nothing, as far as Ring remembers.")
        return
    table = Table("time", "kind", "recording", "event", box=None, pad_edge=False)
    for event in events:
        table.add_row(_time(event), _kind(event), _recorded(event), event.id)
    result.print(table)


async def _download(settings: Settings, name: str, event: str, out: Path, *, json: bool) -> None:
    async with Account.open(settings) as account:
        camera = await account.camera(name)
        with downloading() as progress:
            length = await camera.download(event, out, progress=progress)
    if json:
        print_json({"camera": camera.id, "event": event, "file": str(out), "bytes": length})
    else:
        tell(f"{out}: {length} bytes")


def _time(event: CameraEvent) -> str:
    if event.at is None:
        return "unknown"
    return datetime.fromtimestamp(event.at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _kind(event: CameraEvent) -> str:
    return KINDS.get(event.kind, event.kind) + (", person" if event.person else "")


def _recorded(event: CameraEvent) -> str:
    return {True: "yes", False: "no", None: "unknown"}[event.has_recording]
