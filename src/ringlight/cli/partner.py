"""`partner token|devices|events|clip|snapshot`: Ring's official Partner API from the command line."""

import sys
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ringlight.cli import linking, webhooks
from ringlight.cli.output import Config, Json, downloading, print_json, result, tell
from ringlight.errors import RingError, fault_error
from ringlight.http.sync_driver import SyncDriver
from ringlight.partner import Client, plain
from ringlight.partner.devices import Device
from ringlight.partner.download import Saved
from ringlight.partner.history import Event
from ringlight.partner.keeping import LinkKeeper, moment
from ringlight.partner.link import Link
from ringlight.partner.setup import store_of
from ringlight.partner.token_calls import App, Grant, ask, code_exchange
from ringlight.secrets import Secret
from ringlight.settings import Settings, load_settings

DeviceName = Annotated[str, typer.Argument(help="The device's name or id.", metavar="DEVICE")]
Access = Annotated[
    str | None,
    typer.Option(
        "--access", metavar="TOKEN", help="Use this access token alone, as the Playground gives; - reads it from stdin."
    ),
]
At = Annotated[
    datetime | None,
    typer.Option("--at", help="When, as 2026-11-21T10:00:00 of this machine's time; else the last event's.",
                 formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]),
]  # fmt: skip
WITH_FOOTAGE = ("motion", "ding")


def _group(app: typer.Typer) -> typer.Typer:
    group = typer.Typer(
        name="partner", help="Ring's official Partner API.", no_args_is_help=True, rich_markup_mode=None
    )
    app.add_typer(group)
    webhooks.register(group)
    linking.register(group)
    return group


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = _group(app)

    @group.command()
    def token(
        access: Access = None,
        code: Annotated[
            str | None,
            typer.Option("--code", help="Exchange this code for the first pair and keep it; - reads it from stdin."),
        ] = None,
        account: Annotated[str | None, typer.Option("--account", help="Ring's id of the account of the code.")] = None,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Say what tokens are kept and when they end, without showing them.

        With --access a token is tried and not kept; with --code an account is linked.
        """
        settings = load_settings(config)
        if code is not None:
            _link(settings, Secret(_read(code)), account, json=json)
        elif access is not None:
            _try(settings, access, json=json)
        else:
            _kept(settings, json=json)

    @group.command()
    def devices(access: Access = None, config: Config = None, json: Json = False) -> None:
        """List the devices that are shared with the app: name, state, battery, id."""
        with _client(load_settings(config), access) as ring:
            found = ring.devices.list(include=["status"])
        if json:
            print_json({"devices": [_device(device) for device in found], "age": _age(found)})
            return
        table = Table("name", "state", "battery", "id", box=None, pad_edge=False)
        for device in found:
            row = _device(device)
            table.add_row(row["name"], _state(row["online"]), _percent(row["battery"]), row["id"])
        result.print(table)
        for fault in found.faults:
            tell(f"{fault.where}: {fault.error}")
        if found.stale is not None:
            tell(f"This is {found.stale.age:.0f} s old: {found.stale.cause}")

    @group.command()
    def events(
        device: DeviceName,
        limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.", metavar="N")] = 20,
        access: Access = None,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """List what a device has seen, newest first."""
        with _client(load_settings(config), access) as ring:
            found = list(islice(ring.history.events(_named(ring, device).id), limit))
        if json:
            print_json({"events": [_event(event) for event in found]})
            return
        table = Table("time", "kind", "seconds", "event", box=None, pad_edge=False)
        for event in found:
            seconds = _seconds(event)
            kind = ".".join(part for part in (plain(event.event_type), plain(event.sub_type)) if part)
            table.add_row(_time(event), kind or "unknown", "" if seconds is None else f"{seconds:.0f}", event.id)
        result.print(table)

    @group.command()
    def clip(
        device: DeviceName,
        out: Annotated[Path, typer.Argument(metavar="OUT.mp4")],
        at: At = None,
        seconds: Annotated[
            float | None, typer.Option("--seconds", min=0.1, max=900, help="How long; else as long as the event.")
        ] = None,
        sound: Annotated[bool, typer.Option("--sound/--no-sound", help="With sound.")] = True,
        access: Access = None,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Save a clip of what was recorded; where the line is cut it goes on from there."""
        with _client(load_settings(config), access) as ring, downloading() as progress:
            camera = _named(ring, device)
            begin, length = _when(ring, camera, at)
            saved = ring.media.clip(camera.id, begin, seconds or length, to=out, sound=sound, progress=progress)
        _saved(camera, out, saved, json=json)

    @group.command()
    def snapshot(
        device: DeviceName,
        out: Annotated[Path, typer.Argument(metavar="OUT.jpg")],
        at: At = None,
        access: Access = None,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Save a picture of what was recorded; the camera takes none for it."""
        with _client(load_settings(config), access) as ring, downloading() as progress:
            camera = _named(ring, device)
            begin, _ = _when(ring, camera, at)
            saved = ring.media.still(camera.id, begin, to=out, progress=progress)
        _saved(camera, out, saved, json=json)


def _client(settings: Settings, access: str | None) -> Client:
    # A command ends with its fault; a notice would only say it twice.
    quiet = settings.resilience.model_copy(update={"user_notification": False})
    return Client(settings=settings, resilience=quiet, tokens=None if access is None else Secret(_read(access)))


def _read(value: str) -> str:
    return sys.stdin.readline().strip() if value == "-" else value


def _named(ring: Client, name: str) -> Device:
    found = ring.devices.list()
    wanted = name.casefold()
    for device in found:
        if device.id == name or (plain(device.name) or "").casefold() == wanted:
            return device
    there = ", ".join(plain(device.name) or device.id for device in found) or "none"
    raise fault_error("PARTNER-NOT-FOUND", f"shared with the app: {there}")


def _when(ring: Client, camera: Device, at: datetime | None) -> tuple[datetime | int, float]:
    """Return begin and length of what was asked for: of a time, or of the last event with footage."""
    if at is not None:
        return at.astimezone(), 30.0
    for event in ring.history.events(camera.id, event_types=WITH_FOOTAGE):
        start = plain(event.start)
        if start is not None:
            return start, min(_seconds(event) or 30.0, 900.0)
    raise fault_error("PARTNER-NO-FOOTAGE", "the device has seen nothing, as far as Ring remembers")


def _saved(camera: Device, out: Path, saved: Saved, *, json: bool) -> None:
    if json:
        print_json({"device": camera.id, "file": str(out), "bytes": saved.size, "partial": saved.is_partial})
    else:
        tell(f"{out}: {saved.size} bytes{', of part of the time' if saved.is_partial else ''}")


def _link(settings: Settings, code: Secret, account: str | None, *, json: bool) -> None:
    ours = settings.partner
    if ours.client_id is None or ours.client_secret is None:
        raise fault_error("CFG-INVALID", "partner.client_id and partner.client_secret are needed")
    app = App(ours.client_id, ours.client_secret)
    with closing(store_of(settings)) as store, SyncDriver(base_url=settings.ring_url) as driver:
        sent = moment()
        grant = driver.run(ask(code_exchange(app, code)))
        name = account or _owner(settings, grant)
        bearer = LinkKeeper(Link(name, app), store, lambda call: driver.run(ask(call))).adopt(grant, sent)
    if json:
        print_json({"account": name, "pair": bearer.id})
    else:
        tell(f"{name} is linked")


def _owner(settings: Settings, grant: Grant) -> str:
    """Ask whose the pair is. It is spent on nothing yet, and lost if it is not kept, so an answer must do."""
    try:
        with Client(settings=settings, tokens=grant.access) as ring:
            return ring.users.me().id
    except RingError as error:
        tell(f"Ring does not say whose account it is ({error.code}): it is kept as `unknown`.")
        return "unknown"


def _try(settings: Settings, access: str, *, json: bool) -> None:
    with _client(settings, access) as ring:
        user = ring.users.me()
    if json:
        print_json({"account": user.id, "kept": False})
    else:
        tell(f"Ring takes the token, for {user.id}. It is not kept: give it to each command, or to the settings.")


def _kept(settings: Settings, *, json: bool) -> None:
    with closing(store_of(settings)) as store:
        pairs = [(account, store.read(account)) for account in store.accounts()]
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = [
        {
            "account": account, "pair": pair.generation,
            "access_ends": (ends := datetime.fromtimestamp(pair.expires_at, UTC)).isoformat(timespec="seconds"),
            "access_is_good": ends > now,
            "renewal_was_cut_off": pair.offered_at is not None,
        }
        for account, pair in pairs if pair is not None
    ]  # fmt: skip
    alone = settings.partner.access_token is not None
    if json:
        print_json({"accounts": rows, "access_token_in_settings": alone})
        return
    if alone:
        tell("The settings name an access token; it is used alone.")
    if not rows:
        tell("No account is linked. `ringlight partner token --code CODE` links one.")
        return
    table = Table("account", "pair", "access token", box=None, pad_edge=False)
    for row in rows:
        ends = datetime.fromisoformat(row["access_ends"]).astimezone()
        state = "ends" if row["access_is_good"] else "ended; it is renewed at the next use,"
        table.add_row(row["account"], str(row["pair"]), f"{state} {ends:%Y-%m-%d %H:%M:%S}")
    result.print(table)


def _device(device: Device) -> dict[str, Any]:
    status = plain(device.status)
    battery = None if status is None else plain(status.battery_status)
    level = None if battery is None else battery.percent
    online = None if status is None else plain(status.online)
    return {"id": device.id, "name": plain(device.name) or "", "online": online, "battery": level}


def _event(event: Event) -> dict[str, Any]:
    kinds = {"kind": plain(event.event_type), "sub_kind": plain(event.sub_type)}
    return {"id": event.id, **kinds, "start": plain(event.start), "end": plain(event.end)}


def _seconds(event: Event) -> float | None:
    start, end = plain(event.start), plain(event.end)
    return None if start is None or end is None or end <= start else (end - start) / 1000


def _time(event: Event) -> str:
    return "unknown" if event.started_at is None else event.started_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _state(online: bool | None) -> str:
    return {True: "online", False: "offline", None: "unknown"}[online]


def _percent(level: float | None) -> str:
    return "" if level is None else f"{level:.0f} %"


def _age(found: Any) -> float | None:
    return None if found.stale is None else round(found.stale.age, 1)
