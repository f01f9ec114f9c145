"""All cameras of one server, whatever drivers they come from."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol
from weakref import WeakKeyDictionary

from ringlight.cameras.camera import Camera
from ringlight.cameras.leased import Lease
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS, Retry

__all__ = ["Cameras", "House", "TakeCamera"]

TakeCamera = Callable[[str, str], Awaitable[Lease]]
"""Takes the lease of a camera by Ring's id, with the name to be shown; raises ElsewhereError."""


class Cameras(Protocol):
    """Where cameras come from: a person's account, a linked one, or a house of several."""

    @property
    def problems(self) -> Sequence[RingError]:
        """Why some of them are missing in what `cameras` returned last."""

    async def cameras(self) -> Sequence[Camera]:
        """List them; the same camera stays the same object.

        Raises:
            RingError: Why there is no list at all.
        """

    async def camera(self, name: str) -> Camera:
        """Return one by its name or its id in addresses.

        Raises:
            CameraError: CAM-UNKNOWN, with the names that there are.
        """


class House:
    """Cameras of several sources as one. Where one source fails, those of the others are there.

    Args:
        sources: In the order in which their cameras are listed. Whoever opened them closes them.
        take: Asked before a view opens; `None` where there is one server only.
    """

    def __init__(self, *sources: Cameras, take: TakeCamera | None = None) -> None:
        self._sources = sources
        self._take = take
        self._problems: tuple[RingError, ...] = ()
        self._listed: dict[Cameras, Sequence[Camera]] = {}  # by each source, when it could last
        self._found: WeakKeyDictionary[Cameras, dict[str, Camera]] = WeakKeyDictionary()  # each by itself, by its id

    async def sources(self) -> Sequence[Cameras]:
        """Return the sources that there are now."""
        return self._sources

    @property
    def problems(self) -> Sequence[RingError]:
        """Why cameras of some source are missing in what `cameras` returned last."""
        return self._problems

    async def cameras(self) -> list[Camera]:
        """List the cameras of all sources; of one that fails now, those that it had before.

        Raises:
            RingError: Why the first that failed could not be listed, where there is no camera at all.
        """
        sources, failed = await self.sources(), list[RingError]()
        answers = await asyncio.gather(*(source.cameras() for source in sources), return_exceptions=True)
        listed: dict[Cameras, Sequence[Camera]] = {}
        for source, answer in zip(sources, answers, strict=True):
            if not isinstance(answer, BaseException):
                listed[source] = answer
            elif not isinstance(answer, RingError):
                raise answer
            elif source in self._listed:  # a list that was good a moment ago is better than none
                listed[source] = self._listed[source]
            else:
                failed.append(answer)
        self._listed = listed
        found = [self._leased(camera) for cameras in listed.values() for camera in cameras]
        if failed and not found:
            raise failed[0]
        self._problems = (*failed, *(problem for source in sources for problem in source.problems))
        return found

    async def camera(self, name: str) -> Camera:
        """Return a camera by its name or its id in addresses; of two with the same name the first.

        Where a source fails in passing, a camera is returned that it had before: who opens its view is told what is
        wrong, and the view tries again by itself.

        Raises:
            CameraError: CAM-UNKNOWN, with the names that there are.
            RingError: It is not among those that could be listed.
        """
        sources, known = await self.sources(), list[str]()
        failed: RingError | None = None
        for source in sources:
            try:
                found = await source.camera(name)
                self._found.setdefault(source, {})[found.id] = found
                return self._leased(found)
            except RingError as error:
                if error.code != "CAM-UNKNOWN":
                    before = self._before(source, name)
                    if before is not None and FAULTS[error.code].retry in (Retry.NOW, Retry.BACKOFF):
                        return self._leased(before)
                    failed = failed or error
                    continue
            known += [camera.name for camera in await source.cameras()]
        if failed is not None:
            raise failed
        raise fault_error("CAM-UNKNOWN", f"asked for {name[:80]!r}; known: {', '.join(known) or 'none'}")

    def _leased(self, camera: Camera) -> Camera:
        if self._take is not None and camera.view.take is None:
            camera.view.take = partial(self._take, str(camera.device.id), camera.id)
        return camera

    def _before(self, source: Cameras, name: str) -> Camera | None:
        """Return the camera of that name or id which a source had when it was last listed, or asked for it."""
        wanted = name.casefold()
        known = (*self._listed.get(source, ()), *self._found.get(source, {}).values())
        return next((one for one in known if wanted in (one.id, one.name.casefold())), None)
