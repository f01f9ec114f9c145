"""Puts cameras and people into a browser, and says why when live video fails."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringlight.cameras import Account, Camera, View
    from ringlight.errors import RingError
    from ringlight.liveview import LiveViewClient
    from ringlight.settings import Settings, load_settings

__version__ = "0.1.0"
__all__ = ["Account", "Camera", "LiveViewClient", "RingError", "Settings", "View", "load_settings"]

_HOMES = {
    "Account": "cameras",
    "Camera": "cameras",
    "LiveViewClient": "liveview",
    "RingError": "errors",
    "Settings": "settings",
    "View": "cameras",
    "load_settings": "settings",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for at the first use, so that `import ringlight` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ringlight' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"ringlight.{_HOMES[name]}"), name)
