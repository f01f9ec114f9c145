"""One dialog by its names: which messages are for it, and what the client says in it. Pure."""

from dataclasses import dataclass, field
from typing import Any

from ringlight.liveview import messages
from ringlight.liveview.events import LocalCandidate, Send
from ringlight.liveview.messages import Message
from ringlight.liveview.talking import microphone

__all__ = ["Dialog"]


OF_ANOTHER = "belongs to another dialog"


@dataclass(slots=True)
class Dialog:
    """The camera, dialog and session that each of its messages names.

    Attributes:
        doorbot_id: The camera's number.
        dialog_id: A UUID, one per live view.
        riid: 32 hex digits; the same in every message of the dialog.
        session_id: The server's; `None` until it has told.
    """

    doorbot_id: int
    dialog_id: str
    riid: str
    session_id: str | None = None
    _waiting: list[LocalCandidate] = field(default_factory=list)

    def stranger(self, message: Message) -> str | None:
        """Say whom a message is for, if it is not for us: several dialogs may share a socket."""
        body = message.body
        if message.dialog_id not in (None, self.dialog_id):
            return OF_ANOTHER
        if not isinstance(body, messages.Unknown | messages.PushBody) and body.doorbot_id != self.doorbot_id:
            return f"is for camera {body.doorbot_id}"
        opens = isinstance(body, messages.SessionCreated | messages.SessionStarted)
        if not opens and self.session_id is not None and body.session_id not in (None, self.session_id):
            return "belongs to another session"
        return None

    def created(self, session_id: str) -> list[Send]:
        """Take the server's name for it; return what has waited for that."""
        self.session_id = session_id
        waiting, self._waiting = self._waiting, []
        return [self._candidate(each) for each in waiting]

    def offer(self, sdp: str, *, sound: bool) -> Send:
        """Begin the dialog."""
        options = messages.Streams(audio_enabled=sound, video_enabled=True)
        return self.send(messages.LiveView(doorbot_id=self.doorbot_id, sdp=sdp, type="offer", stream_options=options))

    def activation(self, *, sound: bool) -> list[Send]:
        """Go live: activate, with a closed microphone and the streams that are wanted, and begin to ping."""
        mine = messages.StreamOptions(
            doorbot_id=self.doorbot_id, session_id=self.session_id, audio_enabled=sound, video_enabled=True
        )
        return [
            # Without activate_session Ring ends the stream after about 70 seconds.
            self.send(messages.ActivateSession(doorbot_id=self.doorbot_id, session_id=self.session_id)),
            self.send(microphone(self.doorbot_id, self.session_id, on=False)),
            self.send(mine),
            self.ping(),
        ]

    def ping(self) -> Send:
        """Say that we are there."""
        return self.send(messages.Ping(doorbot_id=self.doorbot_id, session_id=self.session_id))

    def tell(self, candidate: LocalCandidate) -> list[Send]:
        """Tell one of our addresses: nothing but the offer goes out before there is a session."""
        if self.session_id is None:
            self._waiting.append(candidate)
            return []
        return [self._candidate(candidate)]

    def _candidate(self, candidate: LocalCandidate) -> Send:
        return self.send(
            messages.Ice(
                doorbot_id=self.doorbot_id,
                session_id=self.session_id,
                ice=candidate.line,
                mlineindex=candidate.mlineindex,
                mid=candidate.mid,
            )
        )

    def command(self, command: dict[str, Any]) -> Send:
        """Let the camera do something, by JSON-RPC."""
        return self.send(messages.Rpc(doorbot_id=self.doorbot_id, session_id=self.session_id, command=command))

    def close(self) -> Send:
        """End the dialog in the regular way."""
        reason = messages.Reason(code=0, text="client_closed")
        return self.send(messages.Close(doorbot_id=self.doorbot_id, session_id=self.session_id, reason=reason))

    def send(self, body: messages.Body) -> Send:
        """Put a body into the dialog's envelope."""
        return Send(Message(method=body.METHOD, dialog_id=self.dialog_id, riid=self.riid, body=body))
