"""Opening and closing a live view by WHEP. Pure; the facts are in partner-api.md#live-view."""

from dataclasses import dataclass, field

from ringlight.errors import NotFoundError, fault_error
from ringlight.http.flow import Response
from ringlight.partner.api import Group
from ringlight.partner.call import Conversation, ask
from ringlight.partner.documents import bad_answer, object_of
from ringlight.resilience.operation import Family, Lane, Operation, Repeat

__all__ = ["Live", "LiveSession"]

_SDP = "application/sdp"
_OPENS_WITHIN = 10.0  # seconds; the first picture came after 2.7 to 5.1
_LONGEST_ANSWER = 256 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A live view that Ring has opened.

    Attributes:
        device_id: The camera.
        answer: Its SDP.
        location: Where it is closed; `None` if Ring named no place, and it ends only by itself.
    """

    device_id: str
    answer: str = field(repr=False)
    location: str | None


class Live(Group):
    """Conversations about live views."""

    def open(self, device_id: str, offer: str, *, component_id: str | None = None) -> Conversation[LiveSession]:
        """Open a live view. It wakes the camera, records, and ends after 30 or 60 s (`live_view_seconds`).

        Args:
            device_id: The camera.
            offer: An SDP that is whole: candidates cannot be sent later. Video must be `recvonly`.
            component_id: Of several cameras in a device, which.

        Raises:
            DeviceOfflineError: PARTNER-DEVICE-OFFLINE.
            BadAnswerError: PARTNER-ANSWER without an SDP; PARTNER-ORIGIN, the session is at another origin.
            UsageError: PARTNER-ARGUMENT, the offer is no SDP.
        """
        if not offer.startswith("v=0"):
            raise fault_error("PARTNER-ARGUMENT", "the offer is no SDP")
        query = () if component_id is None else (("component_id", component_id),)
        url = self.api.url("devices", device_id, "media", "streaming", "whep", "sessions", query=query)

        def decode(response: Response) -> LiveSession:
            location = response.headers.get("location")
            return LiveSession(device_id, _answer(response), self.api.own(location, url) if location else None)

        operation = Operation("live.open", Repeat.ONCE, Lane.LIVE, Family.DEVICE, device_id, _OPENS_WITHIN)
        headers = {"Content-Type": _SDP, "Accept": _SDP}
        content = offer.encode()
        return ask(
            self.api.call(operation, "POST", url, decode, content=content, headers=headers, limit=_LONGEST_ANSWER)
        )

    def close(self, session: LiveSession) -> Conversation[None]:
        """Close a live view. One that has ended already is closed too."""
        if session.location is None:
            return
        url = self.api.own(session.location)
        operation = Operation("live.close", Repeat.IDEMPOTENT, Lane.LIVE, Family.DEVICE, session.device_id)
        try:
            yield self.api.call(operation, "DELETE", url, _nothing)
        except NotFoundError:
            return  # 404 or 410: it had ended


def _answer(response: Response) -> str:
    """Return the SDP; also one in JSON, which a client was seen to expect."""
    text = response.text
    if text.lstrip().startswith("{"):
        data = object_of(response).get("data")
        attributes = data.get("attributes") if isinstance(data, dict) else None
        found = attributes.get("answer") if isinstance(attributes, dict) else None
        text = found if isinstance(found, str) else ""
    if not text.startswith("v=0"):
        raise bad_answer(response, "no SDP")
    return text


def _nothing(_response: Response) -> None:
    return None
