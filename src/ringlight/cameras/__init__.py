"""Cameras: one shape for every kind, and the shared view that opens for the first who watches."""

from ringlight.cameras.account import Account
from ringlight.cameras.camera import Camera
from ringlight.cameras.view import SharedView, View

__all__ = ["Account", "Camera", "SharedView", "View"]
