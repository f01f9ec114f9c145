"""A run of the doctor: probes that need nothing of one another run at once, then everything is judged."""

import asyncio
from collections.abc import Awaitable

from ringlight.cameras import Account
from ringlight.doctor import probes
from ringlight.doctor.judge import Evidence, Finding, judge
from ringlight.errors import RingError, fault_error
from ringlight.liveview.trace import Trace
from ringlight.settings import Settings

TARGETS = ("server", "network", "account")


async def examine(settings: Settings, targets: list[str], trace: Trace | None = None) -> list[Finding]:
    """Look at what is asked for, or at everything that needs no camera to wake up.

    Args:
        settings: The settings in force.
        targets: Of `TARGETS`, or cameras by name or id; empty for all targets.
        trace: Records the signaling of a camera that is looked at; `None` records nothing.
    """
    areas = [target for target in targets if target in TARGETS]
    cameras = [target for target in targets if target not in TARGETS]
    if not targets or cameras:
        areas = list(TARGETS)
    async with Account.open(settings) as account:
        account.trace = trace
        first: list[Awaitable[Evidence]] = [_look("settings", probes.settings_probe(settings))]
        if "server" in areas:
            first.append(_look("state", probes.state_probe(settings)))
            first.append(_look("port", probes.port_probe(settings)))
            first.append(_look("segments", probes.segments_probe()))
        if "network" in areas:
            first.append(_look("udp", probes.udp_probe()))
        if {"network", "account"} & set(areas):
            first.append(_look("reach", probes.reach_probe(settings)))
        evidence = await asyncio.gather(*first)
        if "account" in areas:
            evidence += await _account(account, cameras)
    return judge(evidence)


async def _account(account: Account, cameras: list[str]) -> list[Evidence]:
    token = await _look("token", probes.token_probe(account), "reach")
    if token.error is not None:
        skipped = ("cameras", "websocket", *cameras)
        return [token, *(Evidence(check, ("token",)) for check in skipped)]
    rest = [
        _look("cameras", probes.cameras_probe(account), "token"),
        _look("websocket", probes.upgrade_probe(account), "token"),
        *(_look(name, probes.camera_probe(account, name), "token", "websocket") for name in cameras),
    ]
    return [token, *await asyncio.gather(*rest)]


async def _look(check: str, probe: Awaitable[str], *needs: str) -> Evidence:
    try:
        return Evidence(check, needs, seen=await probe)
    except RingError as error:
        return Evidence(check, needs, error=error)
    except OSError as error:
        return Evidence(check, needs, error=fault_error("NET-UNREACHABLE", str(error)))
