"""Puts cameras and people into a browser, and says why when live video fails."""

from typing import TYPE_CHECKING

from ringlight.lazy import from_homes

if TYPE_CHECKING:
    from ringlight.cameras import Account, Camera, View
    from ringlight.errors import RingError
    from ringlight.liveview import LiveViewClient
    from ringlight.settings import Settings, load_settings

__version__ = "0.1.0"
__all__ = ["Account", "Camera", "LiveViewClient", "RingError", "Settings", "View", "load_settings"]

_HOMES = {
    "Account": "ringlight.cameras",
    "Camera": "ringlight.cameras",
    "LiveViewClient": "ringlight.liveview",
    "RingError": "ringlight.errors",
    "Settings": "ringlight.settings",
    "View": "ringlight.cameras",
    "load_settings": "ringlight.settings",
}

__getattr__ = from_homes(__name__, _HOMES)
