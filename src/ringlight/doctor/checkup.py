"""A run of the doctor: what was asked for is looked at, and one cause is named."""

import asyncio
import contextlib
import platform
from collections.abc import Sequence

import ringlight
from ringlight.cameras import Account
from ringlight.doctor.plans.account import account_plan, camera_plan
from ringlight.doctor.plans.address import url_plan
from ringlight.doctor.plans.asked import Asked, quick
from ringlight.doctor.plans.machine import machine_plan, server_plan
from ringlight.doctor.plans.network import network_plan, ring_plan, room_plan
from ringlight.doctor.plans.partner import linked_camera_plan, partner_plan
from ringlight.doctor.probes.linked_views import Whose, whose
from ringlight.doctor.report import Report, report_of
from ringlight.doctor.running import BUDGET, Look, run_looks
from ringlight.errors import RingError
from ringlight.liveview.trace import Trace
from ringlight.settings import Settings

__all__ = ["TARGETS", "Asked", "examine"]

TARGETS = ("account", "partner", "server", "network", "room")


async def examine(
    settings: Settings,
    targets: Sequence[str] = (),
    trace: Trace | None = None,
    *,
    asked: Asked | None = None,
    account: Account | None = None,
    running: bool = False,
    broken: RingError | None = None,
    budget: float = BUDGET,
) -> Report:
    """Look at what is asked for, or at everything that is configured and wakes no camera up.

    Args:
        settings: The settings in force.
        targets: Of `TARGETS`, addresses, or cameras by name or id; empty for all that is configured.
        trace: Records the signaling of a camera that is looked at; `None` records nothing.
        asked: What else was said.
        account: One that is open; `None` opens one.
        running: Whether our own server asks: its ports are its own then, and its rooms are looked at too.
        broken: Why the settings could not be read; those that are given are the defaults then.
        budget: Seconds for all checks together, without those of a camera.
    """
    loop = asyncio.get_running_loop()
    began, asked = loop.time(), asked or Asked()
    async with contextlib.AsyncExitStack() as stack:
        if account is None:
            try:
                account = await stack.enter_async_context(Account.open(quick(settings), clock=asked.wall))
            except RingError as error:  # what is kept of it cannot be opened by these settings
                broken = broken or error
        cameras = [target for target in targets if target not in TARGETS and "://" not in target]
        owners = await whose(settings, account, cameras) if account and cameras and _has_app(settings) else Whose()
        looks = _plan(settings, targets, trace, asked, account, owners, running=running, broken=broken)
        findings = await run_looks(looks, budget)
    system = f"{platform.platform(terse=True)}, Python {platform.python_version()}"
    return report_of(findings, loop.time() - began, ringlight.__version__, system)


def _has_app(settings: Settings) -> bool:
    partner = settings.partner
    return bool(partner.client_id or partner.access_token or partner.hmac_keys)


def _plan(
    settings: Settings, targets: Sequence[str], trace: Trace | None, asked: Asked, account: Account | None,
    owners: Whose, *, running: bool, broken: RingError | None,
) -> list[Look]:  # fmt: skip
    urls = [target for target in targets if "://" in target]
    cameras = [target for target in targets if target not in TARGETS and target not in urls]
    linked = [name for name in cameras if name in owners.linked]
    own = [name for name in cameras if name not in owners.linked]
    areas = {target for target in targets if target in TARGETS}
    has_app = _has_app(settings)
    if not targets:
        areas = {"account", "server", "network"} | ({"partner"} if has_app else set())
        areas |= {"room"} if running else set()
    if cameras:
        areas |= {"server", "network"} | ({"account"} if own else set()) | ({"partner"} if linked else set())
    # Who asks about an address alone wants to know nothing of this machine's own settings.
    looks = machine_plan(settings, broken) if areas or not urls else []
    if "server" in areas:
        looks += server_plan(settings, running=running)
    if "network" in areas:
        looks += network_plan(settings, asked)
    elif areas & {"account", "partner"}:
        looks += ring_plan(settings, asked)
    if account is not None:
        if "account" in areas:
            looks += account_plan(account, own, needed=bool(targets) or not has_app)
        for name in own:
            looks += camera_plan(account, name, trace, asked, owners.known)
    if "partner" in areas:
        looks += partner_plan(settings, asked, needed=bool(targets))
    for name in linked:
        looks += linked_camera_plan(settings, name, asked)
    if "room" in areas:
        looks += room_plan(settings, asked)
    for url in urls:
        looks += url_plan(url, asked)
    return _once_each(looks)


def _once_each(looks: Sequence[Look]) -> list[Look]:
    """Leave out what two targets both look at."""
    each: dict[str, Look] = {}
    for look in looks:
        each.setdefault(look.name, look)
    return list(each.values())
