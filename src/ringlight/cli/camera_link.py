"""`link`: a link to one camera for a time, for somebody who has no key; `links`: those that there are."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ringlight.cli.output import Config, Json, print_json, result, run, tell
from ringlight.cli.views import CameraName
from ringlight.cli.watch import answer_of, server_of
from ringlight.errors import fault_error
from ringlight.http.flow import Request
from ringlight.settings import Settings, load_settings

if TYPE_CHECKING:
    from ringlight.store.camera_link_rows import CameraLinkRows

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def link(
        camera: CameraName,
        life: Annotated[str, typer.Option("--for", help="How long it is good: 90s, 30m, 1h, 7d.")] = "1h",
        talk: Annotated[bool, typer.Option("--talk", help="Let them talk through the camera too.")] = False,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Make a link with which somebody without a key may watch this one camera; `ringlight serve` must run."""
        settings = load_settings(config)
        made = run(_made(settings, {"camera": camera, "seconds": _seconds(life), "talk": talk}))
        if as_json:
            print_json(made)
            return
        tell(f"Whoever has it may watch until it ends. To take it back: ringlight links revoke {made['id']}")
        result.print(made["url"])

    group = typer.Typer(name="links", help="The links to cameras that were made.", no_args_is_help=True)
    app.add_typer(group)

    @group.command("list")
    def listed(config: Config = None, as_json: Json = False) -> None:
        """List the links that are good still."""
        with _opened(config) as rows:
            found = rows.all(time.time())
        if as_json:
            print_json({"links": [asdict(one) for one in found]})
        for one in () if as_json else found:
            ends = datetime.fromtimestamp(one.expires, UTC)
            does = "watch and talk" if one.talk else "watch"
            result.print(Text(f"{one.id}: {one.camera}, to {does}; ends {ends:%Y-%m-%d %H:%M} UTC"))
        if not found and not as_json:
            tell("There are none. Make one with `ringlight link CAMERA --for 1h`.")

    @group.command()
    def revoke(
        link: Annotated[str, typer.Argument(help="The link's, as `ringlight links list` shows it.", metavar="ID")],
        config: Config = None,
    ) -> None:
        """Take a link back. Who watches by it sees nothing more within seconds."""
        with _opened(config) as rows:
            if not rows.revoke(link):
                raise fault_error("KEY-LINK-UNKNOWN", repr(link))
        tell(f"The link {link!r} opens nothing any more.")


@contextmanager
def _opened(config: Config) -> "Iterator[CameraLinkRows]":
    from ringlight.store.camera_link_rows import CameraLinkRows  # noqa: PLC0415
    from ringlight.store.database import database_of  # noqa: PLC0415

    database = database_of(load_settings(config))
    try:
        yield CameraLinkRows(database)
    finally:
        database.close()


async def _made(settings: Settings, wanted: dict[str, Any]) -> dict[str, Any]:
    server = server_of(settings)
    asked = Request("POST", f"{server}api/links", bearer=settings.secret_key, json=wanted)
    made = await answer_of(asked, server, "url")
    if made["url"].startswith("/"):  # the server has not been told its public address
        made["url"] = (settings.public_url or server).rstrip("/") + made["url"]
    return made


def _seconds(text: str) -> float:
    read = re.fullmatch(r"(\d{1,7}(?:\.\d+)?)([smhd])", text)
    if read is None or not 1 <= (seconds := float(read[1]) * _UNITS[read[2]]) <= 31 * 86_400:
        raise fault_error("REQUEST-INVALID", "--for: expected 1h, 30m, 90s or 7d; 31 days at most")
    return seconds
