"""Events over the signaling socket: subscriptions, and what is told to whom."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from ringlight.liveview import messages
from ringlight.liveview.messages import Message, PushWish
from ringlight.simulator.premises import LOCATION, SimEvent

__all__ = ["Subscriptions"]

MOST = 100  # of one socket; the oldest go


@dataclass(slots=True)
class Subscriptions:
    """The subscriptions of one socket, one for each dialog that asked."""

    dice: random.Random
    _of_dialog: dict[str, tuple[str, tuple[PushWish, ...]]] = field(default_factory=dict)

    def receive(self, message: Message) -> Message | None:
        """Take a message about events, judged already; return the reply if it has one."""
        dialog_id = message.dialog_id or ""
        match message.body:
            case messages.PushSubscribe(requested_notifications=wishes):
                name = f"sub-{self.dice.getrandbits(64):016x}"
                while len(self._of_dialog) >= MOST:
                    del self._of_dialog[next(iter(self._of_dialog))]
                self._of_dialog[dialog_id] = name, wishes
                ack = messages.PushSubscriptionAck(status="ok", subscription_id=name)
                return Message(method=ack.METHOD, dialog_id=message.dialog_id, riid=message.riid, body=ack)
            case messages.PushUnsubscribe():
                self._of_dialog.pop(dialog_id, None)
            case _:
                pass  # a heartbeat is not answered
        return None

    def about(self, event: SimEvent, now: int) -> Iterator[Message]:
        """Yield what is told of an event, once for each subscription that wants it. `now` in milliseconds."""
        for dialog_id, (name, wishes) in self._of_dialog.items():
            wanted = [wish for wish in wishes if _wants(wish, event.doorbot_id)]
            if not wanted:
                continue
            payload = {
                "device_id": str(event.doorbot_id),
                "location_id": LOCATION["location_id"],
                "start_time": now,
                "end_time": now,
            }
            told = messages.PushEvent(
                subscription_id=name,
                notification_type=wanted[0].notification_type,
                notification_scope=wanted[0].notification_scope or "event",
                payload={**payload, "kind": event.kind, "event_id": str(event.id)},
                filter_identifiers=tuple(wish.filter_identifier for wish in wanted if wish.filter_identifier),
                ingestion_time_ms=now,
            )
            yield Message(method=told.METHOD, dialog_id=dialog_id, body=told)


def _wants(wish: PushWish, doorbot_id: int) -> bool:
    return wish.filters is None or not wish.filters.doorbot_ids or doorbot_id in wish.filters.doorbot_ids
