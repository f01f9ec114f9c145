"""Webhooks from Ring: verified, stored before they are answered, and handled in order.

`Verifier` alone is pure and enough for who has a queue of their own; `Webhooks` does the rest.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringlight.partner.webhooks.decision import Answer, Arrival
    from ringlight.partner.webhooks.events import (
        ButtonPressed,
        DeviceAdded,
        DeviceOffline,
        DeviceOnline,
        DeviceRemoved,
        Event,
        IntegrationAdded,
        IntegrationRemoved,
        MotionDetected,
        SensorChanged,
        SubscriptionActivated,
        SubscriptionDeactivated,
        parse,
    )
    from ringlight.partner.webhooks.handlers import Handlers
    from ringlight.partner.webhooks.receiving import Webhooks
    from ringlight.partner.webhooks.redis_stream import RedisStream
    from ringlight.partner.webhooks.signature import Verifier, signature_of
    from ringlight.partner.webhooks.work import Pace

__all__ = [
    "Answer",
    "Arrival",
    "ButtonPressed",
    "DeviceAdded",
    "DeviceOffline",
    "DeviceOnline",
    "DeviceRemoved",
    "Event",
    "Handlers",
    "IntegrationAdded",
    "IntegrationRemoved",
    "MotionDetected",
    "Pace",
    "RedisStream",
    "SensorChanged",
    "SubscriptionActivated",
    "SubscriptionDeactivated",
    "Verifier",
    "Webhooks",
    "parse",
    "signature_of",
]

_HOMES = {
    "Answer": "decision", "Arrival": "decision", "Handlers": "handlers", "Pace": "work",
    "RedisStream": "redis_stream", "Verifier": "signature",
    "Webhooks": "receiving", "signature_of": "signature",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import what is asked for at the first use: who only verifies pays for no database."""
    if name not in __all__:
        raise AttributeError(f"module 'ringlight.partner.webhooks' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"ringlight.partner.webhooks.{_HOMES.get(name, 'events')}"), name)
