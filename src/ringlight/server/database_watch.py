"""The server's database, and whether it answers, so that people hear of it before they need it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

import sqlalchemy as sa

from ringlight.beside import beside
from ringlight.errors import RingError, fault_error
from ringlight.settings import Settings
from ringlight.store.database import Database, database_of

__all__ = ["DatabaseWatch", "open_database"]

EVERY = 2.0  # seconds between two looks; each is one question over a connection that stays open
SILENT = 5.0  # seconds after which a database that takes the question and says nothing counts as away
log = logging.getLogger("ringlight.server")


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Give the settings' database, which all parts of the server share, and close it at the end.

    Raises:
        SetupError: STORE-ADDRESS or CFG-SECRETS-KEY.
    """
    database = await asyncio.to_thread(database_of, settings)
    try:
        yield database
    finally:
        await asyncio.to_thread(database.close)


class DatabaseWatch:
    """Looks while inside `running`. A database in a file is there with its disk, and is not asked.

    Args:
        database: Whoever opened it closes it.

    Attributes:
        problem: Why it cannot be used; `None` while it can.
    """

    def __init__(self, database: Database) -> None:
        self.problem: RingError | None = None
        self._database = database

    @property
    def problems(self) -> Sequence[RingError]:
        """What people should know of it."""
        return () if self.problem is None else (self.problem,)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look every two seconds inside of the `async with`."""
        async with beside(self._run() if self._database.file is None else None, "database watch"):
            yield

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            looking = asyncio.create_task(asyncio.to_thread(self._look), name="database watch: look")
            await asyncio.wait({looking}, timeout=SILENT)
            if not looking.done():
                self._tell(fault_error("STORE-UNREACHABLE", f"it has not answered for {SILENT:g} s"))
            self._tell(await looking)

    def _tell(self, problem: RingError | None) -> None:
        before, self.problem = self.problem, problem
        if (before is None) is not (problem is None):
            log.log(logging.INFO if before else logging.WARNING, "database: %s", problem or "answers again")

    def _look(self) -> RingError | None:
        try:
            with self._database.reading() as connection:
                connection.execute(sa.text("SELECT 1"))
        except RingError as error:
            return error
        return None
