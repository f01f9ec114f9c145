"""`audit verify|export`: whether the record of what happened in rooms is whole, and the record for others to read."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from ringlight.cli.output import Config, Json, print_json, result, tell
from ringlight.errors import fault_error
from ringlight.settings import load_settings

if TYPE_CHECKING:
    from ringlight.rooms.audit import AuditKey
    from ringlight.store.audit_rows import AuditRows


def register(app: typer.Typer) -> None:
    """Add the group."""
    audit = typer.Typer(name="audit", help="The record of what happened in rooms.", no_args_is_help=True)
    app.add_typer(audit)

    @audit.command()
    def verify(
        seen: Annotated[
            str | None,
            typer.Option("--seen", metavar="NUMBER:HASH", help="What an earlier run printed, noted elsewhere."),
        ] = None,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Look for rows that were changed, removed, put in another order or cut off; name the first."""
        from ringlight.rooms.audit import judge  # noqa: PLC0415

        noted = None if seen is None else _noted(seen)
        with _opened(config) as (key, rows):
            start = None
            while start != (start := rows.start()):  # again, where a server cut rows off while they were read
                verdict = judge(key, rows.read(), rows.head(), start=start, seen=noted)
        if json:
            print_json(asdict(verdict))
        elif verdict.problem is None:
            result.print(f"{verdict.rows} rows are as they were written.")
            if verdict.rows:
                tell(f"Note this where nobody changes it, for --seen: {verdict.rows}:{verdict.last}")
        if verdict.problem is not None:
            raise fault_error("AUDIT-BROKEN", f"{verdict.problem}; the {verdict.rows} before it are right")

    @audit.command()
    def export(
        fhir: Annotated[bool, typer.Option("--fhir", help="As AuditEvent resources of FHIR R4.")] = False,
        config: Config = None,
    ) -> None:
        """Print all rows, a line of JSON for each. People and rooms are keyed hashes."""
        from ringlight.rooms.audit import as_fhir  # noqa: PLC0415

        with _opened(config) as (_, rows):
            for row in as_fhir(rows.read()) if fhir else map(asdict, rows.read()):
                sys.stdout.write(msgspec.json.encode(row).decode() + "\n")


@contextmanager
def _opened(config: Config) -> "Iterator[tuple[AuditKey, AuditRows]]":
    from ringlight.rooms.audit import AuditKey  # noqa: PLC0415
    from ringlight.store.audit_rows import AuditRows  # noqa: PLC0415
    from ringlight.store.database import database_of  # noqa: PLC0415
    from ringlight.store.own_key import own_key  # noqa: PLC0415
    from ringlight.store.sealing import seal_of  # noqa: PLC0415

    settings = load_settings(config)
    key = AuditKey(settings.secret_key or own_key(settings.state_dir, seal_of(settings)))
    database = database_of(settings)
    try:
        yield key, AuditRows(database, key.hashed, key.seal, key.cut)
    finally:
        database.close()


def _noted(text: str) -> tuple[int, str]:
    number, _, last = text.partition(":")
    if not number.isdigit() or len(last) != 64:
        raise fault_error("REQUEST-INVALID", "--seen: expected NUMBER:HASH, as `audit verify` prints it")
    return int(number), last
