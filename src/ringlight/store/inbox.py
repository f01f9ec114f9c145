"""Webhooks that arrived: kept before they are answered, until they are handled and for as long as they may come again.

A row is `waiting`, then `started` by a worker, then `done` or `dead`; a failed one waits again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ringlight.errors import RingError, fault_error
from ringlight.store.database import Database
from ringlight.store.private_file import held_lock
from ringlight.store.retention import Limit, Row, expired
from ringlight.store.tables import WEBHOOK_INBOX, insert

__all__ = ["Change", "Claim", "Inbox", "Kept", "Put", "Settle", "State"]

State = Literal["waiting", "started", "done", "dead"]
LOCK_PATIENCE = 0.2  # seconds in which the lock of the handlers is had, or somebody else has it
SWEPT_AT_ONCE = 500  # rows; more would keep those who write waiting
_WORKERS_LOCK = 0x52494E47_484F4F4B  # "RINGHOOK"


@dataclass(frozen=True, slots=True)
class Kept:
    """A row as it is read.

    Attributes:
        number: Its place in the order of arrival.
        request_id: Ring's name for it.
        account: Whose it is.
        subject: Whose events wait for each other.
        type: What happened.
        body: As it came.
        received_at: The time of day.
        state: How far it is.
        attempts: How often it was tried.
        due_at: The time of day before which it is not tried.
        problem: Why it was given up or is tried again: a code and a detail.
    """

    number: int
    request_id: str
    account: str
    subject: str
    type: str
    body: bytes = field(repr=False)
    received_at: float
    state: State
    attempts: int
    due_at: float
    problem: str | None


@dataclass(frozen=True, slots=True)
class Put:
    """Keep a new one; one that is there already is left as it is. The result is whether it was new."""

    request_id: str
    account: str
    subject: str
    type: str
    body: bytes = field(repr=False)
    received_at: float


@dataclass(frozen=True, slots=True)
class Claim:
    """Say that a worker begins with one that waits. The result is whether it may."""

    number: int
    worker: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Say what became of one that this worker has begun. The result is whether it was still the worker's."""

    number: int
    worker: str
    state: State
    attempts: int
    due_at: float = 0.0
    problem: str | None = None


Change = Put | Claim | Settle


class Inbox:
    """A table of webhooks: those that arrived, or those that are to be sent. Its methods block; call them in a thread.

    Args:
        database: Where; whoever opened it closes it.
        table: Which, from `queue_table`.
        lock_number: The table's own, for PostgreSQL's advisory locks.
        lock_name: The same for a lock file beside an SQLite database.
    """

    def __init__(
        self, database: Database, *, table: sa.Table = WEBHOOK_INBOX, lock_number: int = _WORKERS_LOCK,
        lock_name: str = "webhooks",
    ) -> None:  # fmt: skip
        self._database = database
        self._table = table
        self._c = table.c
        self._columns = [table.c[name] for name in Kept.__dataclass_fields__]
        self._lock_number, self._lock_name = lock_number, lock_name

    def write(self, changes: Sequence[Change]) -> list[bool]:
        """Make all changes in one transaction; at the end they survive a crash.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER; then none was made.
        """
        puts = [change for change in changes if isinstance(change, Put)]
        claims = [change for change in changes if isinstance(change, Claim)]
        settled = [change for change in changes if isinstance(change, Settle)]

        def work(connection: Connection) -> tuple[set[str], set[int], set[int]]:
            return (
                self.put(connection, puts) if puts else set(),
                self._claim(connection, claims) if claims else set(),
                self._settle(connection, settled) if settled else set(),
            )

        # Again, where two servers were sent the same ones in another order and waited for each other.
        new, claimed, ended = self._database.write(work)
        results = []
        for change in changes:
            if isinstance(change, Put):
                results.append(change.request_id in new)
                new.discard(change.request_id)  # the same twice in one transaction: the second is not new
            else:
                results.append(change.number in (claimed if isinstance(change, Claim) else ended))
        return results

    def waiting(self, *, after: int = 0, limit: int) -> list[Kept]:
        """Return those that wait, oldest first, with higher numbers than `after`.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        return self._select((self._c.state == "waiting") & (self._c.number > after), limit)

    def latest(self, limit: int) -> list[Kept]:
        """Return those that arrived last, whatever became of them, newest first.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        query = sa.select(*self._columns).order_by(self._c.number.desc()).limit(limit)
        with self._database.reading() as connection:
            return [Kept(*row) for row in connection.execute(query)]

    def dead(self, *, numbers: Iterable[int] | None = None, limit: int = 1000) -> list[Kept]:
        """Return those that were given up, oldest first.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        return self._select(self._dead(numbers), limit)

    def replay(self, numbers: Iterable[int] | None) -> int:
        """Let those that were given up be handled again; `None` is all. Return how many there are.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER; then nothing has changed.
        """
        values = {"state": "waiting", "attempts": 0, "due_at": 0.0, "problem": None}
        return self._execute(sa.update(self._table).where(self._dead(numbers)).values(values))

    def drop(self, numbers: Iterable[int] | None) -> int:
        """Give up for good what was given up; its id is still known. `None` is all. Return how many there are.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER; then nothing has changed.
        """
        return self._execute(sa.update(self._table).where(self._dead(numbers)).values(state="done"))

    def counts(self) -> dict[str, int]:
        """Return how many rows are in each state.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        with self._database.reading() as connection:
            found = connection.execute(sa.select(self._c.state, sa.func.count()).group_by(self._c.state))
            return {state: count for state, count in found}  # noqa: C416 - rows are not pairs to a type checker

    def take_over(self, repeatable: Callable[[str], bool], problem: str) -> int:
        """See to those that a worker has begun who is no more: they wait again, or are given up.

        Only for who holds `lock`.

        Args:
            repeatable: Whether an event of a type may be handled twice.
            problem: What is noted of those that may not.

        Returns:
            How many were given up.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER; then nothing has changed.
        """
        with self._database.writing() as connection:
            kinds = (
                connection.execute(sa.select(self._c.type).where(self._c.state == "started").distinct()).scalars().all()
            )
            again = [kind for kind in kinds if repeatable(kind)]
            begun = sa.update(self._table).where(self._c.state == "started")
            connection.execute(begun.where(self._c.type.in_(again)).values(state="waiting", worker=None))
            return connection.execute(
                begun.where(self._c.type.not_in(again)).values(
                    state="dead", worker=None, problem=problem, attempts=self._c.attempts + 1
                )
            ).rowcount

    def sweep(self, state: State, limit: Limit, now: float, by_age: bool = True) -> int:
        """Forget some of a state that are old enough or too many. Return how many; 0 says that all are gone.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER; then nothing has changed.
        """
        here = self._c.state == state
        # Only the oldest are looked at: they come in the order of arrival.
        oldest = sa.select(self._c.number, self._c.received_at).where(here).order_by(self._c.number)
        with self._database.reading() as connection:
            found = connection.execute(oldest.limit(SWEPT_AT_ONCE)).all()
            count = 0
            if limit.total is not None:
                count = connection.execute(sa.select(sa.func.count()).where(here)).scalar_one()
        rows = [Row(str(number), at) for number, at in found]
        gone = [int(row.id) for row in expired(rows, limit, now=now, kept=count, by_age=by_age)]
        return self._execute(sa.delete(self._table).where(here & self._c.number.in_(gone))) if gone else 0

    @contextmanager
    def lock(self) -> Iterator[Callable[[], None]]:
        """Be the only process that handles what is here; it ends with the process.

        Yields:
            What raises STORE-UNREACHABLE if this has ended without our doing, as it does when PostgreSQL stops.

        Raises:
            StoreError: STORE-BUSY, another process does; STORE-UNREACHABLE.
        """
        file = self._database.file
        if file is None:
            with self._database.advisory_lock(self._lock_number, LOCK_PATIENCE) as check:
                yield check
            return
        with held_lock(file.with_name(f"{file.name}.{self._lock_name}.lock"), LOCK_PATIENCE, _locked):
            yield lambda: None  # a file's lock ends with the process only

    def _select(self, condition: sa.ColumnElement[bool], limit: int) -> list[Kept]:
        query = sa.select(*self._columns).where(condition).order_by(self._c.number).limit(limit)
        with self._database.reading() as connection:
            return [Kept(*row) for row in connection.execute(query)]

    def _execute(self, statement: sa.Update | sa.Delete) -> int:
        with self._database.writing() as connection:
            return connection.execute(statement).rowcount

    def put(self, connection: Connection, puts: list[Put]) -> set[str]:
        """Insert those that are not there, in a transaction of the caller's; return their ids."""
        ids = [put.request_id for put in puts]
        known = set(connection.execute(sa.select(self._c.request_id).where(self._c.request_id.in_(ids))).scalars())
        rows = {put.request_id: asdict(put) | _FRESH for put in puts if put.request_id not in known}
        if not rows:
            return set()
        # With PostgreSQL another process may have been quicker since the look.
        new = insert(connection, self._table).on_conflict_do_nothing(index_elements=["request_id"])
        connection.execute(new, list(rows.values()))
        return set(rows)

    def _claim(self, connection: Connection, claims: list[Claim]) -> set[int]:
        """Give those that wait to their workers; return their numbers."""
        workers = {claim.number: claim.worker for claim in claims}
        free = self._locked_rows(connection, (self._c.state == "waiting") & self._c.number.in_(workers))
        if free:
            update = sa.update(self._table).where(self._c.number == sa.bindparam("of")).values(state="started")
            connection.execute(update, [{"of": number, "worker": workers[number]} for number in free])
        return free

    def _settle(self, connection: Connection, settled: list[Settle]) -> set[int]:
        """Note what became of those that are still their workers'; return their numbers."""
        by_number = {change.number: change for change in settled}
        workers = {change.worker for change in settled}
        begun = (self._c.state == "started") & self._c.worker.in_(workers) & self._c.number.in_(by_number)
        own = self._locked_rows(connection, begun)
        if own:
            rows = [
                {"of": change.number, "state": change.state, "attempts": change.attempts, "due_at": change.due_at,
                 "problem": change.problem}
                for change in map(by_number.__getitem__, own)
            ]  # fmt: skip
            update = sa.update(self._table).where(self._c.number == sa.bindparam("of")).values(worker=None)
            connection.execute(update, rows)
        return own

    def _locked_rows(self, connection: Connection, condition: sa.ColumnElement[bool]) -> set[int]:
        """Return the numbers of rows that nobody changes until the transaction ends."""
        return set(connection.execute(sa.select(self._c.number).where(condition).with_for_update()).scalars())

    def _dead(self, numbers: Iterable[int] | None) -> sa.ColumnElement[bool]:
        dead = self._c.state == "dead"
        return dead if numbers is None else dead & self._c.number.in_(list(numbers))


_FRESH: dict[str, object] = {"state": "waiting", "attempts": 0, "due_at": 0.0}


def _locked(problem: str) -> RingError:
    return fault_error("STORE-BUSY" if problem.startswith("another process") else "STORE-UNREACHABLE", problem)
