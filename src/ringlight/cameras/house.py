"""All cameras of one server, whatever drivers they come from."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from ringlight.cameras.camera import Camera
from ringlight.errors import RingError, fault_error

__all__ = ["Cameras", "House"]


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
    """

    def __init__(self, *sources: Cameras) -> None:
        self._sources = sources
        self._problems: tuple[RingError, ...] = ()

    async def sources(self) -> Sequence[Cameras]:
        """Return the sources that there are now."""
        return self._sources

    @property
    def problems(self) -> Sequence[RingError]:
        """Why cameras of some source are missing in what `cameras` returned last."""
        return self._problems

    async def cameras(self) -> list[Camera]:
        """List the cameras of all sources.

        Raises:
            RingError: Why the first could not be listed, where none could.
        """
        sources = await self.sources()
        listed, failed = await _asked(sources)
        if failed and len(failed) == len(sources):
            raise failed[0]
        self._problems = (*failed, *(problem for source in sources for problem in source.problems))
        return listed

    async def camera(self, name: str) -> Camera:
        """Return a camera by its name or its id in addresses; of two with the same name the first.

        Raises:
            CameraError: CAM-UNKNOWN, with the names that there are.
            RingError: It is not among those that could be listed.
        """
        sources, known = await self.sources(), list[str]()
        failed: RingError | None = None
        for source in sources:
            try:
                return await source.camera(name)
            except RingError as error:
                if error.code != "CAM-UNKNOWN":
                    failed = failed or error
                    continue
            known += [camera.name for camera in await source.cameras()]
        if failed is not None:
            raise failed
        raise fault_error("CAM-UNKNOWN", f"asked for {name[:80]!r}; known: {', '.join(known) or 'none'}")


async def _asked(sources: Sequence[Cameras]) -> tuple[list[Camera], list[RingError]]:
    answers = await asyncio.gather(*(source.cameras() for source in sources), return_exceptions=True)
    listed, failed = list[Camera](), list[RingError]()
    for answer in answers:
        if isinstance(answer, RingError):
            failed.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            listed += answer
    return listed, failed
