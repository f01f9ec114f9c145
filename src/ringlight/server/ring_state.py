"""What the page shows of a Ring app: linked accounts, what they told, what was given up, and notices."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

from ringlight.cameras.linked import LinkedCameras
from ringlight.cameras.partner import PartnerCamera
from ringlight.errors import RingError
from ringlight.faults import FAULTS
from ringlight.partner import Notice
from ringlight.partner.webhooks.events import ButtonPressed, Event, MotionDetected, parse
from ringlight.server.ring_notices import RingNotices
from ringlight.store.inbox import Inbox, Kept
from ringlight.store.link_rows import LinkRows
from ringlight.store.links import AccountLink

__all__ = ["RingState"]

SHOWN = 50  # events, and dead letters
LOOK_EVERY = 2.0  # seconds between two looks at the store: another process may have changed it
CLIP = 10_000  # milliseconds of footage that are shown from the moment of an event


class RingState:
    """Reads it together from the store, and from what was told since the program began.

    Args:
        inbox: The webhooks.
        rows: The links.
        cameras: The cameras of linked accounts, to say at which of them something happened.
        wall: The time in seconds since 1970; tests pass their own.
    """

    def __init__(
        self, inbox: Inbox, rows: LinkRows, cameras: LinkedCameras, wall: Callable[[], float] = time.time
    ) -> None:
        self._inbox, self._rows, self._cameras = inbox, rows, cameras
        self._notices, self._wall = RingNotices(), wall
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Let everybody who looks on look at the store now."""
        self._changed.set()
        self._changed = asyncio.Event()

    def noticed(self, account: str, notice: Notice) -> None:
        """Take what a client wants people to know."""
        subject = notice.subject if notice.topic == "service" else f"{notice.topic} of …{account[-6:]}"
        self._notices.told(notice.code, subject, over=notice.over, now=self._wall())
        self.changed()

    def refused(self, problem: RingError, count: int) -> None:
        """Take that webhooks were not taken, so many since this was last said."""
        self._notices.refused(problem.code, problem.detail, count, now=self._wall())
        self.changed()

    def taken(self) -> None:
        """Take that a webhook was taken."""
        self._notices.taken(now=self._wall())

    def camera_of(self, device: str | None) -> str | None:
        """Return the id in addresses of the camera that is this device; `None` where none is, as far as is known."""
        return next((camera.id for camera in self._cameras.listed() if camera.device.id == device), None)

    async def snapshot(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        links, devices, rows, dead = await asyncio.to_thread(self._read)
        cameras = {camera.device.id: camera for camera in self._cameras.listed()}
        return {
            "links": [_link(link, devices[link.account], cameras) for link in links],
            "events": [_row(row, cameras) for row in rows],
            "dead": [_row(row, cameras) for row in dead],
            "notices": self._notices.latest(now=self._wall()),
        }

    async def status(self) -> dict[str, Any]:
        """Return in short how accounts and webhooks do, as JSON, and the notices that still hold."""
        links, counts = await asyncio.to_thread(lambda: (self._rows.links(), self._inbox.counts()))
        return {
            "accounts": [{"account": link.account[-6:], "state": link.state.value} for link in links],
            "notices": [one for one in self._notices.latest(now=self._wall()) if not one["over"]],
            "webhooks": counts,
        }

    async def changes(self) -> AsyncGenerator[dict[str, Any], None]:
        """Yield a snapshot now and for each change, for as long as wanted."""
        shown: dict[str, Any] | None = None
        while True:
            changed = self._changed
            snapshot = await self.snapshot()
            if snapshot != shown:
                shown = snapshot
                yield snapshot
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await changed.wait()
            except TimeoutError:
                continue

    def _read(self) -> tuple[list[AccountLink], dict[str, list[str]], list[Kept], list[Kept]]:
        links = self._rows.links()
        devices = {link.account: self._rows.devices(link.account) for link in links}
        return links, devices, self._inbox.latest(SHOWN), self._inbox.dead(limit=SHOWN)


def _link(link: AccountLink, devices: list[str], cameras: dict[str, PartnerCamera]) -> dict[str, Any]:
    return {
        "account": link.account[-6:], "state": link.state.value, "since": link.since, "identifier": link.identifier,
        "devices": len(devices), "cameras": [cameras[device].id for device in devices if device in cameras],
    }  # fmt: skip


def _row(row: Kept, cameras: dict[str, PartnerCamera]) -> dict[str, Any]:
    event = _event(row)
    camera = cameras.get(row.subject)
    at = event.timestamp if event is not None else None
    has_footage = isinstance(event, (MotionDetected, ButtonPressed)) and at is not None and camera is not None
    code, _, detail = (row.problem or "").partition(": ")
    return {
        "number": row.number, "type": row.type, "received": row.received_at, "state": row.state,
        "attempts": row.attempts, "account": row.account[-6:], "device": row.subject[-6:],
        "at": None if at is None else at / 1000,
        "subtype": event.subtype if isinstance(event, MotionDetected) else None,
        "camera": None if camera is None else {"id": camera.id, "name": camera.name},
        "recording": f"{at}-{at + CLIP}" if has_footage and at is not None else None,
        "fault": FAULTS[code].as_dict(detail or None) if code in FAULTS else None,
    }  # fmt: skip


def _event(row: Kept) -> Event | None:
    try:
        return parse(row.body)
    except RingError:  # stored by a version that could read it
        return None
