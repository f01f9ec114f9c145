"""`status`: how the running server does, as a table that stays up to date."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ringlight.cli.output import Config, Json, print_json, result, run
from ringlight.cli.watch import answer_of, server_of
from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Request
from ringlight.settings import Settings, load_settings

MEGABYTE = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def status(
        once: Annotated[bool, typer.Option("--once", help="Show it once, and leave.")] = False,
        every: Annotated[float, typer.Option("--every", help="Seconds between two looks.", min=0.5, max=3600)] = 2.0,
        server: Annotated[
            str | None, typer.Option("--server", help="Its address; the one of the settings if none.", metavar="URL")
        ] = None,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Show how the running server does: cameras, viewers, rooms, accounts, notices, and what waits.

        On a terminal it stays until Ctrl-C. The server is asked with RINGLIGHT_SECRET_KEY, or a key with the scope
        admin in its place.
        """
        settings = load_settings(config)
        place = _place(server) if server is not None else server_of(settings)
        if once or as_json or not result.is_terminal:
            found = run(_asked(settings, place))
            if as_json:
                print_json(found)
            else:
                result.print(shown(found, place))
            return
        run(_watched(settings, place, every))


def shown(found: dict[str, Any], place: str) -> Group:
    """Return what the server said as tables, notices first, since they are why somebody looks."""
    return Group(*_parts(found, place))


async def _asked(settings: Settings, place: str) -> dict[str, Any]:
    asked = Request("GET", f"{place}api/status", bearer=settings.secret_key)
    return await answer_of(asked, place, "process", "viewers", "rooms", "queues")


async def _watched(settings: Settings, place: str, every: float) -> None:
    found = await _asked(settings, place)  # a first question that fails ends the command
    with Live(shown(found, place), console=result, auto_refresh=False, screen=True) as live:
        while True:
            await asyncio.sleep(every)
            try:
                live.update(shown(await _asked(settings, place), place), refresh=True)
            except RingError as error:  # it is restarted, perhaps: then it comes back
                gone = Text(f"{error.code}: {error.fault.title}. Asking again every {every:g} s.", style="bold red")
                live.update(Group(Text(place), gone, Text(error.fix)), refresh=True)


def _place(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise fault_error("REQUEST-INVALID", f"--server {url!r}: expected http://HOST:PORT")
    from ringlight.doctor.evidence import read_target  # noqa: PLC0415 - no other look needs the doctor
    from ringlight.doctor.judging import judge_address  # noqa: PLC0415

    judged = judge_address(read_target(url))
    if judged.code is not None:
        raise fault_error(judged.code, judged.text)
    return f"{url.rstrip('/')}/"


def _parts(found: dict[str, Any], place: str) -> Iterator[Text | Table]:
    process, viewers, rooms, queues = (found[name] for name in ("process", "viewers", "rooms", "queues"))
    memory = process["memory_bytes"]
    size = "" if memory is None else f", {memory / MEGABYTE:.0f} MB"
    took = f"up {_span(found['seconds'])}, {process['cpu_seconds']:.0f} s of the processor{size}"
    yield Text(f"{place}  Ringlight {found['version']}, {found['state']}, {took}", style="bold")
    for one in found["notices"]:
        detail = f" ({one['detail']})" if one.get("detail") else ""
        yield Text(f"! {one['subject']}: {one['code']}: {one['title']}{detail}. {one['fix']}", style="red")
    if found["cameras"]:
        yield _table(("camera", "state", "view", "viewers", "recordings", "battery"), map(_camera, found["cameras"]))
    else:
        yield Text("no cameras")
    yield Text(
        f"viewers: {viewers['webrtc']} by WebRTC, {viewers['players']} players, {viewers['recordings']} recordings"
    )
    states = ", ".join(f"{count} {state}" for state, count in rooms["states"].items())
    yield Text(
        f"rooms: {states}; {rooms['inside']} people inside, {rooms['waiting']} wait, {rooms['sockets']} connections"
    )
    if rooms["shown"]:
        people = ((one["id"], one["state"], str(one["inside"]), str(one["waiting"])) for one in rooms["shown"])
        yield _table(("room", "state", "inside", "wait"), people)
    for one in found["accounts"]:
        yield Text(f"linked account …{one['account']}: {one['state']}")
    hooks = queues["webhooks"]
    told = "" if hooks is None else "; webhooks: " + (", ".join(f"{hooks[name]} {name}" for name in hooks) or "none")
    lost = f" ({queues['room_record_lost']} lost)" if queues["room_record_lost"] else ""
    yield Text(f"waits to be written down: {queues['room_record']}{lost}{told}")


def _camera(one: dict[str, Any]) -> tuple[str, ...]:
    state = one["state"] if one["refusal"] is None else f"{one['state']}, {one['refusal']}"
    battery = "-" if one["battery_percent"] is None else f"{one['battery_percent']} %"
    view = f"{one['view']} ({one['attempt']})" if one["attempt"] > 1 and one["view"] == "opening" else one["view"]
    return one["name"], state, view, str(one["viewers"]), str(one["recordings"]), battery


def _table(heads: tuple[str, ...], rows: "Iterator[tuple[str, ...]]") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # as text: what people named may hold brackets
    return table


def _span(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
