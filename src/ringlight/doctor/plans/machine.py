"""Which checks this machine and our own server on it have."""

import asyncio

from ringlight.doctor import judging
from ringlight.doctor.evidence import read_target
from ringlight.doctor.findings import Seen, failed, good
from ringlight.doctor.plans.asked import own_host
from ringlight.doctor.probes import machine, net, services
from ringlight.doctor.probes.calls import has_database
from ringlight.doctor.probes.owners import listeners
from ringlight.doctor.running import Look
from ringlight.errors import RingError, fault_error
from ringlight.http.address import is_loopback_host
from ringlight.settings import Settings

__all__ = ["machine_plan", "server_plan"]

OWN_WAIT = 2.0  # seconds for a server on this machine


def machine_plan(settings: Settings, broken: RingError | None = None) -> list[Look]:
    """Look at the settings, and at what they call for. `broken`: why they could not be read."""

    async def read() -> Seen:
        if broken is not None:
            return failed(broken)
        where = settings.ring_url or "the real one"
        return good(f"Ring is {where}; server on {settings.server.host}:{settings.server.port}")

    async def extras() -> Seen:
        return judging.judge_extras(machine.missing_packages(settings))

    async def state() -> Seen:
        return good(await machine.state_dir(settings.state_dir))

    return [Look("settings", read), Look("extras", extras), Look("state", state)]


def server_plan(settings: Settings, *, running: bool = False) -> list[Look]:
    """Look at our own server's place. `running`: it is the server itself that asks."""
    host, port = settings.server.host, settings.server.port
    own = read_target(f"http://{own_host(settings)}:{port}")

    async def key() -> Seen:
        if is_loopback_host(host):
            return good(f"not needed on {host}")
        if settings.secret_key is None:
            return failed(fault_error("CFG-SECRET-KEY", f"it would listen on {host}"))
        return good("it is set")

    async def taken() -> Seen:
        if running or await asyncio.to_thread(machine.can_listen, host, port):
            return judging.judge_port(port, free=not running, is_ringlight=running, listeners=())
        answered = await net.ask(own, key=settings.secret_key, within=OWN_WAIT)
        owners = await asyncio.to_thread(listeners, port)
        return judging.judge_port(port, free=False, is_ringlight=answered.is_ringlight, listeners=owners)

    async def media() -> Seen:
        if settings.media.port == 0:
            return good("a free one is picked (RINGLIGHT_MEDIA__PORT is 0)")
        error = await asyncio.to_thread(machine.can_bind_media, settings.media.port, tcp=settings.media.tcp)
        if error is None or running or (await net.ask(own, key=settings.secret_key, within=OWN_WAIT)).is_ringlight:
            return good(f"{settings.media.port} is free" if error is None else "our own server has it")
        return failed(error)

    return [
        Look("key", key), Look("port", taken), Look("media-port", media), Look("segments", machine.segments),
        *_services_plan(settings),
    ]  # fmt: skip


def _services_plan(settings: Settings) -> list[Look]:
    """Look at what the server works with beside itself, as far as the settings name it."""
    redis_url, mqtt = settings.redis_url, settings.mqtt

    async def database() -> Seen:
        if not await asyncio.to_thread(has_database, settings):
            return good("there is none yet; it is made when it is needed")
        return await services.ask_database(settings)

    looks = [Look("database", database)]
    if redis_url is not None:
        looks.append(Look("redis", lambda: services.ask_redis(redis_url)))
    if (url := mqtt.url) is not None:
        looks.append(Look("broker", lambda: services.ask_broker(mqtt, url)))
    return looks
