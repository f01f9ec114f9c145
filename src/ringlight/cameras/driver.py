"""What a driver gives for one camera: what is known of it, and what can be done with it besides live video."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import Field
from typing import Any, ClassVar, Protocol

from ringlight.account import Power
from ringlight.account.devices import Online
from ringlight.account.events import CameraEvent
from ringlight.http.flow import Streamed
from ringlight.secrets import Secret

__all__ = ["Controls", "Described"]


class Described(Protocol):
    """What is known of a camera; `ringlight.account.Device` is one, where each field is explained."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def id(self) -> int | str:
        """Ring's own id of it, which stays the same whatever it is called."""

    @property
    def name(self) -> str:
        """What its owner called it."""

    @property
    def kind(self) -> str:
        """The kind, as its driver calls it."""

    @property
    def model(self) -> str:
        """The kind in words for people."""

    @property
    def power(self) -> Power:
        """What it runs on."""

    @property
    def battery_percent(self) -> int | None:
        """0 to 100; `None` without a reading."""

    @property
    def state(self) -> Online:
        """Whether it can be reached."""

    @property
    def refusal(self) -> str | None:
        """The fault with which a live view would be refused now."""

    @property
    def has_light(self) -> bool:
        """It has a light that can be switched."""

    @property
    def light_on(self) -> bool | None:
        """Whether the light is on."""

    @property
    def has_siren(self) -> bool:
        """It has a siren."""

    @property
    def siren_seconds(self) -> int | None:
        """For how many seconds more the siren sounds."""

    @property
    def has_ptz(self) -> bool:
        """It pans and tilts."""

    @property
    def has_recordings(self) -> bool | None:
        """Whether there are recordings of what it saw."""


class Controls(Protocol):
    """What a driver can do with a camera besides live video. Errors are those of `Camera`'s methods."""

    async def set_light(self, on: bool) -> None:
        """Switch the light."""

    async def set_siren(self, on: bool, *, seconds: int) -> None:
        """Sound or silence the siren."""

    async def fresh_snapshot(self, *, within: float, streaming: bool) -> bytes | None:
        """Have the camera take a picture now; `None` where only a live view shows what is now."""

    async def events(self, limit: int, before: str | None) -> list[CameraEvent]:
        """List what it has seen before an event, newest first."""

    def event_named(self, identifier: str) -> CameraEvent:
        """Return an event of which no more than the id is known."""

    async def recording_url(self, event: CameraEvent) -> Secret:
        """Return the address of a recording, which expires."""

    def stream_recording(
        self, url: Secret, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Streamed]:
        """Read a recording piece by piece."""
