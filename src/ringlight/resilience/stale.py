"""The last known good answers, for when there is no other. Pure."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from ringlight.errors import RingError

if TYPE_CHECKING:
    from ringlight.settings import ResilienceSettings

__all__ = ["Key", "Kind", "LastKnown", "Stale", "ages"]


class Kind(Enum):
    """What an answer is about. Media and live view have no kind: an old one of them is of no use."""

    STATUS = "status"
    DEVICES = "devices"  # lists and single ones, locations, capabilities, configurations
    USERS = "users"
    SUBSCRIPTIONS = "subscriptions"


@dataclass(frozen=True, slots=True)
class Key:
    """The name under which an answer is kept.

    Attributes:
        account: Whose it is; nobody else is ever given it.
        kind: What it is about.
        id: Which one, with whatever changes the answer, such as `include`.
        device: The device that it is about, so that it goes when the device does; `None` if it is of no single one.
    """

    account: str
    kind: Kind
    id: str = ""
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Stale:
    """Says of a value that it is an old one.

    Attributes:
        age: Seconds since it was good.
        cause: Why there is no newer one.
    """

    age: float
    cause: RingError = field(compare=False)


def ages(settings: "ResilienceSettings") -> dict[Kind, float]:
    """Return for each kind the age in seconds at which an answer is of no use any more."""
    return {
        Kind.STATUS: settings.stale_status,
        Kind.DEVICES: settings.stale_devices,
        Kind.USERS: settings.stale_users,
        Kind.SUBSCRIPTIONS: settings.stale_subscriptions,
    }


class LastKnown:
    """The store, in memory. It holds at most `limit` answers; the one not used for longest goes.

    Args:
        oldest: For each kind the greatest age in seconds; a kind that is not in it is never kept.
        limit: How many answers are kept.
    """

    def __init__(self, oldest: Mapping[Kind, float], limit: int) -> None:
        self._oldest = dict(oldest)
        self._limit = limit
        self._kept: OrderedDict[Key, tuple[float, Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, key: Key, value: Any, now: float) -> None:
        """Remember a good answer."""
        if key.kind not in self._oldest:
            return
        self._kept[key] = now, value
        self._kept.move_to_end(key)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def find(self, key: Key, now: float) -> tuple[float, Any] | None:
        """Return the age and the value, or `None` if there is none young enough."""
        found = self._kept.get(key)
        if found is None:
            return None
        age = max(now - found[0], 0.0)
        if age > self._oldest[key.kind]:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return age, found[1]

    def drop(self, key: Key) -> bool:
        """Forget one answer, for what it tells of is gone or no longer allowed; return whether there was one."""
        return self._kept.pop(key, None) is not None

    def purge(self, account: str, device: str | None = None) -> int:
        """Forget all of an account, or all that is about one of its devices; return how many.

        Lists of devices go with any device, for it is in them.
        """
        gone = [
            key
            for key in self._kept
            if key.account == account and (device is None or key.device == device or key.kind is Kind.DEVICES)
        ]
        for key in gone:
            del self._kept[key]
        return len(gone)
