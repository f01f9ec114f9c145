"""The border at which the errors of databases become ours."""

import sqlalchemy as sa

from ringlight.errors import RingError, fault_error
from ringlight.store.private_file import is_full, words

ASK_AGAIN = 2.0  # seconds after which to try a database again that did not answer
# What the databases call their errors: SQLSTATE of PostgreSQL (appendix A of its manual), names of SQLite.
_CODES = {
    "55P03": "STORE-BUSY",  # a lock was not free in time
    "53100": "STORE-FULL", "SQLITE_FULL": "STORE-FULL",
    "SQLITE_IOERR_SHMSIZE": "STORE-FULL",  # no room for what goes beside the file while it is open
    "XX001": "STORE-FILE", "XX002": "STORE-FILE", "SQLITE_NOTADB": "STORE-FILE",
}  # fmt: skip
# What libpq says of certificates: of one that it does not accept no more than that it does not.
_OF_CERTIFICATES = ("does not match host name", "certificate verify failed", "certificate expired", "unknown ca")


def problem_of(error: sa.exc.SQLAlchemyError) -> RingError:
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
    return unreachable(seen, ASK_AGAIN if is_silence(error) else None)


def problem_of_file(error: OSError) -> RingError:
    """Say why the file of a database, or what goes beside it, cannot be made."""
    if is_full(error):
        return fault_error("STORE-FULL", words(error))
    return unreachable(words(error))


def is_silence(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether PostgreSQL is there and has not answered."""
    return type(getattr(error, "orig", None)).__name__ in ("NoAnswerError", "ConnectionTimeout")


def unreachable(problem: str, retry_after: float | None = None) -> RingError:
    """Say that there is no way to the database.

    Args:
        problem: Why.
        retry_after: Seconds after which it is worth another try; `None` where that is not known.
    """
    return fault_error("STORE-UNREACHABLE", problem, retry_after=retry_after)
