"""A person's sign-in in the database: kept for several servers, one of which renews it at a time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pair_stores import address

from ringlight.secrets import Secret
from ringlight.store.database import Database
from ringlight.store.token_database import DatabaseTokenStore
from ringlight.store.tokens import Tokens

pytestmark = pytest.mark.anyio
TOKENS = Tokens(Secret("access"), Secret("refresh"), 1e9, "hw-1", "ada@ringlight.test")


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[DatabaseTokenStore, DatabaseTokenStore]]:
    """The stores of two servers."""
    postgres = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    where = address(request.param, tmp_path, postgres)
    databases = Database(where), Database(where)
    yield DatabaseTokenStore(databases[0]), DatabaseTokenStore(databases[1])
    for database in databases:
        database.close()


async def test_what_one_server_saves_another_one_finds(stores: tuple[DatabaseTokenStore, DatabaseTokenStore]) -> None:
    one, other = stores
    assert one.load() is None
    one.save(TOKENS)
    assert other.load() == TOKENS
    other.clear()
    assert one.load() is None
    assert one.hardware_id() == "hw-1", "who signs in anew is the same installation"


async def test_all_servers_are_one_installation(stores: tuple[DatabaseTokenStore, DatabaseTokenStore]) -> None:
    made = await asyncio.gather(*(asyncio.to_thread(store.hardware_id) for store in stores))
    assert made[0] == made[1]


async def test_one_server_at_a_time_renews(stores: tuple[DatabaseTokenStore, DatabaseTokenStore]) -> None:
    inside: list[str] = []

    async def renew(name: str, store: DatabaseTokenStore) -> None:
        async with store.lock():
            inside.append(f"{name} in")
            await asyncio.sleep(0.05)
            inside.append(f"{name} out")

    await asyncio.gather(renew("one", stores[0]), renew("other", stores[1]))
    assert inside in (["one in", "one out", "other in", "other out"], ["other in", "other out", "one in", "one out"])


async def test_a_caller_that_gives_up_while_it_waits_leaves_no_lock_behind(
    stores: tuple[DatabaseTokenStore, DatabaseTokenStore],
) -> None:
    one, other = stores
    async with one.lock():
        waiting = asyncio.create_task(_locked(other))
        await asyncio.sleep(0.1)
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(20), one.lock():
        pass


async def _locked(store: DatabaseTokenStore) -> None:
    async with store.lock():
        pass
