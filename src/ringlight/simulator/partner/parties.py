"""Who deals with each other through the simulated Partner API: an app, the accounts that have it, and what they pay."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["App", "Group", "Link", "Subscription"]

Group = Literal["cameras", "sensors", "chimes"]


@dataclass(slots=True)
class App:
    """A partner's app as the developer portal has it.

    Attributes:
        client_id: Public.
        secret: For the token service.
        hmac_key: Signs nonces; used as the text that it is.
        groups: What it may do: each `cameras`, `sensors` or `chimes`.
        one_way: Whether Ring begins the link. Then the app cannot end it.
    """

    client_id: str = "sim-client"
    secret: str = "sim-secret"  # noqa: S105 - public: it is in the documentation
    hmac_key: str = "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="
    groups: set[Group] = field(default_factory=lambda: {"cameras", "sensors", "chimes"})
    one_way: bool = True


@dataclass(slots=True)
class Link:
    """An account that has the app.

    Attributes:
        account: Its key; the API's id is `account_id(key)`.
        status: `unclaimed` until the app confirms the nonce; the API knows `awaiting` and `completed` only.
        identifier: What the app calls the person, masked.
        updated: Epoch ms of the last change.
        consents: Since when (epoch ms) each device is shared, by the device's key; what is not there is not shared.
    """

    account: str
    status: Literal["unclaimed", "awaiting", "completed"] = "completed"
    identifier: str | None = None
    updated: int = 0
    consents: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A plan of the app that somebody pays for or tries. Times are epoch ms."""

    id: str
    kind: Literal["paid", "trial"]
    active: bool
    created: int
    expires: int
