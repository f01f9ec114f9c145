"""`secrets init|status|rotate|finish`: the key with which secrets are sealed on the disk."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from ringlight.cli.output import Config, Json, print_json, result, tell
from ringlight.errors import fault_error
from ringlight.settings import Settings, load_settings

if TYPE_CHECKING:
    from ringlight.secrets import Secret
    from ringlight.store.database import Database


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(name="secrets", help="The key that seals secrets on the disk.", no_args_is_help=True)
    app.add_typer(group)

    @group.command()
    def init(config: Config = None) -> None:
        """Make a key file, and seal with it all that is secret in the database and the private files."""
        from ringlight.store.sealing import key_file  # noqa: PLC0415

        settings = load_settings(config)
        if settings.secrets_key or key_file(settings).exists():
            raise fault_error("REQUEST-INVALID", "there is a key already; `ringlight secrets rotate` makes another")
        _write(settings, [_new()])
        _seal_all(settings)
        tell(f"The key is in {key_file(settings)}. Keep a copy apart from your backups: without it they open nothing.")
        tell("Restart what runs.")

    @group.command()
    def status(config: Config = None, json: Json = False) -> None:
        """Say whether secrets are sealed, and where the key is from."""
        from ringlight.store.sealing import key_file, seal_of  # noqa: PLC0415

        settings = load_settings(config)
        seal = seal_of(settings)
        source = "settings" if settings.secrets_key else str(key_file(settings)) if seal else None
        if json:
            print_json({"sealed": seal is not None, "key": seal.current if seal else None, "from": source})
        elif seal is None:
            result.print(
                "Secrets are not sealed: whoever can read the disk can use them. `ringlight secrets init` seals them."
            )
        else:
            result.print(f"Secrets are sealed by the key {seal.current}, from {source}.")

    @group.command()
    def rotate(config: Config = None) -> None:
        """Seal everything anew by a new key. It may be killed and begun again; a server may run meanwhile.

        A key of the settings is changed there first: `RINGLIGHT_SECRETS_KEY=NEW,OLD`.
        """
        from ringlight.store.sealing import key_file, keys_in  # noqa: PLC0415

        settings = load_settings(config)
        if settings.secrets_key is None:
            _write(settings, [_new(), *keys_in(key_file(settings))])
        _seal_all(settings)
        tell("Restart what runs; then `ringlight secrets finish`.")

    @group.command()
    def finish(config: Config = None) -> None:
        """Seal what was written meanwhile, and forget the older keys of the key file."""
        from ringlight.store.sealing import key_file, keys_in  # noqa: PLC0415

        settings = load_settings(config)
        _seal_all(settings)
        if settings.secrets_key is None:
            _write(settings, keys_in(key_file(settings))[:1])
            tell("The older keys are forgotten. Backups that were made with them need them still.")
        else:
            tell("The older keys may leave the settings. Backups that were made with them need them still.")


def _new() -> "Secret":
    from ringlight.secrets import Secret  # noqa: PLC0415

    return Secret(secrets.token_urlsafe(48))


def _write(settings: Settings, keys: "list[Secret]") -> None:
    from ringlight.store.private_file import PrivateFile  # noqa: PLC0415
    from ringlight.store.sealing import key_file  # noqa: PLC0415

    PrivateFile(key_file(settings)).write(lambda: "".join(f"{key.reveal()}\n" for key in keys).encode())


def _seal_all(settings: Settings) -> None:
    from ringlight.store.resealing import reseal, secret_files  # noqa: PLC0415
    from ringlight.store.sealing import seal_of  # noqa: PLC0415

    seal = seal_of(settings)
    if seal is None:
        raise fault_error("CFG-SECRETS-KEY", "there is none; `ringlight secrets init` makes one")
    count = 0
    files = secret_files(settings)
    with _databases(settings) as databases:
        for database in databases:
            count += reseal(database, files, seal)
            files = {}
    tell(f"{count} values were sealed by the key {seal.current}.")


@contextmanager
def _databases(settings: Settings) -> "Iterator[list[Database]]":
    """Open the settings' database, and that of the tokens where they have one of their own."""
    from ringlight.store.database import Database, database_of  # noqa: PLC0415
    from ringlight.store.sealing import seal_of  # noqa: PLC0415

    tokens = settings.partner.tokens or ""
    opened = [database_of(settings), *([Database(tokens, seal_of(settings))] if "://" in tokens else [])]
    try:
        yield opened
    finally:
        for one in opened:
            one.close()
