"""What our own server works with beside itself: its database, Redis, and the broker of the home."""

import asyncio
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import TypeVar

from ringlight.doctor.findings import Seen, fault, good
from ringlight.errors import fault_error
from ringlight.home.broker import connected
from ringlight.http.redis import redis_client, redis_package
from ringlight.http.trust import distrust_in
from ringlight.secrets import Secret
from ringlight.settings import MqttSettings, Settings
from ringlight.store.database import database_of
from ringlight.store.resealing import check, secret_files
from ringlight.store.sealing import seal_of
from ringlight.unwaited import unwaited

__all__ = ["ask_broker", "ask_database", "ask_redis", "read_store"]

T = TypeVar("T")
WITHIN = 5.0  # seconds for any of them to answer


async def ask_database(settings: Settings) -> Seen:
    """Open the database, and every secret in it and in the private files, as a server does when it starts.

    Raises:
        SetupError: STORE-ADDRESS, CFG-SECRETS-KEY, STORE-SEALED or CFG-STATE-DIR.
        StoreError: Why it cannot be used.
    """
    await read_store(partial(_open_all, settings))
    return good("it answers, and what is kept can be read")


async def read_store(reading: Callable[[], T]) -> T:
    """Read something of the database; return what it comes to, or raise what it raises.

    Args:
        reading: Blocks. It changes nothing, for it goes on unseen where it takes too long.

    Raises:
        StoreError: STORE-UNREACHABLE, it takes too long.
    """
    try:
        return await unwaited(reading, "doctor: database", WITHIN)
    except TimeoutError:
        raise fault_error("STORE-UNREACHABLE", f"it has not answered for {WITHIN:g} s") from None


def _open_all(settings: Settings) -> None:
    with closing(database_of(settings)) as database:
        check(database, secret_files(settings), seal_of(settings))


async def ask_redis(url: Secret) -> Seen:
    """Ask Redis whether it is there.

    Raises:
        SetupError: CFG-DEPENDENCY or CFG-INVALID.
    """
    away = (redis_package().RedisError, OSError, TimeoutError)
    client = redis_client(url, WITHIN, connect=WITHIN)
    try:
        async with asyncio.timeout(WITHIN):
            await client.ping()
    except away as error:
        distrust = distrust_in(error)
        if distrust is not None:
            return fault("STORE-CERTIFICATE", f"Redis: {distrust}")
        return fault("NODE-ALONE", f"no answer to a PING: {type(error).__name__}")
    finally:
        with suppress(*away):
            await client.aclose()
    return good("it answers")


async def ask_broker(settings: MqttSettings, url: Secret) -> Seen:
    """Connect to the broker, and publish nothing.

    Raises:
        SetupError: CFG-DEPENDENCY.
        NetworkError: MQTT-BROKER, MQTT-LOGIN or NET-TLS.
    """
    try:
        async with asyncio.timeout(WITHIN), connected(url, f"{settings.prefix}/doctor"):
            return good("it lets us in")
    except TimeoutError:
        raise fault_error("MQTT-BROKER", f"it has not answered for {WITHIN:g} s") from None
