"""The audit says who watched which camera, from when until when."""

import asyncio
from pathlib import Path

import pytest
from whep_viewer import viewer

from ringlight.rooms.audit import AuditKey, judge
from ringlight.secrets import Secret
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from room_house import house

pytestmark = pytest.mark.anyio
OWN = "the owner's own key, long and random"


async def test_who_watched_is_in_the_audit_by_a_keyed_hash(tmp_path: Path) -> None:
    key = AuditKey(Secret(OWN))
    async with house(tmp_path, key=OWN) as (http, _), viewer(str(http.base_url), "front-door", http) as playing:
        await playing.receive(5)
    database = Database(f"sqlite:///{tmp_path / 'ringlight.db'}")
    rows = AuditRows(database, key.hashed, key.seal)
    read = await asyncio.to_thread(lambda: list(rows.read()))
    assert [(row.event, row.detail, row.person) for row in read] == [
        ("camera.watched", "front-door", key.hidden("owner")), ("camera.left", "front-door", key.hidden("owner")),
    ]  # fmt: skip
    assert read[0].at <= read[1].at
    assert judge(key, read, rows.head()).problem is None
    database.close()
