"""`link`: a link to one camera for a time, for somebody who has no key."""

import re
from typing import Annotated, Any

import typer

from ringlight.cli.output import Config, Json, print_json, result, run, tell
from ringlight.cli.views import CameraName
from ringlight.cli.watch import answer_of, server_of
from ringlight.errors import fault_error
from ringlight.http.flow import Request
from ringlight.settings import Settings, load_settings

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
        tell("Whoever has it may watch until it ends; it cannot be taken back.")
        result.print(made["url"])


async def _made(settings: Settings, wanted: dict[str, Any]) -> dict[str, Any]:
    server = server_of(settings)
    made = await answer_of(Request("POST", f"{server}api/links", bearer=settings.secret_key, json=wanted), server)
    if made["url"].startswith("/"):  # the server has not been told its public address
        made["url"] = (settings.public_url or server).rstrip("/") + made["url"]
    return made


def _seconds(text: str) -> float:
    read = re.fullmatch(r"(\d{1,7}(?:\.\d+)?)([smhd])", text)
    if read is None or not 1 <= (seconds := float(read[1]) * _UNITS[read[2]]) <= 31 * 86_400:
        raise fault_error("REQUEST-INVALID", "--for: expected 1h, 30m, 90s or 7d; 31 days at most")
    return seconds
