"""The links to cameras that were made, as rows of the database: who takes a row away takes its link back."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ringlight.store.database import Database
from ringlight.store.tables import CAMERA_LINKS

__all__ = ["CameraLinkRows", "KeptCameraLink"]


@dataclass(frozen=True, slots=True)
class KeptCameraLink:
    """What is kept of a link. Its address is nowhere: it is signed, not remembered.

    Attributes:
        id: Stands for it in sessions and in the audit.
        camera: The camera that it is for, by its id in addresses.
        talk: Whether it lets people talk as well.
        made_at: In seconds since 1970.
        expires: When it ends.
    """

    id: str
    camera: str
    talk: bool
    made_at: float
    expires: float


class CameraLinkRows:
    """The links. Its methods block; call them in a thread.

    Every method raises `StoreError`: STORE-UNREACHABLE or STORE-NEWER.

    Args:
        database: Where; whoever opened it closes it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, link: KeptCameraLink) -> None:
        """Keep a new link, and forget those that have ended before it was made."""
        row = {
            "id": link.id, "camera": link.camera, "talk": link.talk, "made_at": link.made_at, "expires": link.expires,
        }  # fmt: skip
        with self._database.writing() as connection:
            connection.execute(sa.delete(CAMERA_LINKS).where(CAMERA_LINKS.c.expires <= link.made_at))
            connection.execute(sa.insert(CAMERA_LINKS).values(row))

    def all(self, now: float) -> list[KeptCameraLink]:
        """Return the links that are good still, the one that ends first before the others."""
        wanted = sa.select(CAMERA_LINKS).where(CAMERA_LINKS.c.expires > now).order_by(CAMERA_LINKS.c.expires)
        with self._database.reading() as connection:
            return [_link(row) for row in connection.execute(wanted)]

    def by_id(self, id: str) -> KeptCameraLink | None:  # noqa: A002 - the field's own word
        """Return the link of this id; `None` where it was taken back or never made."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(CAMERA_LINKS).where(CAMERA_LINKS.c.id == id)).one_or_none()
        return None if row is None else _link(row)

    def revoke(self, id: str) -> bool:  # noqa: A002 - as above
        """Take a link back; `False` where there is none of this id."""
        with self._database.writing() as connection:
            return connection.execute(sa.delete(CAMERA_LINKS).where(CAMERA_LINKS.c.id == id)).rowcount > 0


def _link(row: Any) -> KeptCameraLink:
    return KeptCameraLink(row.id, row.camera, row.talk, row.made_at, row.expires)
