"""Looks at every secret that is kept, and seals it by the first key: after a change of keys, or where there was none.

It may be killed at any moment, and a server may run meanwhile: each value is changed for itself, if nobody else has,
and says which key it needs.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa

from ringlight.settings import Settings
from ringlight.store import room_tables
from ringlight.store.database import Database
from ringlight.store.private_file import PrivateFile
from ringlight.store.sealing import Seal
from ringlight.store.tables import SealedText

__all__ = ["check", "reseal", "secret_files"]

PATIENCE = 60.0  # seconds for a file that somebody else holds
_TABLES = room_tables.ROOMS.metadata.sorted_tables  # by way of the last module that adds some


def secret_files(settings: Settings) -> dict[str, Path]:
    """Return the private files that hold secrets, by their names in a copy; not all need exist."""
    files = {name: settings.state_dir / name for name in ("tokens.json", "partner-tokens.json", "secret-key")}
    tokens = settings.partner.tokens or ""
    if tokens and "://" not in tokens and not tokens.startswith(("keyring:", "memory:")):
        files["partner-tokens.json"] = Path(tokens)
    return files


def check(database: Database, files: Mapping[str, Path], seal: Seal | None) -> None:
    """See that every secret can be opened.

    Args:
        database: Opened with this seal.
        files: Private files by their names.
        seal: `None` where there is no key.

    Raises:
        SetupError: STORE-SEALED.
        StoreError: STORE-UNREACHABLE or STORE-NEWER.
    """
    with database.reading() as connection:
        for table, column in _sealed():
            for _ in connection.execute(sa.select(column).select_from(table)):
                pass  # a value that cannot be opened raises
    for path in files.values():
        PrivateFile(path, seal).read(bytes)


def reseal(database: Database, files: Mapping[str, Path], seal: Seal) -> int:
    """Seal by the first key what is not; return how many values that were.

    Raises:
        SetupError: STORE-SEALED, a value needs a key that is not there; CFG-STATE-DIR.
        StoreError: STORE-UNREACHABLE or STORE-NEWER.
    """
    count = 0
    for table, column in _sealed():
        raw = sa.type_coerce(column, sa.Text)
        key = list(table.primary_key.columns)
        with database.reading() as connection:
            rows = connection.execute(sa.select(*key, raw).where(column.is_not(None))).all()
        for *names, kept in rows:
            if not seal.needs_closing(kept):
                continue
            place = f"{table.name}.{column.name}"
            here = sa.and_(raw == kept, *(one == name for one, name in zip(key, names, strict=True)))
            closed = sa.literal(seal.close(seal.open(kept, place), place), sa.Text)
            with database.writing() as connection:
                count += connection.execute(sa.update(table).where(here).values({column.name: closed})).rowcount
    for path in files.values():
        file = PrivateFile(path, seal)
        with file.lock(PATIENCE):
            count += file.reseal()
    if count:
        database.compact()  # else what was there before could still be read in the file
    return count


def _sealed() -> Iterator[tuple[sa.Table, sa.Column[str]]]:
    for table in _TABLES:
        for column in table.columns:
            if isinstance(column.type, SealedText):
                yield table, column
