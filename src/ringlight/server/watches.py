"""Writes down who watched which camera by WHEP, from when until when: in the audit of the rooms."""

from fastapi import Request

from ringlight.server.access import holder_of
from ringlight.server.playback import Playback
from ringlight.server.room_guests import RoomGuests
from ringlight.server.room_record import RoomRecord

__all__ = ["Watches"]


class Watches:
    """Who watches what.

    Args:
        record: Where it is written, beside the way that answers take: a slow disk holds no picture up.
    """

    def __init__(self, record: RoomRecord) -> None:
        self._record = record

    def began(self, request: Request, playback: Playback) -> None:
        """Write down that somebody watches, and at the end of the playback that it is over."""
        who = RoomGuests.person_of(request.scope) or holder_of(request).who
        camera = playback.camera.id
        self._record.watched(camera, who)
        if playback.task is not None:
            playback.task.add_done_callback(lambda _: self._record.watched(camera, who, over=True))
