"""Cameras of linked accounts while the database that knows the links is away."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from own_postgres import PROGRAMS, OwnPostgres
from ringlight.cameras.linked import LinkedCameras
from ringlight.errors import RingError
from ringlight.secrets import Secret
from ringlight.settings import PartnerSettings, Settings
from ringlight.store import TokenPair, open_pairs
from ringlight.store.database import Database
from ringlight.testing import simulator

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")]


@pytest.fixture
def postgres() -> Iterator[OwnPostgres]:
    """One of this test's own, as it is killed."""
    server = OwnPostgres()
    yield server
    server.close()


async def test_cameras_that_are_known_stay_while_the_database_is_away(postgres: OwnPostgres, tmp_path: Path) -> None:
    tokens, now = tmp_path / "tokens.json", time.time()
    open_pairs(tokens).write("ada", TokenPair(Secret("sim-token"), Secret("unused"), now, now + 1e6), over=None)
    async with simulator() as ring:
        app = PartnerSettings(client_id="sim-client", client_secret=Secret("sim-secret"), tokens=str(tokens))
        settings = Settings(ring_url=ring.url, state_dir=tmp_path, partner=app)
        database = Database(postgres.new_database())
        async with LinkedCameras(settings, database) as cameras:
            known = [camera.id for camera in await cameras.cameras()]
            assert known
            await asyncio.to_thread(postgres.kill)
            assert [camera.id for camera in await cameras.cameras()] == known
            assert (await cameras.camera(known[0])).id == known[0]
            assert [problem.code for problem in cameras.problems] == ["STORE-UNREACHABLE"]
            async with LinkedCameras(settings, database) as newcomer:
                with pytest.raises(RingError) as caught:
                    await newcomer.cameras()
                assert caught.value.code == "STORE-UNREACHABLE", "who knows nothing yet cannot go on"
            await asyncio.to_thread(postgres.start)
            await cameras.cameras()
            assert not cameras.problems
        await asyncio.to_thread(database.close)
