"""Which checks the network has: the way to Ring, datagrams, STUN and TURN servers, and the rooms of our own server."""

from dataclasses import replace
from urllib.parse import urlsplit

from ringlight.account import endpoints
from ringlight.doctor import judging
from ringlight.doctor.evidence import read_target
from ringlight.doctor.findings import Seen, failed
from ringlight.doctor.plans.address import url_plan, way_plan
from ringlight.doctor.plans.asked import Asked, own_host
from ringlight.doctor.probes import machine, relay
from ringlight.doctor.running import Look, Once
from ringlight.errors import fault_error
from ringlight.secrets import Secret
from ringlight.settings import Settings

__all__ = ["network_plan", "ring_plan", "room_plan"]


def network_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Look at the way to Ring, at datagrams, and at STUN and TURN servers."""
    looks = [Look("udp", machine.datagrams)]
    looks += ring_plan(settings, asked)
    return looks + relay_plan(settings, asked)


def ring_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Look at the way to each of Ring's hosts that is used."""
    path = urlsplit(endpoints.TOKEN).path
    if settings.ring_url is not None:
        looks = url_plan(settings.ring_url, asked, ring=True, path=path, shown="Ring")
    else:
        looks = url_plan(endpoints.TOKEN, asked, ring=True, path=path, shown="Ring")
    if settings.ring_signaling_url is not None:
        address = read_target(settings.ring_signaling_url)
        looks += way_plan(address, asked, "signaling", ring=True)[:3]
    elif settings.ring_url is None:
        looks += way_plan(read_target(endpoints.SIGNALING), asked, "signaling", ring=True)[:4]
    return looks


def relay_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Look at STUN and TURN servers: those of the settings, else public ones where Ring itself is used."""
    stuns = [url for url in settings.turn_url if url.lower().startswith("stun:")]
    turns = [url for url in settings.turn_url if url.lower().startswith("turn")]
    if not settings.turn_url and settings.ring_url is None:
        stuns = list(relay.PUBLIC_STUN)
    answered = Once(lambda: relay.ask_stun(stuns))

    async def stun() -> Seen:
        return judging.judge_stun(await answered() if stuns else ())

    async def nat() -> Seen:
        return judging.judge_nat(await answered(), has_turn=bool(turns))

    looks = [Look("stun", stun)]
    if len(stuns) > 1:
        looks.append(Look("nat", nat, needs=("stun",)))
    return looks + [_turn_look(url, settings.turn_secret, asked) for url in turns]


def _turn_look(url: str, secret: Secret | None, asked: Asked) -> Look:
    async def turn() -> Seen:
        if secret is None:
            return failed(fault_error("CFG-INVALID", "turn_secret: a TURN server needs the secret that it shares"))
        return judging.judge_turn(await relay.ask_turn(url, secret, asked.wall))

    return Look("turn", turn, url)


def room_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Look at the rooms of our own server: on this machine, and by the address that others have for it."""
    url = f"ws://{own_host(settings)}:{settings.server.port}/ws/v2"
    looks = url_plan(url, asked, ours=True, key=settings.secret_key)
    if settings.public_url is not None:
        public = settings.public_url.rstrip("/")
        from_there = replace(asked, page=asked.page or public)
        looks += url_plan(f"ws{public.removeprefix('http')}/ws/v2", from_there, ours=True, key=settings.secret_key)
    return looks + relay_plan(settings, asked)
