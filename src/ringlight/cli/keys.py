"""`key add|list|revoke`: keys for others, each for some things and some cameras."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ringlight.cli.output import Config, Json, print_json, result, tell
from ringlight.errors import fault_error
from ringlight.settings import load_settings

if TYPE_CHECKING:
    from ringlight.store.key_rows import KeptKey, KeyRows

DAY = 86_400.0


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(name="key", help="Keys for others, each for some things only.", no_args_is_help=True)
    app.add_typer(group)

    @group.command()
    def add(
        name: Annotated[str, typer.Argument(help="By which you know it.", metavar="NAME")],
        scope: Annotated[
            list[str] | None, typer.Option("--scope", help="view, talk, control, rooms or admin; view if none.")
        ] = None,
        camera: Annotated[
            list[str] | None, typer.Option("--camera", help="Only these cameras, by id (front-door).", metavar="ID")
        ] = None,
        days: Annotated[
            float | None, typer.Option("--days", help="Days until it ends; never if none.", min=0.01)
        ] = None,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Make a key. It is shown this once: only its hash is kept."""
        from ringlight.secrets import Secret  # noqa: PLC0415
        from ringlight.server.rtsp.credentials import digest_of  # noqa: PLC0415
        from ringlight.server.scopes import SCOPES  # noqa: PLC0415
        from ringlight.server.shown import KEY_BEGINS  # noqa: PLC0415
        from ringlight.store.key_rows import KeptKey, hash_of_key  # noqa: PLC0415

        wanted = tuple(one for one in SCOPES if one in (scope or ["view"]))
        wrong = [one for one in scope or () if one not in SCOPES]
        if wrong:
            raise fault_error("REQUEST-INVALID", f"--scope {wrong[0]}: expected one of {', '.join(SCOPES)}")
        if any(not one or " " in one or one != one.lower() for one in camera or ()):
            raise fault_error("REQUEST-INVALID", "--camera: expected the camera's id in addresses, such as front-door")
        key, now = Secret(KEY_BEGINS + secrets.token_urlsafe(32)), time.time()
        ends = None if days is None else now + days * DAY
        cameras = tuple(camera) if camera else None
        kept = KeptKey(
            secrets.token_hex(4), name, hash_of_key(key), wanted, cameras, round(now, 3), ends,
            digest=digest_of(name, key),
        )  # fmt: skip
        with _opened(config) as rows:
            if not rows.add(kept):
                raise fault_error("KEY-NAME", repr(name))
        if json:
            print_json({**_shown(kept), "key": key.reveal()})
        else:
            tell("Note it now: it is not shown again.")
            result.print(key.reveal())

    @group.command("list")
    def listed(config: Config = None, json: Json = False) -> None:
        """List the keys: what each is for, until when, and when it was used last."""
        with _opened(config) as rows:
            found = rows.all()
        if json:
            print_json({"keys": [_shown(one) for one in found]})
        for one in () if json else found:
            about = " ".join(one.scopes) + (f", only {' '.join(one.cameras)}" if one.cameras is not None else "")
            result.print(Text(f"{one.name}: {about}; ends {_day(one.expires)}; last used {_day(one.used_at)}"))
        if not found and not json:
            tell("There are none. Make one with `ringlight key add NAME --scope view`.")

    @group.command()
    def revoke(name: Annotated[str, typer.Argument(help="The key's.", metavar="NAME")], config: Config = None) -> None:
        """Let a key and what was opened with it end, within seconds."""
        with _opened(config) as rows:
            if not rows.revoke(name):
                raise fault_error("KEY-NAME-UNKNOWN", repr(name))
        tell(f"The key {name!r} opens nothing any more.")


def _shown(key: "KeptKey") -> dict[str, object]:
    return {
        "id": key.id, "name": key.name, "scopes": key.scopes, "cameras": key.cameras, "made_at": key.made_at,
        "expires": key.expires, "used_at": key.used_at,
    }  # fmt: skip


def _day(at: float | None) -> str:
    return "never" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


@contextmanager
def _opened(config: Config) -> "Iterator[KeyRows]":
    from ringlight.store.database import database_of  # noqa: PLC0415
    from ringlight.store.key_rows import KeyRows  # noqa: PLC0415

    database = database_of(load_settings(config))
    try:
        yield KeyRows(database)
    finally:
        database.close()
