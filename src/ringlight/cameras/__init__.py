"""Cameras: one shape for every kind, and the shared view that opens for the first who watches."""

from ringlight.cameras.account import Account
from ringlight.cameras.camera import Camera
from ringlight.cameras.shared_view import SharedView
from ringlight.cameras.view import View

__all__ = ["Account", "Camera", "SharedView", "View"]
