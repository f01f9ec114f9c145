"""Live view of one camera over Ring's app socket: messages, the session machine, and the client around it."""

from ringlight.liveview.client import LiveViewClient

__all__ = ["LiveViewClient"]
