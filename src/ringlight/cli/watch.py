"""`watch`: the page of the server that runs, on one camera."""

import webbrowser
from typing import Annotated, Any

import typer

from ringlight.cli.output import Config, Json, print_json, result, run, tell
from ringlight.cli.views import CameraName
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.http.address import seen_from_here
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import NotJson, Request, Response
from ringlight.http.serving import Serving
from ringlight.settings import Settings, load_settings


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def watch(
        camera: CameraName,
        browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it, or print it only.")] = True,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Open the page on a camera; `ringlight serve` or `ringlight demo` must run."""
        address = run(_address(load_settings(config), camera))
        if as_json:
            print_json({"url": address})
        else:
            result.print(address)
        if browser and not webbrowser.open(address):
            tell("No browser could be opened here; open the address yourself.")


def server_of(settings: Settings) -> str:
    """Return the address under which the server of the settings is reached from this machine; ends in a slash."""
    return Serving(seen_from_here(settings.server.host), settings.server.port).url


async def _address(settings: Settings, wanted: str) -> str:
    """Return the page's address with the camera in it."""
    server = server_of(settings)
    listed = await answer_of(Request("GET", f"{server}api/cameras", bearer=settings.secret_key), server, "cameras")
    for camera in listed["cameras"]:
        if wanted.casefold() in (camera["id"].casefold(), camera["name"].casefold()):
            return f"{server}#{camera['id']}"
    raise fault_error("CAM-UNKNOWN", f"{wanted!r} is not on {server}")


async def answer_of(request: Request, server: str, *names: str) -> dict[str, Any]:
    """Return what our server answers, as JSON; without one of these names it is another program's.

    Raises:
        RingError: SERVER-GONE, REACH-OTHER, REACH-SCHEME, what is wrong with TLS or the name of its host, or the fault
            that it names.
    """
    async with AsyncDriver(timeout=10) as driver:
        try:
            answer = await driver.send(request)
        except RingError as error:
            raise await _not_reached(error, server) from error
    return read_answer(answer, server, *names)


async def _not_reached(error: RingError, server: str) -> RingError:
    """Say why there was no answer: that the server has stopped is but one reason."""
    if server.startswith("http:") and error.code not in ("NET-DNS", "NET-TIMEOUT"):
        from ringlight.doctor.evidence import read_target  # noqa: PLC0415 - an answer needs no doctor
        from ringlight.doctor.probes.net import speaks_tls  # noqa: PLC0415

        if await speaks_tls(read_target(server)):
            return fault_error("REACH-SCHEME", f"{server} wants TLS: https:{server.removeprefix('http:')}")
    if error.code in ("NET-UNREACHABLE", "NET-TIMEOUT"):
        return fault_error("SERVER-GONE", f"nothing answers at {server} ({error.detail})")
    return error


def read_answer(answer: Response, server: str, *names: str) -> dict[str, Any]:
    """Read what a server has answered, which may be another one than ours.

    Args:
        answer: It.
        server: Where it is from.
        names: What a good answer of ours has.

    Raises:
        RingError: REACH-OTHER, or the fault that it names.
    """
    try:
        found = answer.json()
    except NotJson:
        found = None
    if not isinstance(found, dict):
        raise _another(answer, server)
    if answer.status >= 400:
        code, detail = found.get("code"), found.get("detail")
        if not isinstance(code, str) or code not in FAULTS:
            raise _another(answer, server)
        raise fault_error(code, detail if isinstance(detail, str) else None)
    if not found.keys() >= set(names):
        raise _another(answer, server)
    return found


def _another(answer: Response, server: str) -> RingError:
    return fault_error("REACH-OTHER", f"HTTP {answer.status} at {server}")
