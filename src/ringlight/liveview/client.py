"""The live view of a camera of somebody's Ring account, over Ring's signaling socket."""

from collections.abc import Awaitable, Callable

from ringlight.errors import RingError, fault_error
from ringlight.liveview.attempt import Attempt
from ringlight.liveview.events import Closed, Step
from ringlight.liveview.lasting import LastingView
from ringlight.liveview.leg import Leg
from ringlight.liveview.story import Event
from ringlight.liveview.trace import Trace
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.secrets import Secret
from ringlight.settings import LiveViewSettings

__all__ = ["LiveViewClient"]


def _ignore(_: object) -> None:
    pass


class LiveViewClient(LastingView):
    """One live view of one camera over Ring's signaling socket.

    Use it with `async with`: it opens on entering and is closed in order on leaving. Most programs want
    `ringlight.Account` instead, which shares one view among all who watch.

    Args:
        doorbot_id: The camera's number, as `ring_devices` gives it.
        token: Makes sure of an access token; called before each attempt.
        renewed_token: Makes sure of a newer access token, after Ring refused the one behind a ticket; `None`
            calls `token` again.
        signaling_url: Fetches a ticket and returns the URL with it; called for each attempt, since a
            ticket is good for one connection.
        settings: Deadlines and limits.
        on_packet: Called with each RTP packet of the camera: video in its own order, sound as it arrives.
        on_agreed: Called for each attempt that was answered, with the codecs.
        on_event: Called with steps, notes and attempts as they pass; `events()` tells the same.
        is_watched: Whether anybody still wants to see the camera; asked before each further attempt. By default
            whoever opened the view does until it is closed.
        may_renew: Whether somebody still watches and the view may go on beyond Ring's time limit; asked
            when that comes near.
        trace: Records each signaling message; `None` records nothing.
    """

    def __init__(
        self,
        doorbot_id: int,
        *,
        token: Callable[[], Awaitable[object]],
        signaling_url: Callable[[], Awaitable[Secret]],
        renewed_token: Callable[[], Awaitable[object]] | None = None,
        settings: LiveViewSettings | None = None,
        on_packet: Callable[[Packet], None] = _ignore,
        on_agreed: Callable[[Agreed], None] = _ignore,
        on_event: Callable[[Event], None] = _ignore,
        is_watched: Callable[[], bool] = lambda: True,
        may_renew: Callable[[], bool] = lambda: False,
        trace: Trace | None = None,
    ) -> None:
        super().__init__(
            str(doorbot_id), self._over_socket, settings or LiveViewSettings(), on_packet=on_packet,
            on_agreed=on_agreed, on_event=on_event, is_watched=is_watched, may_renew=may_renew,
        )  # fmt: skip
        self.doorbot_id = doorbot_id
        self._token, self._signaling_url = token, signaling_url
        self._renewed_token = renewed_token or token
        self._trace = trace

    async def _over_socket(self, leg: Leg, renew_token: bool) -> RingError:
        await (self._renewed_token() if renew_token else self._token())
        leg.acted(Step("token"))
        url = await self._signaling_url()
        leg.acted(Step("ticket"))
        attempt = Attempt(
            self.doorbot_id, self._settings, on_action=leg.acted, on_agreed=leg.answered, on_packet=leg.took,
            trace=self._trace,
        )  # fmt: skip
        leg.begun(attempt)
        closed: Closed = await attempt.run(url)
        return fault_error(closed.code, closed.detail)
