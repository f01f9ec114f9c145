"""The addresses of a Ring app on our own server, as the settings say."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter

from ringlight.settings import PartnerSettings, Settings

__all__ = ["ring_app"]

log = logging.getLogger("ringlight.server")


@asynccontextmanager
async def ring_app(
    settings: Settings, on_press: Callable[[str, str], None] = lambda _camera, _press: None
) -> AsyncIterator[APIRouter]:
    """Open what stands behind `/ring/…` and give its router. Events are kept, and a line of the log tells of each.

    Args:
        settings: Keys, accounts and where events are kept.
        on_press: Called with the camera's id in addresses and the event's when somebody rings at a device that
            `cameras.<id>.partner_device` names.

    Raises:
        SetupError: STORE-ADDRESS or CFG-INVALID.
    """
    # Imported here: who has no app pays for no database.
    from ringlight.partner.fastapi import router  # noqa: PLC0415
    from ringlight.partner.webhooks import ButtonPressed, Event, Handlers, Pace, Verifier, Webhooks  # noqa: PLC0415

    handlers = Handlers()
    cameras = {one.partner_device: name for name, one in settings.cameras.single.items() if one.partner_device}

    @handlers.on(repeatable=True)
    async def tell(event: Event) -> None:
        log.info("webhook type=%s device=…%s", event.type, (event.device or "")[-6:])
        if isinstance(event, ButtonPressed) and event.device in cameras:
            on_press(cameras[event.device], event.request_id)

    partner = settings.partner
    verifier = Verifier(*partner.hmac_keys, max_age=partner.webhook_max_age, max_ahead=partner.webhook_max_ahead)
    pace = Pace(at_once=partner.webhook_at_once, attempts=partner.webhook_attempts, timeout=partner.webhook_timeout)
    webhooks = Webhooks(
        verifier, settings.database.reveal(), handlers,
        knows_account=_known_by(partner), pace=pace, kept=partner.webhook_kept,
    )  # fmt: skip
    async with webhooks:
        yield router(webhooks=webhooks)


def _known_by(partner: PartnerSettings) -> Callable[[str], Awaitable[bool]] | None:
    if not partner.accounts:
        return None
    known = frozenset(partner.accounts)

    async def knows(account: str) -> bool:
        return account in known

    return knows
