"""What our own server works with beside itself: its database, Redis, and the broker of the home."""

import asyncio
from contextlib import closing, suppress

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

__all__ = ["ask_broker", "ask_database", "ask_redis"]

WITHIN = 5.0  # seconds for any of them to answer


async def ask_database(settings: Settings) -> Seen:
    """Open the database, and every secret in it and in the private files, as a server does when it starts.

    Raises:
        SetupError: STORE-ADDRESS, CFG-SECRETS-KEY, STORE-SEALED or CFG-STATE-DIR.
        StoreError: Why it cannot be used.
    """
    asking = asyncio.create_task(asyncio.to_thread(_open_all, settings), name="doctor: database")
    await asyncio.wait({asking}, timeout=WITHIN)
    if not asking.done():
        asking.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody waits for it any more
        raise fault_error("STORE-UNREACHABLE", f"it has not answered for {WITHIN:g} s")
    await asking
    return good("it answers, and what is kept can be read")


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
