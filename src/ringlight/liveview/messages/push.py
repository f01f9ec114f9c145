"""The messages about what cameras have seen: subscribing to events, the events, and their keep-alive."""

from typing import Any

import msgspec

from ringlight.liveview.messages.dialog import Body


class PushBody(Body, frozen=True, kw_only=True):
    """What the messages about events share: they name no camera in the usual place.

    Attributes:
        doorbot_id: 0 where there is none, as in all of them that were seen.
    """

    doorbot_id: int = 0


class PushFilters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which cameras events are wanted of; empty for all."""

    doorbot_ids: tuple[int, ...] = ()


class PushWish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One kind of event that is wanted. `filter_identifier` is the client's, and comes back with each event."""

    notification_type: str
    notification_scope: str | None = None
    filter_identifier: str | None = None
    filters: PushFilters | None = None


class PushSubscribe(PushBody, frozen=True, kw_only=True):
    """Asks for events over this socket. Opens a dialog of its own."""

    METHOD = "push_subscribe"

    requested_notifications: tuple[PushWish, ...]


class PushSubscriptionAck(PushBody, frozen=True, kw_only=True):
    """The server's reply: `status` is `ok`."""

    METHOD = "push_subscription_ack"

    status: str
    subscription_id: str | None = None


class PushEvent(PushBody, frozen=True, kw_only=True):
    """Something that a camera has seen, as the server tells it. `ingestion_time_ms` is in milliseconds."""

    METHOD = "push_event"

    subscription_id: str
    notification_type: str | None = None
    notification_scope: str | None = None
    payload: dict[str, Any] = msgspec.field(default_factory=dict)
    filter_identifiers: tuple[str, ...] = ()
    ingestion_time_ms: int | float | None = None


class PushHeartbeat(PushBody, frozen=True, kw_only=True):
    """Keep-alive of a subscription, some every five seconds; it is not answered."""

    METHOD = "push_heartbeat"

    subscription_id: str | None = None


class PushUnsubscribe(PushBody, frozen=True, kw_only=True):
    """Ends a subscription."""

    METHOD = "push_unsubscribe"

    subscription_id: str | None = None
