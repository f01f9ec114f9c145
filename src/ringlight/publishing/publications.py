"""All publications of one server: a publisher for each camera whose settings name a media server."""

import asyncio
from typing import Any, Self

import ringlight
from ringlight.cameras import Cameras
from ringlight.http.driver import AsyncDriver
from ringlight.publishing.publisher import Publisher
from ringlight.settings import OneCamera, Settings

__all__ = ["Publications"]

ANSWER_WITHIN = 15.0  # seconds for one answer of a media server


class Publications:
    """Publishes while inside `async with`.

    Args:
        settings: Which cameras, and where to (`cameras.<id>.publish`).
        cameras: Those there are.
    """

    def __init__(self, settings: Settings, cameras: Cameras) -> None:
        self._settings = settings
        self._wanted: dict[str, OneCamera] = {}
        self._cameras = cameras
        self._driver: AsyncDriver | None = None
        self._publishers: list[Publisher] = []

    async def __aenter__(self) -> Self:
        await self.look()
        return self

    async def look(self) -> None:
        """Publish what the settings say now; what goes on as before is not disturbed."""
        wanted = {name: one for name, one in self._settings.cameras.single.items() if one.publish is not None}
        for publisher in tuple(self._publishers):
            if wanted.get(publisher.name) != self._wanted[publisher.name]:
                self._publishers.remove(publisher)
                await publisher.aclose()
        known = {publisher.name for publisher in self._publishers}
        self._wanted = wanted
        for name in wanted.keys() - known:
            if self._driver is None:
                self._driver = AsyncDriver(timeout=ANSWER_WITHIN, user_agent=f"ringlight/{ringlight.__version__}")
            publisher = Publisher(self._cameras, name, wanted[name], self._driver)
            self._publishers.append(publisher)
            publisher.start()

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(publisher.aclose() for publisher in self._publishers))
        if self._driver is not None:
            await self._driver.aclose()

    def as_list(self) -> list[dict[str, Any]]:
        """Return where each stands, as JSON."""
        return [publisher.as_dict() for publisher in self._publishers]
