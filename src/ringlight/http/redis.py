"""Clients of Redis, for what several servers share. None repeats anything by itself.

Whoever asks has to know what came of it, and a repeat would make a quarter of a second many.
"""

from typing import TYPE_CHECKING, Any

from ringlight.errors import fault_error
from ringlight.secrets import Secret

if TYPE_CHECKING:
    from redis import Redis as WaitingRedis
    from redis.asyncio import Redis

__all__ = ["redis_client", "redis_package", "waiting_redis_client"]


def redis_package(code: str = "CFG-DEPENDENCY") -> Any:
    """Return the package.

    Raises:
        SetupError: By this code, the extra `redis` is not installed.
    """
    try:
        import redis.asyncio  # noqa: PLC0415 - an extra, and a seventh of a second to import
    except ImportError:
        raise fault_error(code, "redis is not installed: pip install 'ringlight[redis]'") from None
    return redis


def redis_client(
    url: Secret, patience: float | None, *, connect: float, decode: bool = False, code: str = "CFG-INVALID",
    named: str = "redis_url",
) -> "Redis":  # fmt: skip
    """Make a client for an event loop. The package is there: `redis_package` has been asked.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`.
        patience: Seconds for an answer; `None` waits for ever.
        connect: Seconds to be connected.
        decode: Return text in place of bytes.
        code: For an address that is none.
        named: What has that address; the error says so.

    Raises:
        SetupError: By this code, or CFG-DEPENDENCY.
    """
    kinds = redis_package().asyncio
    options = {"socket_timeout": patience, "socket_connect_timeout": connect, "decode_responses": decode}
    made: Redis = _made(kinds.Redis, kinds.retry.Retry, url, options, code, named)
    return made


def waiting_redis_client(url: Secret, patience: float, *, connect: float, code: str = "CFG-INVALID") -> "WaitingRedis":
    """Make a client for threads; otherwise as `redis_client`."""
    kinds = redis_package()
    options = {"socket_timeout": patience, "socket_connect_timeout": connect}
    made: WaitingRedis = _made(kinds.Redis, kinds.retry.Retry, url, options, code)
    return made


def _made(kind: Any, retry: Any, url: Secret, options: dict[str, Any], code: str, named: str = "redis_url") -> Any:
    try:
        return kind.from_url(url.reveal(), retry=retry(redis_package().backoff.NoBackoff(), 0), **options)
    except ValueError:
        raise fault_error(code, f"{named} names no Redis") from None
