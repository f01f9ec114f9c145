"""The database: its transactions, its locks, and its tables brought up to date at the first use.

SQLite for one machine, PostgreSQL for several (`engine`). Which tables there are is in `tables`; the steps that make
and change them are in `migrations`.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ringlight.errors import RingError
from ringlight.store.border import ASK_AGAIN, is_silence, problem_of, problem_of_file, unreachable
from ringlight.store.discretion import raise_alone
from ringlight.store.engine import SILENCE, WRITES, engine_of, let_wait, url_of
from ringlight.store.migrating import NEWEST, migrate
from ringlight.store.private_file import held_lock
from ringlight.store.sealing import Seal, seal_of
from ringlight.store.tables import SEAL

if TYPE_CHECKING:
    from ringlight.settings import Settings

__all__ = ["Database", "database_of"]

T = TypeVar("T")

MIGRATION_TIMEOUT = 120.0  # seconds to wait while another process changes the tables
DEADLOCKS = 3  # times in a row that PostgreSQL may choose a transaction of ours to be undone
LOCKS_AT_ONCE = 8  # connections that one process spends on locks; who comes later waits
LOCK_QUEUE = 60.0  # seconds that it waits for one of them
_MIGRATION_LOCK: Final = 0x52494E47_4D494752  # "RINGMIGR", for pg_advisory_xact_lock


def database_of(settings: "Settings") -> "Database":
    """Return the settings' database, with what seals its secrets.

    Raises:
        SetupError: STORE-ADDRESS or CFG-SECRETS-KEY.
    """
    return Database(settings.database.reveal(), seal_of(settings))


class Database:
    """A database with the tables of this version. Its methods block; call them in a thread.

    It connects at the first use, and then brings older tables up to date; many processes may start at once.

    Args:
        address: `sqlite:///path` or `postgresql://user:password@host/name`.
        seal: Seals the secrets in it; `None` leaves them as they are.

    Raises:
        SetupError: STORE-ADDRESS, there is no such kind of database, or psycopg is not installed.
    """

    def __init__(self, address: str, seal: Seal | None = None) -> None:
        self._url = url_of(address)
        self._engine = engine_of(self._url)
        setattr(self._engine.dialect, SEAL, seal)
        # Locks are held for long: were they to take the last connection, nobody could do what they wait for.
        self._locks = engine_of(self._url, pool_size=2, max_overflow=LOCKS_AT_ONCE - 2, pool_timeout=LOCK_QUEUE)
        self._ready = False
        self._is_silent = False  # it did not answer; then one asks at a time, and nobody else waits
        self._asking = Lock()

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database, `None` for PostgreSQL."""
        name = self._url.database
        return Path(name) if name and self._url.get_backend_name() == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        with self._border(), self._connection() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes; at its end everything in it survives a crash.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER; then nothing was written.
        """
        with self._border(), self._writing() as connection:
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction that writes, and again where PostgreSQL has undone it so that another could go on.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER; then nothing was written.
        """
        with self._border():
            left = DEADLOCKS
            while True:
                try:
                    with self._writing() as connection:
                        return work(connection)
                except sa.exc.DBAPIError as error:
                    left -= 1
                    if left < 0 or getattr(error.orig, "sqlstate", None) != "40P01":
                        raise

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._connection() as connection:
            connection.execution_options(**{WRITES: True})
            with connection.begin():
                yield connection

    @contextmanager
    def advisory_lock(self, number: int, timeout: float) -> Iterator[Callable[[], None]]:
        """Hold one of PostgreSQL's advisory locks. It ends with its connection, so a killed process holds none.

        It is held by a transaction, not by the session, so that it also works through a pooler such as PgBouncer;
        the transaction is idle meanwhile and keeps nothing from being cleaned up.

        Yields:
            What raises STORE-UNREACHABLE if the lock has gone with its connection. Who holds it for long asks at times.

        Raises:
            StoreError: STORE-BUSY after `timeout` seconds, or STORE-UNREACHABLE.
        """
        with ExitStack() as held:
            with self._border():
                connection = held.enter_context(self._locks.connect())
                held.callback(_let_go, connection)
                connection.execute(sa.text(f"SET LOCAL lock_timeout = '{timeout:g}s'"))
                connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                let_wait(connection, timeout + SILENCE)
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
                let_wait(connection, SILENCE)

            def check() -> None:
                with self._border():
                    connection.execute(sa.text("SELECT 1"))

            yield check

    def compact(self) -> None:
        """Write SQLite's file anew, without what was in it before; PostgreSQL does so in its own time.

        Raises:
            StoreError: STORE-UNREACHABLE, as while another process writes.
        """
        if self.file is None:
            return
        with self._border(), self._connection() as connection:
            plain = connection.connection.cursor()
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                plain.execute(statement)
                plain.fetchall()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
        self._locks.dispose()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with self._asked():
            if not self._ready:
                self._prepare()
                self._ready = True
            connection = self._engine.connect()  # which asks whether it is there
        with connection:
            yield connection

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Let one ask at a time while the database does not answer; the others are refused at once.

        They would each take a thread for as long as it is waited for, until there is none for anything else.
        """
        if not self._is_silent:
            yield
            return
        if not self._asking.acquire(blocking=False):
            raise unreachable("it has not answered, and is being asked again", ASK_AGAIN)
        try:
            yield
            self._is_silent = False
        finally:
            self._asking.release()

    def _prepare(self) -> None:
        """Make the file and bring the tables up to date, one process at a time."""
        if self.file is None:
            self._upgrade()
            return
        _make_private(self.file)
        with held_lock(self.file.with_name(f"{self.file.name}.lock"), MIGRATION_TIMEOUT, unreachable):
            self._upgrade()

    def _upgrade(self) -> None:
        with self._engine.connect() as connection:
            connection.execution_options(**{WRITES: True})
            with connection.begin():
                if self.file is None:
                    let_wait(connection, None)  # tables may be large, and another process may be changing them
                    connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
                migrate(connection, to=NEWEST)

    @contextmanager
    def _border(self) -> Iterator[None]:
        problem: RingError | None = None
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            self._is_silent |= is_silence(error)
            problem = problem_of(error)
        except OSError as error:
            problem = problem_of_file(error)
        if problem is not None:
            raise_alone(problem)


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A file that is there is not opened: to close it would let go of all locks that SQLite has on it in this process
    # (sqlite.org/howtocorrupt.html, 2.2), and the next program that closes it would throw the write-ahead log away.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # what is put beside it has the same rights


def _let_go(connection: Connection) -> None:
    with suppress(sa.exc.SQLAlchemyError):  # a lock that went with its connection is free already
        connection.rollback()
