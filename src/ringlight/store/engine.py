"""How SQLite and PostgreSQL are reached: their addresses, their patience, and how their transactions begin."""

import logging
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url

from ringlight.errors import fault_error

BUSY_TIMEOUT = 10.0  # seconds that SQLite waits for another writer; each of ours takes milliseconds
# Of libpq, where the address does not say otherwise: seconds to reach PostgreSQL; milliseconds for it to take note of
# what was sent, and seconds of silence after which it is asked whether it is there. Else a network that was cut would
# be waited for a quarter of an hour.
PATIENCE = {
    "connect_timeout": 10, "tcp_user_timeout": 10_000, "keepalives_idle": 10, "keepalives_interval": 5,
    "keepalives_count": 2,
}  # fmt: skip
SILENCE = 10.0  # seconds without an answer of PostgreSQL after which it counts as away; what we ask takes milliseconds
WRITES = "ringlight_writes"  # an option of a connection: its transaction is to write


def _is_no_row(record: logging.LogRecord) -> bool:
    """Leave out the rows that SQLAlchemy shows at DEBUG: `hide_parameters` hides what is asked, not what is found."""
    return not str(record.msg).startswith("Row ")


logging.getLogger("sqlalchemy.engine.Engine").addFilter(_is_no_row)


def url_of(address: str) -> URL:
    """Read an address.

    Raises:
        SetupError: STORE-ADDRESS, there is no such kind of database.
    """
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


def engine_of(url: URL, **options: Any) -> Engine:
    """Return an engine; it connects at the first use.

    Args:
        url: From `url_of`.
        options: More of SQLAlchemy's.

    Raises:
        SetupError: STORE-ADDRESS, psycopg is not installed.
    """
    options["hide_parameters"] = True  # they hold tokens: never in a log or an error
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT}, **options)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    arguments = {name: value for name, value in PATIENCE.items() if name not in url.query}
    try:
        engine = sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, **options)
    except ImportError:
        raise fault_error("STORE-ADDRESS", "psycopg is not installed") from None
    event.listen(engine, "do_connect", _connect_to_postgresql)
    event.listen(engine, "checkin", _be_answered)
    return engine


def let_wait(connection: Connection, silence: float | None) -> None:
    """Let what is asked next of PostgreSQL take longer; it holds until the connection is back in its pool.

    Args:
        connection: One that is in use; SQLite has a timeout of its own.
        silence: Seconds until it counts as away; `None` waits for ever.
    """
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        driver.silence = silence


def _be_answered(connection: Any, _record: object = None) -> None:
    if connection is not None:  # else it has ended
        connection.silence = SILENCE


def _connect_to_postgresql(_dialect: object, _record: object, args: Any, named: Any) -> Any:
    from ringlight.store.answering import AnsweringConnection  # noqa: PLC0415 - psycopg comes with an extra

    connection = AnsweringConnection.connect(*args, **named)
    _be_answered(connection)
    return connection


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin in `_begin_sqlite`, also for changes of tables
    # WAL: readers do not wait for the writer. FULL: a commit is on the disk, also after a power cut.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that writes says so at once: one that begins to read and wants to write later may be refused.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
