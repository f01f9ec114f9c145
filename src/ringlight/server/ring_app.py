"""A Ring app on our own server, as the settings say: its addresses, its linked cameras, what the page shows of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from ringlight.errors import fault_error
from ringlight.secrets import Secret
from ringlight.settings import PartnerSettings, Settings

if TYPE_CHECKING:
    from ringlight.cameras import Cameras
    from ringlight.partner.link_desk import LinkDesk
    from ringlight.partner.webhooks import Event, Verifier, Webhooks
    from ringlight.server.ring_state import RingState
    from ringlight.server.watches import Watches
    from ringlight.store.database import Database

__all__ = ["RingApp", "is_configured", "ring_app"]

log = logging.getLogger("ringlight.server")


@dataclass(frozen=True, slots=True)
class RingApp:
    """What stands behind `/ring/…`.

    Attributes:
        cameras: Those of all linked accounts.
        routers: The addresses that Ring and browsers come to, and those of the page.
        state: What is known of its accounts and webhooks.
        use_keys: Takes other HMAC keys in the place of those before.
    """

    cameras: "Cameras"
    routers: tuple[APIRouter, ...]
    state: "RingState"
    use_keys: Callable[[list[Secret]], None]


def is_configured(settings: Settings) -> bool:
    """Whether the settings name a Ring app, or an account of one."""
    partner = settings.partner
    return bool(partner.hmac_keys or partner.access_token or (partner.client_id and partner.client_secret))


@asynccontextmanager
async def ring_app(
    settings: Settings, database: "Database", stopping: asyncio.Event, watches: "Watches",
    on_press: Callable[[str, str], None] = lambda _camera, _press: None,
    doubts_clock: Callable[[], bool] = lambda: False,
) -> AsyncIterator[RingApp]:  # fmt: skip
    """Open the app. With an HMAC key it takes webhooks; with the app's credentials as well it links accounts.

    Args:
        settings: The app's.
        database: Where its links and webhooks are kept; whoever opened it closes it.
        stopping: Set when the server is about to stop.
        watches: Ends what the page is told when its key does.
        on_press: Called with the camera's id in addresses and the event's when somebody rings at a camera of a linked
            account, or at a device that `cameras.<id>.partner_device` names.
        doubts_clock: Whether the time of day has jumped and is not to be believed.

    Raises:
        SetupError: CFG-INVALID.
    """
    # Imported here: who has no app does not pay for it.
    from ringlight.cameras.linked import LinkedCameras  # noqa: PLC0415
    from ringlight.partner.fastapi import SignIn, router  # noqa: PLC0415
    from ringlight.partner.linking import Person  # noqa: PLC0415
    from ringlight.server.ring_api import ring_api_router  # noqa: PLC0415
    from ringlight.server.ring_state import RingState  # noqa: PLC0415
    from ringlight.store.inbox import Inbox  # noqa: PLC0415
    from ringlight.store.link_rows import LinkRows  # noqa: PLC0415

    partner = settings.partner

    async def owner(_: Request) -> Person:
        return Person("owner", partner.person)  # whoever the server has let in

    async with AsyncExitStack() as stack:
        cameras = LinkedCameras(settings, database, lambda account, notice: state.noticed(account, notice))  # noqa: PLW0108 - it comes later
        await stack.enter_async_context(cameras)
        inbox = Inbox(database)
        state = RingState(inbox, LinkRows(database), cameras)
        desk = _desk(settings, database)
        verifier = _verifier(partner)
        webhooks = await _webhooks(stack, settings, database, desk, state, on_press, verifier, doubts_clock)

        def use_keys(keys: list[Secret]) -> None:
            if verifier is not None:
                verifier.use(*keys)
            if desk is not None:
                desk.use_keys(keys)

        ours = router(
            webhooks=webhooks, links=desk, sign_in=SignIn(current=owner, page=_nobody), name=partner.app_name,
            public_url=settings.public_url,
        )  # fmt: skip
        yield RingApp(
            cameras, (ours, ring_api_router(state, inbox, stopping, watches, linking=desk is not None)), state, use_keys
        )


def _desk(settings: Settings, database: "Database") -> "LinkDesk | None":
    from ringlight.partner.link_desk import LinkDesk  # noqa: PLC0415

    partner = settings.partner
    if not (partner.client_id and partner.client_secret and partner.hmac_keys):
        return None
    return LinkDesk(
        client_id=partner.client_id, client_secret=partner.client_secret, hmac_keys=partner.hmac_keys,
        database=database, base_url=settings.ring_url, settings=settings.resilience,
    )  # fmt: skip


def _verifier(partner: PartnerSettings) -> "Verifier | None":
    from ringlight.partner.webhooks import Verifier  # noqa: PLC0415

    if not partner.hmac_keys:
        return None
    return Verifier(*partner.hmac_keys, max_age=partner.webhook_max_age, max_ahead=partner.webhook_max_ahead)


async def _webhooks(
    stack: AsyncExitStack, settings: Settings, database: "Database", desk: "LinkDesk | None", state: "RingState",
    on_press: Callable[[str, str], None], verifier: "Verifier | None", doubts_clock: Callable[[], bool],
) -> "Webhooks | None":  # fmt: skip
    from ringlight.partner.webhooks import ButtonPressed, Handlers, Pace, Webhooks  # noqa: PLC0415

    partner = settings.partner
    if verifier is None:
        return None
    handlers = Handlers()
    named = {one.partner_device: name for name, one in settings.cameras.single.items() if one.partner_device}

    @handlers.on(repeatable=True)
    async def tell(event: "Event") -> None:
        log.info("webhook type=%s device=…%s", event.type, (event.device or "")[-6:])
        if desk is not None:
            await desk.heard(event.type, event.account, event.device)
        if isinstance(event, ButtonPressed):
            for camera in (named.get(event.device or ""), state.camera_of(event.device)):
                if camera is not None:
                    on_press(camera, event.request_id)
        state.changed()

    pace = Pace(at_once=partner.webhook_at_once, attempts=partner.webhook_attempts, timeout=partner.webhook_timeout)
    webhooks = Webhooks(
        verifier, database, handlers, knows_account=_known_by(partner), pace=pace, kept=None,
        on_refused=state.refused, on_taken=state.taken, doubts_clock=doubts_clock,
    )  # fmt: skip
    await stack.enter_async_context(webhooks)
    return webhooks


async def _nobody(_: Request) -> Response:
    raise fault_error("LINK-PERSON")  # whoever comes here is the owner


def _known_by(partner: PartnerSettings) -> Callable[[str], Awaitable[bool]] | None:
    if not partner.accounts:
        return None
    known = frozenset(partner.accounts)

    async def knows(account: str) -> bool:
        return account in known

    return knows
