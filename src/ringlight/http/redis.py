"""A client of Redis, for what several servers share."""

from typing import TYPE_CHECKING, Any

from ringlight.errors import fault_error
from ringlight.secrets import Secret

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["redis_client", "redis_package"]


def redis_package() -> Any:
    """Return the package.

    Raises:
        SetupError: CFG-DEPENDENCY, the extra `redis` is not installed.
    """
    try:
        import redis.asyncio  # noqa: PLC0415 - an extra, and a quarter of a second to import
    except ImportError:
        raise fault_error("CFG-DEPENDENCY", "redis is not installed: pip install 'ringlight[redis]'") from None
    return redis


def redis_client(url: Secret, patience: float | None, *, connect: float, decode: bool = False) -> "Redis":
    """Make a client that repeats nothing by itself: whoever asks has to know what came of it.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`.
        patience: Seconds for an answer; `None` waits for ever.
        connect: Seconds to be connected.
        decode: Return text in place of bytes.

    Raises:
        SetupError: CFG-DEPENDENCY, or CFG-INVALID where the address is none.
    """
    redis = redis_package()
    retry = redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0)
    try:
        found: Redis = redis.asyncio.Redis.from_url(
            url.reveal(), socket_timeout=patience, socket_connect_timeout=connect, retry=retry, decode_responses=decode
        )
    except ValueError:
        raise fault_error("CFG-INVALID", "redis_url names no Redis") from None
    return found
