"""Ring's official Partner API: `Client`, `AsyncClient` and what they give, each imported when it is used."""

from typing import TYPE_CHECKING

from ringlight.lazy import from_homes

if TYPE_CHECKING:
    from ringlight.partner.async_client import AsyncClient
    from ringlight.partner.choices import Off
    from ringlight.partner.client import Client
    from ringlight.partner.part_file import Memory
    from ringlight.partner.parts import UNSET, plain
    from ringlight.partner.raw import RawResponse
    from ringlight.partner.setup import Stored
    from ringlight.resilience.events import Event, Notice
    from ringlight.resilience.options import Strategies
    from ringlight.resilience.stale import Stale
    from ringlight.store.pairs import TokenPair

__all__ = [
    "UNSET",
    "AsyncClient",
    "Client",
    "Event",
    "Memory",
    "Notice",
    "Off",
    "RawResponse",
    "Stale",
    "Stored",
    "Strategies",
    "TokenPair",
    "plain",
]

_HOMES = {
    "UNSET": "ringlight.partner.parts",
    "AsyncClient": "ringlight.partner.async_client",
    "Client": "ringlight.partner.client",
    "Event": "ringlight.resilience.events",
    "Memory": "ringlight.partner.part_file",
    "Notice": "ringlight.resilience.events",
    "Off": "ringlight.partner.choices",
    "RawResponse": "ringlight.partner.raw",
    "Stale": "ringlight.resilience.stale",
    "Stored": "ringlight.partner.setup",
    "Strategies": "ringlight.resilience.options",
    "TokenPair": "ringlight.store.pairs",
    "plain": "ringlight.partner.parts",
}

__getattr__ = from_homes(__name__, _HOMES)
