"""`GET /api/status` tells the server's owner all that is wrong around it, and `ringlight status` shows that.

Viewers are told of it in the same words with the cameras, but of what they need not know.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from own_postgres import PROGRAMS, OwnPostgres
from ringlight.errors import fault_error
from ringlight.rooms.audit import AuditKey
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import MediaSettings, ServerSettings, Settings
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.room_rows import RoomRows
from ringlight.store.rooms import NewAuditRow

pytestmark = pytest.mark.anyio
OWN = Secret("the owner's own key, long and random")
WITHIN = 60.0  # seconds

Said = list[dict[str, str]]


async def nothing(_: str) -> None:
    pass


async def told(settings: Settings, *codes: str, after: Callable[[str], Awaitable[None]] = nothing) -> tuple[Said, Said]:
    """Wait until a server tells its owner of just these; return what the owner reads, and what viewers read then."""
    async with run_server(settings) as running, httpx2.AsyncClient(base_url=running.url, timeout=30) as http:
        await after(running.url)
        owner: Said = []
        async with asyncio.timeout(WITHIN):
            while [one["code"] for one in owner] != list(codes):
                await asyncio.sleep(0.05)
                owner = (await http.get("api/status")).json()["notices"]
        assert {one.pop("subject") for one in owner} == {"server"}
        return owner, (await http.get("api/cameras")).json()["faults"]


@pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")
async def test_that_the_database_is_away(tmp_path: Path) -> None:
    postgres = OwnPostgres()

    async def kill(_: str) -> None:
        postgres.kill()

    try:
        address = Secret(postgres.new_database())
        settings = Settings(state_dir=tmp_path, database_url=address, server=ServerSettings(port=0))
        await told(settings, "STORE-UNREACHABLE", after=kill)
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
    _, viewers = await told(settings, "AUDIT-BROKEN")
    assert viewers == [], "that is the owner's to know"


async def test_that_what_happens_in_rooms_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise fault_error("STORE-FULL")

    async def end_a_room(url: str) -> None:
        async with httpx2.AsyncClient(base_url=url) as http:
            assert (await http.post("api/rooms", json={"id": "visit"})).status_code == 201
            assert (await http.delete("api/rooms/visit")).status_code == 204

    monkeypatch.setattr(RoomRows, "record", full)
    settings = Settings(state_dir=tmp_path, server=ServerSettings(port=0), media=MediaSettings(port=0))
    owner, viewers = await told(settings, "STORE-FULL", after=end_a_room)
    assert owner == viewers
    assert owner[0]["detail"] == "rooms go on; what happens in them is written down later"
