"""The keys that were given to others, as rows of the database. A key itself is nowhere, only its hash."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ringlight.secrets import Secret
from ringlight.store.database import Database
from ringlight.store.tables import ACCESS_KEYS, insert

__all__ = ["KeptKey", "KeyRows", "hash_of_key"]


def hash_of_key(key: Secret) -> str:
    """Return what is kept of a key. It is 32 bytes of chance: a slow hash would add nothing."""
    return hashlib.sha256(key.reveal().encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What is kept of a key.

    Attributes:
        id: Stands for it in sessions and in the audit.
        name: By which its owner knows it.
        hash: Of the key.
        scopes: What it is for.
        cameras: Ids of the cameras that it is limited to; `None` is all.
        made_at: In seconds since 1970, like the others.
        expires: When it ends; `None` is never.
        used_at: When it was used last, to the minute; `None` is never.
        digest: What Digest is worked out from (RFC 7616's H(A1), MD5) with the key's name as the user's: as good as the
            key to whoever has it, for RTSP only. `None` for keys of before there was one.
    """

    id: str
    name: str
    hash: str = field(repr=False)
    scopes: tuple[str, ...]
    cameras: tuple[str, ...] | None
    made_at: float
    expires: float | None = None
    used_at: float | None = None
    digest: Secret | None = None


class KeyRows:
    """The keys. Its methods block; call them in a thread.

    Every method raises `StoreError`: STORE-UNREACHABLE or STORE-NEWER.

    Args:
        database: Where; whoever opened it closes it.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, key: KeptKey) -> bool:
        """Keep a new key; `False` where there is one of this name, and nothing was changed."""
        cameras = None if key.cameras is None else " ".join(key.cameras)
        row = {
            "id": key.id, "name": key.name, "hash": key.hash, "scopes": " ".join(key.scopes), "cameras": cameras,
            "made_at": key.made_at, "expires": key.expires, "used_at": key.used_at,
            "digest": None if key.digest is None else key.digest.reveal(),
        }  # fmt: skip
        with self.database.writing() as connection:
            new = insert(connection, ACCESS_KEYS).values(row).on_conflict_do_nothing(index_elements=["name"])
            return connection.execute(new.returning(ACCESS_KEYS.c.id)).first() is not None

    def all(self) -> list[KeptKey]:
        """Return all keys, by name."""
        with self.database.reading() as connection:
            return [_key(row) for row in connection.execute(sa.select(ACCESS_KEYS).order_by(ACCESS_KEYS.c.name))]

    def by_hash(self, hash: str) -> KeptKey | None:  # noqa: A002 - the field's own word
        """Return the key that has this hash."""
        return self._one(ACCESS_KEYS.c.hash == hash)

    def by_id(self, id: str) -> KeptKey | None:  # noqa: A002 - as above
        """Return the key that has this id."""
        return self._one(ACCESS_KEYS.c.id == id)

    def by_name(self, name: str) -> KeptKey | None:
        """Return the key that has this name."""
        return self._one(ACCESS_KEYS.c.name == name)

    def used(self, id: str, now: float) -> None:  # noqa: A002 - as above
        """Note that a key was used."""
        with self.database.writing() as connection:
            connection.execute(sa.update(ACCESS_KEYS).where(ACCESS_KEYS.c.id == id).values(used_at=now))

    def revoke(self, name: str) -> bool:
        """Forget a key; `False` where there is none of this name."""
        with self.database.writing() as connection:
            return connection.execute(sa.delete(ACCESS_KEYS).where(ACCESS_KEYS.c.name == name)).rowcount > 0

    def _one(self, here: Any) -> KeptKey | None:
        with self.database.reading() as connection:
            row = connection.execute(sa.select(ACCESS_KEYS).where(here)).one_or_none()
        return None if row is None else _key(row)


def _key(row: Any) -> KeptKey:
    cameras = None if row.cameras is None else tuple(row.cameras.split())
    return KeptKey(
        row.id, row.name, row.hash, tuple(row.scopes.split()), cameras, row.made_at, row.expires, row.used_at,
        None if row.digest is None else Secret(row.digest),
    )  # fmt: skip
