"""Lets a running server take other settings: what can change changes, and what cannot is named."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from ringlight.errors import RingError, fault_error
from ringlight.publishing import Publications
from ringlight.rooms.house import House
from ringlight.server.access import Access
from ringlight.server.ring_app import RingApp
from ringlight.settings import Settings
from ringlight.settings.reload import Changes, changes_between, merged

__all__ = ["Parts", "Reloading", "reload_router"]

log = logging.getLogger("ringlight.server")


@dataclass(frozen=True, slots=True)
class Parts:
    """What keeps something of its own from the settings; everything else reads them when it uses them."""

    rooms: House
    access: Access
    publications: Publications
    app: RingApp | None

    async def take(self, settings: Settings, changes: Changes) -> None:
        """Take what has changed."""
        named = {name.removeprefix("rooms."): name for name in changes.now if name.startswith("rooms.")}
        if named:
            changed = {field: getattr(settings.rooms, field) for field in named}
            self.rooms.settings = self.rooms.settings.model_copy(update=changed)
            for room in self.rooms.rooms.values():
                room.settings = self.rooms.settings
        if "allowed_origins" in changes.now:
            self.access.origins = self.rooms.admission.origins = frozenset(settings.allowed_origins)
        if "partner.hmac_keys" in changes.now and self.app is not None:
            self.app.use_keys(settings.partner.hmac_keys)
        if any(name.startswith("cameras.") for name in changes.now):
            await self.publications.look()


class Reloading:
    """Reads the settings anew when it is told to.

    Args:
        settings: Those in effect; the parts of the server hold this same object.
        load: Reads and judges them; `None` where they come from no file, so that nothing can have changed.
        parts: Those of the server.
        told: Called with the settings once they have changed.

    Attributes:
        problem: Why the last reading changed nothing, or that something needs a restart; `None` where all is well.
    """

    def __init__(
        self, settings: Settings, load: Callable[[], Settings] | None, parts: Parts,
        told: Callable[[Settings], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._settings, self._load, self._parts, self._told = settings, load, parts, told
        self._tasks: set[asyncio.Task[Any]] = set()
        self._one = asyncio.Lock()
        self.problem: RingError | None = None

    async def now(self) -> Changes:
        """Read them; return what has changed.

        Raises:
            SetupError: CFG-INVALID: the old settings go on to hold, all of them.
        """
        async with self._one:
            if self._load is None:
                return Changes()
            try:
                new = await asyncio.to_thread(self._load)
            except RingError as error:
                self.problem = error
                log.error("settings_refused code=%s detail=%s", error.code, error.detail)  # noqa: TRY400
                raise
            changes = changes_between(self._settings, new)
            self._settings.take_over(merged(self._settings, new, changes))
            self._told(self._settings)
            await self._parts.take(self._settings, changes)
            names = ", ".join(changes.at_restart)
            self.problem = fault_error("CFG-RESTART", names) if names else None
            log.info("settings_read changed=%s restart=%s", ",".join(changes.now) or "-", names or "-")
            if names:
                log.warning("CFG-RESTART: these take effect when the server is started anew: %s", names)
            return changes

    @contextlib.contextmanager
    def on_signal(self) -> Iterator[None]:
        """Read them at each SIGHUP inside of the `with`, where there is such a signal and a main thread to hear it."""
        loop = asyncio.get_running_loop()
        if self._load is None or not hasattr(signal, "SIGHUP"):
            yield
            return
        loop.add_signal_handler(signal.SIGHUP, self._begin)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)

    def _begin(self) -> None:
        task = asyncio.create_task(self._quietly(), name="settings")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self) -> None:
        with contextlib.suppress(RingError):  # it is in the log, and among the notices
            await self.now()


def reload_router(reloading: Reloading) -> APIRouter:
    """Return `/api/config/reload`."""
    router = APIRouter(prefix="/api/config", tags=["about"])

    @router.post("/reload")
    async def reload() -> dict[str, Any]:
        """Read the settings anew, as SIGHUP does; answers with what has changed, and what needs a restart, by name."""
        changes = await reloading.now()
        return {"changed": changes.now, "restart": changes.at_restart}

    return router
