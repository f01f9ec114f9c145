"""The database: its engine, its tables, and the border at which its errors become ours.

SQLite for one machine, PostgreSQL for several. The tables are made and changed by the steps in `migrations`.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url

from ringlight.errors import RingError, fault_error
from ringlight.store.discretion import raise_alone
from ringlight.store.migrating import NEWEST, migrate
from ringlight.store.private_file import held_lock, words
from ringlight.store.sealing import Seal, seal_of, unsealed

if TYPE_CHECKING:
    from ringlight.settings import Settings

__all__ = [
    "ACCESS_KEYS",
    "CAMERA_LINKS",
    "LINKED_DEVICES",
    "LINKS",
    "LINK_BEGINNINGS",
    "SCHEMA",
    "SIGN_IN",
    "TOKEN_PAIRS",
    "WEBHOOK_INBOX",
    "Database",
    "SealedText",
    "database_of",
    "queue_table",
]

T = TypeVar("T")

BUSY_TIMEOUT = 10.0  # seconds that SQLite waits for another writer; each of ours takes milliseconds
MIGRATION_TIMEOUT = 120.0  # seconds to wait while another process changes the tables
# Of libpq, where the address does not say otherwise: seconds to reach PostgreSQL; milliseconds for it to take note of
# what was sent, and seconds of silence after which it is asked whether it is there. Else a network that was cut would
# be waited for a quarter of an hour.
PATIENCE = {
    "connect_timeout": 10, "tcp_user_timeout": 10_000, "keepalives_idle": 10, "keepalives_interval": 5,
    "keepalives_count": 2,
}  # fmt: skip
DEADLOCKS = 3  # times in a row that PostgreSQL may choose a transaction of ours to be undone
LOCKS_AT_ONCE = 8  # connections that one process spends on locks; who comes later waits
LOCK_QUEUE = 60.0  # seconds that it waits for one of them
# What the databases call their errors: SQLSTATE of PostgreSQL (appendix A of its manual), names of SQLite.
_CODES = {
    "55P03": "STORE-BUSY",  # a lock was not free in time
    "53100": "STORE-FULL", "SQLITE_FULL": "STORE-FULL",
    "XX001": "STORE-FILE", "XX002": "STORE-FILE", "SQLITE_NOTADB": "STORE-FILE",
}  # fmt: skip
# What libpq says of certificates: of one that it does not accept no more than that it does not.
_OF_CERTIFICATES = ("does not match host name", "certificate verify failed", "certificate expired", "unknown ca")
_MIGRATION_LOCK: Final = 0x52494E47_4D494752  # "RINGMIGR", for pg_advisory_xact_lock

_SEAL = "ringlight_seal"  # an attribute of an engine's dialect, as columns are told nothing else of their database


class SealedText(sa.types.TypeDecorator[str]):
    """A text that is a secret: sealed where its database has a key. It cannot be compared in SQL.

    Args:
        place: `table.column`.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Seal."""
        seal: Seal | None = getattr(dialect, _SEAL, None)
        return value if value is None or seal is None else seal.close(value, self.place)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Open."""
        seal: Seal | None = getattr(dialect, _SEAL, None)
        if value is None:
            return None
        return unsealed(value, self.place) if seal is None else seal.open(value, self.place)


SCHEMA = sa.MetaData()
TOKEN_PAIRS = sa.Table(
    "token_pairs",
    SCHEMA,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("access", SealedText("token_pairs.access"), nullable=False),
    sa.Column("refresh", SealedText("token_pairs.refresh"), nullable=False),
    sa.Column("obtained_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("offered_at", sa.Double),
)


def queue_table(name: str) -> sa.Table:
    """Return a table in which something waits to be handled, in the order of its numbers."""
    return sa.Table(
        name,
        SCHEMA,
        # Numbers are not used again, so that they stay in the order of arrival.
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("request_id", sa.Text, nullable=False, unique=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("problem", sa.Text),
        sa.Index(f"{name}_state", "state", "number"),
        sqlite_autoincrement=True,
    )


WEBHOOK_INBOX = queue_table("webhook_inbox")
LINKS = sa.Table(
    "links",
    SCHEMA,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("person", sa.Text, index=True),
    sa.Column("identifier", sa.Text),
    sa.Column("nonce", SealedText("links.nonce")),
    sa.Column("spent", SealedText("links.spent")),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
LINK_BEGINNINGS = sa.Table(
    "link_beginnings",
    SCHEMA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("began_at", sa.Double, nullable=False),
    sa.Column("code", SealedText("link_beginnings.code")),
    sa.Column("verifier", SealedText("link_beginnings.verifier")),
    sa.Column("person", sa.Text),
    sa.Column("identifier", sa.Text),
    sa.Column("access", SealedText("link_beginnings.access")),
    sa.Column("refresh", SealedText("link_beginnings.refresh")),
    sa.Column("obtained_at", sa.Double),
    sa.Column("expires_at", sa.Double),
    sa.Column("account", sa.Text),
)
LINKED_DEVICES = sa.Table(
    "linked_devices",
    SCHEMA,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("since", sa.Double, nullable=False),
)
ACCESS_KEYS = sa.Table(
    "access_keys",
    SCHEMA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("cameras", sa.Text),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("expires", sa.Double),
    sa.Column("used_at", sa.Double),
    sa.Column("digest", SealedText("access_keys.digest")),
)
CAMERA_LINKS = sa.Table(
    "camera_links",
    SCHEMA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("camera", sa.Text, nullable=False),
    sa.Column("talk", sa.Boolean, nullable=False),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("expires", sa.Double, nullable=False, index=True),
)
SIGN_IN = sa.Table(
    "sign_in",
    SCHEMA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hardware_id", sa.Text, nullable=False),
    sa.Column("access", SealedText("sign_in.access")),
    sa.Column("refresh", SealedText("sign_in.refresh")),
    sa.Column("expires_at", sa.Double),
    sa.Column("email", sa.Text),
)


def database_of(settings: "Settings") -> "Database":
    """Return the settings' database, with what seals its secrets.

    Raises:
        SetupError: STORE-ADDRESS or CFG-SECRETS-KEY.
    """
    return Database(settings.database.reveal(), seal_of(settings))


def insert(connection: Connection, table: sa.Table) -> Any:
    """Return an insert of the connection's dialect: only these know what to do where a row is there already."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - its types alone take as long as all of SQLite's

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite.insert(table)


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
        self._url = _url(address)
        self._engine = _engine(self._url)
        setattr(self._engine.dialect, _SEAL, seal)
        # Locks are held for long: were they to take the last connection, nobody could do what they wait for.
        self._locks = _engine(self._url, pool_size=2, max_overflow=LOCKS_AT_ONCE - 2, pool_timeout=LOCK_QUEUE)
        self._ready = False

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
            connection.execution_options(**{_WRITES: True})
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
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})

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
        if not self._ready:
            self._prepare()
            self._ready = True
        with self._engine.connect() as connection:
            yield connection

    def _prepare(self) -> None:
        """Make the file and bring the tables up to date, one process at a time."""
        if self.file is None:
            self._upgrade()
            return
        _make_private(self.file)
        with held_lock(self.file.with_name(f"{self.file.name}.lock"), MIGRATION_TIMEOUT, _unreachable):
            self._upgrade()

    def _upgrade(self) -> None:
        with self._engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                if self.file is None:
                    connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
                migrate(connection, to=NEWEST)

    @contextmanager
    def _border(self) -> Iterator[None]:
        problem: RingError | None = None
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            problem = _problem(error)
        except OSError as error:
            problem = _unreachable(words(error))
        if problem is not None:
            raise_alone(problem)


_WRITES = "ringlight_writes"


def _is_no_row(record: logging.LogRecord) -> bool:
    """Leave out the rows that SQLAlchemy shows at DEBUG: `hide_parameters` hides what is asked, not what is found."""
    return not str(record.msg).startswith("Row ")


logging.getLogger("sqlalchemy.engine.Engine").addFilter(_is_no_row)


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        url = None
    known = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
    if url is None or url.drivername not in {*known, "postgresql+psycopg"}:
        kind = address.partition(":")[0][:20]
        raise fault_error("STORE-ADDRESS", f"{kind}: neither sqlite nor postgresql" if url else "it is no address")
    if url.drivername == "sqlite" and url.database in {None, "", ":memory:"}:
        raise fault_error("STORE-ADDRESS", "sqlite: the path is missing, as in sqlite:///ringlight.db")
    return url.set(drivername=known.get(url.drivername, url.drivername))


def _engine(url: URL, **options: Any) -> Engine:
    options["hide_parameters"] = True  # they hold tokens: never in a log or an error
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT}, **options)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    arguments = {name: value for name, value in PATIENCE.items() if name not in url.query}
    try:
        return sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, **options)
    except ImportError:
        raise fault_error("STORE-ADDRESS", "psycopg is not installed") from None


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin in `_begin_sqlite`, also for changes of tables
    # WAL: readers do not wait for the writer. FULL: a commit is on the disk, also after a power cut.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that writes says so at once: one that begins to read and wants to write later may be refused.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A file that is there is not opened: to close it would let go of all locks that SQLite has on it in this process
    # (sqlite.org/howtocorrupt.html, 2.2), and the next program that closes it would throw the write-ahead log away.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # what is put beside it has the same rights


def _let_go(connection: Connection) -> None:
    with suppress(sa.exc.SQLAlchemyError):  # a lock that went with its connection is free already
        connection.rollback()


def _problem(error: sa.exc.SQLAlchemyError) -> RingError:
    """Say what kind of error it is; the texts of drivers may repeat the address with its password, or values."""
    if isinstance(error, sa.exc.TimeoutError):
        return fault_error("STORE-BUSY", "no connection was free in time")
    origin = getattr(error, "orig", None)
    state = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None)
    kind = type(error if origin is None else origin).__name__
    seen = f"{kind} {state}" if state else kind
    if state in _CODES:
        return fault_error(_CODES[state], seen)
    if str(state).startswith("SQLITE_CORRUPT"):
        return fault_error("STORE-FILE", seen)
    # libpq has no code for it, only words, in which the address may be repeated.
    if state is None and "certificate" in str(origin):
        why = next((known for known in _OF_CERTIFICATES if known in str(origin)), seen)
        return fault_error("STORE-CERTIFICATE", f"PostgreSQL: {why}")
    return _unreachable(seen)


def _unreachable(problem: str) -> RingError:
    return fault_error("STORE-UNREACHABLE", problem)
