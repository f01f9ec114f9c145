"""Playing one of the app's sounds on a chime. Pure; nobody has shown this live (partner-api.md#chimes)."""

from collections.abc import Mapping

from ringlight.errors import fault_error
from ringlight.http.flow import Response
from ringlight.partner.api import Group
from ringlight.partner.call import Conversation, ask
from ringlight.partner.documents import single
from ringlight.partner.parts import UNSET, Maybe, Part
from ringlight.resilience.operation import Family, Lane, Operation, Repeat

__all__ = ["Chimes", "Playback"]


class Playback(Part, frozen=True, kw_only=True):
    """What Ring says of a sound that was asked for.

    Attributes:
        id: The sound; empty where the answer has no body.
        status: Such as `completed`.
    """

    id: str = ""
    status: Maybe[str] = UNSET


class Chimes(Group):
    """Conversations with chimes."""

    def play(
        self, device_id: str, audio_ref: str | None = None, *, body: Mapping[str, object] | None = None
    ) -> Conversation[Playback]:
        """Play a sound that is in one of the app's slots. Other sounds cannot be played.

        Args:
            device_id: The chime.
            audio_ref: The slot's sound, from `devices.configurations`.
            body: The whole body in place of the documented one: sources disagree about its form.

        Raises:
            UsageError: PARTNER-ARGUMENT, neither was given, or both.
        """
        if (audio_ref is None) == (body is None):
            raise fault_error("PARTNER-ARGUMENT", "give the sound, or the whole body")
        documented = {"data": {"type": "audio", "attributes": {"audio_ref": audio_ref}}}
        operation = Operation("chimes.play", Repeat.ONCE, Lane.CONTROL, Family.DEVICE, device_id)
        url = self.api.url("devices", device_id, "media", "audio", "playback")
        return ask(self.api.call(operation, "POST", url, _playback, json=documented if body is None else dict(body)))


def _playback(response: Response) -> Playback:
    if not response.body:
        return Playback()
    resource, _ = single(response)
    return Playback() if resource is None else Playback.read(resource.attributes, id=resource.id)
