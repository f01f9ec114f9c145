"""What else somebody said who called the doctor, and the settings that it looks with."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ringlight.http.address import seen_from_here
from ringlight.settings import Settings

__all__ = ["Asked", "own_host", "quick"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What else somebody said who called the doctor.

    Attributes:
        page: The address of the page that uses a server.
        origin: Its origin; empty: that of `page`.
        webhook: A webhook receiver that shall get a signed delivery.
        seconds: For how long a camera is watched at least.
        wall: The time in seconds since 1970.
    """

    page: str = ""
    origin: str = ""
    webhook: str = ""
    seconds: float = 0.0
    wall: Callable[[], float] = time.time

    @property
    def from_origin(self) -> str | None:
        """The origin of the page; `None` where nothing was said."""
        parts = urlsplit(self.page)
        return self.origin.rstrip("/") or (f"{parts.scheme}://{parts.netloc}" if parts.netloc else "") or None


def own_host(settings: Settings) -> str:
    """Return where our own server is found from this machine, as an address has it."""
    host = seen_from_here(settings.server.host)
    return f"[{host}]" if ":" in host else host


def quick(settings: Settings) -> Settings:
    """Return the settings with views that are tried once: the doctor wants to see the fault, not to get over it."""
    once = settings.live_view.model_copy(update={"retries": 0, "reopen_retries": 0})
    cameras = settings.cameras.model_copy(update={"linger": 0.0})
    return settings.model_copy(update={"live_view": once, "cameras": cameras})
