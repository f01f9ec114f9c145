"""`GET /api/status` tells the server's owner all that is wrong around it, and `ringlight status` shows that."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from own_postgres import PROGRAMS, OwnPostgres
from ringlight.rooms.audit import AuditKey
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import ServerSettings, Settings
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.room_rows import RoomRows
from ringlight.store.rooms import NewAuditRow

pytestmark = pytest.mark.anyio
OWN = Secret("the owner's own key, long and random")
WITHIN = 60.0  # seconds


async def told(settings: Settings, *codes: str, after: Any = lambda: None) -> None:
    """Wait until a server tells of just these."""
    async with run_server(settings) as running, httpx2.AsyncClient(base_url=running.url, timeout=30) as http:
        after()
        async with asyncio.timeout(WITHIN):
            while [one["code"] for one in (await http.get("api/status")).json()["notices"]] != list(codes):
                await asyncio.sleep(0.05)


@pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")
async def test_that_the_database_is_away(tmp_path: Path) -> None:
    postgres = OwnPostgres()
    try:
        address = Secret(postgres.new_database())
        settings = Settings(state_dir=tmp_path, database_url=address, server=ServerSettings(port=0))
        await told(settings, "STORE-UNREACHABLE", after=postgres.kill)
    finally:
        postgres.close()


async def test_that_the_audit_is_broken(tmp_path: Path) -> None:
    settings = Settings(
        state_dir=tmp_path, secret_key=OWN, server=ServerSettings(port=0), retention={"every": 1.0, "audit_days": 30}
    )
    key, database = AuditKey(OWN), Database(settings.database.reveal())
    rows = RoomRows(database, AuditRows(database, key.hashed, key.seal, key.cut))
    rows.record([NewAuditRow(1e9, "room.locked"), NewAuditRow(1e9, "room.locked")])
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE room_audit SET detail = 'somebody else' WHERE number = 1")
    database.close()
    await told(settings, "AUDIT-BROKEN")
