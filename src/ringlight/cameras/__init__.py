"""Cameras: one shape for every kind, and the shared view that opens for the first who watches."""

from typing import TYPE_CHECKING

from ringlight.lazy import from_homes

if TYPE_CHECKING:
    from ringlight.cameras.account import Account, AccountCamera
    from ringlight.cameras.camera import Camera
    from ringlight.cameras.house import Cameras, House
    from ringlight.cameras.partner import PartnerCameras
    from ringlight.cameras.shared_view import SharedView
    from ringlight.cameras.view import View

__all__ = ["Account", "AccountCamera", "Camera", "Cameras", "House", "PartnerCameras", "SharedView", "View"]

_HOMES = {
    "Account": "ringlight.cameras.account",
    "AccountCamera": "ringlight.cameras.account",
    "Camera": "ringlight.cameras.camera",
    "Cameras": "ringlight.cameras.house",
    "House": "ringlight.cameras.house",
    "PartnerCameras": "ringlight.cameras.partner",
    "SharedView": "ringlight.cameras.shared_view",
    "View": "ringlight.cameras.view",
}

__getattr__ = from_homes(__name__, _HOMES)
