"""`backup` and `restore`: all that outlives the process, in one file."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import ringlight
from ringlight.cli.output import Config, Json, print_json, tell
from ringlight.settings import Settings, load_settings
from ringlight.store.backup import Contents, back_up
from ringlight.store.backup import restore as put_back
from ringlight.store.database import database_of


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def backup(
        out: Annotated[Path, typer.Argument(metavar="OUT.zip")], config: Config = None, as_json: Json = False
    ) -> None:
        """Copy sign-ins, links, rooms and events into one file. The server may run meanwhile.

        The file holds tokens: keep it as you keep a password. Recordings are files of their own and not in it.
        """
        settings = load_settings(config)
        database = database_of(settings)
        try:
            contents = back_up(out, database, _files(settings), version=ringlight.__version__)
        finally:
            database.close()
        _show(contents, f"{out} holds", as_json=as_json)
        for kept in _elsewhere(settings):
            tell(f"Not in it: the tokens in {kept}.")

    @app.command()
    def restore(
        source: Annotated[Path, typer.Argument(metavar="FILE.zip")],
        replace: Annotated[
            bool, typer.Option("--replace", help="Replace what is there already; it is lost then.")
        ] = False,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Put a copy back, all of it or nothing. Stop the server first.

        It goes to the database that the settings name: so it also moves from SQLite to PostgreSQL.
        """
        settings = load_settings(config)
        database = database_of(settings)
        try:
            contents = put_back(source, database, _files(settings), replace=replace)
        finally:
            database.close()
        _show(contents, "Restored:", as_json=as_json)


def _files(settings: Settings) -> dict[str, Path]:
    from ringlight.store.resealing import secret_files  # noqa: PLC0415

    return {**secret_files(settings), "batteries.json": settings.state_dir / "batteries.json"}


def _elsewhere(settings: Settings) -> list[str]:
    """Return where tokens are that are not copied, without the password of an address."""
    tokens = settings.partner.tokens or ""
    kind = tokens.partition(":")[0] if "://" in tokens or tokens.startswith("keyring:") else ""
    return [f"the store `{kind}:…` of `partner.tokens`"] if kind else []


def _show(contents: Contents, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(contents))
        return
    rows = [f"{count} of {name}" for name, count in contents.rows.items() if count]
    tell(f"{what} {', '.join([*contents.files, *rows]) or 'nothing; there was nothing to copy'}.")
