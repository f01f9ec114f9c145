"""A camera as the page, the commands and programs see it, whatever it is behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ringlight.account import Device
from ringlight.cameras.view import Direction, SharedView, View
from ringlight.errors import fault_error
from ringlight.faults import FAULTS


class Camera:
    """One camera and its shared view.

    Attributes:
        id: Its name in addresses: `front-door`.
        device: What Ring says of it; replaced when the list is read anew.
        view: The view that all share.
    """

    def __init__(self, identifier: str, device: Device, view: SharedView) -> None:
        self.id = identifier
        self.device = device
        self.view = view

    @property
    def name(self) -> str:
        """What its owner called it."""
        return self.device.name

    @asynccontextmanager
    async def live_view(self) -> AsyncIterator[View]:
        """Watch it. Everybody who does shares one upstream; the first opens it.

        Raises:
            RingError: Why it cannot be watched.
        """
        async with self.view.join() as view:
            yield view

    async def turn(self, direction: Direction) -> None:
        """Turn the camera one step; opens the shared view for it if nobody watches.

        Raises:
            CameraError: CAM-NO-PTZ or CAM-COMMAND.
        """
        if not self.device.has_ptz:
            raise fault_error("CAM-NO-PTZ", self.name)
        async with self.view.join() as view:
            await view.turn(direction)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        device = self.device
        return {
            "id": self.id,
            "name": device.name,
            "kind": device.kind,
            "model": device.model,
            "power": device.power.value,
            "battery_percent": device.battery_percent,
            "state": device.state.value,
            "can_turn": device.has_ptz,
            "refusal": FAULTS[device.refusal].as_dict() if device.refusal else None,
            "view": self.view.progress.state,
            "viewers": self.view.progress.viewers,
        }
