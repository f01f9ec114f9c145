"""All ways to log in, put together as the settings say: by a key, and through another service."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter

from ringlight.server.entrance import Doors
from ringlight.server.login_pages import Sessions, login_router
from ringlight.settings import Settings

__all__ = ["log_ins"]

log = logging.getLogger("ringlight.server")


@asynccontextmanager
async def log_ins(settings: Settings, doors: Doors) -> AsyncIterator[tuple[APIRouter, ...]]:
    """Open them. On a loopback address, where nobody has to log in, no other service is asked."""
    sessions = Sessions(doors.passes, settings.public_url, time.time)
    life = settings.server.session_life
    if settings.oidc.issuer is None or doors.entrance is None:
        yield (login_router(doors, sessions, life=life, clock=time.time),)
        return
    # Imported here: who has no provider pays nothing for it.
    from ringlight.http.driver import AsyncDriver  # noqa: PLC0415
    from ringlight.server.oidc.desk import OidcDesk  # noqa: PLC0415
    from ringlight.server.oidc.pages import CALLBACK, oidc_router  # noqa: PLC0415

    driver = AsyncDriver()
    try:
        desk = OidcDesk(settings.oidc, driver, doors.passes)
        log.info("oidc: redirect address %s", (settings.public_url or "http://<this server>").rstrip("/") + CALLBACK)
        by_key = login_router(
            doors, sessions, life=life, clock=time.time, other=settings.oidc.name,
            log_out_there=desk.address_to_log_out,
        )  # fmt: skip
        yield by_key, oidc_router(desk, sessions)
    finally:
        await driver.aclose()
