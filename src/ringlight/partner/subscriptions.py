"""What people pay the app for. Pure; the facts are in partner-api.md#subscriptions."""

from datetime import datetime

from ringlight.partner.api import Group
from ringlight.partner.call import Conversation
from ringlight.partner.documents import Listing, Resource
from ringlight.partner.paging import Pages, all_of
from ringlight.partner.parts import UNSET, Maybe, Part
from ringlight.resilience.operation import Operation

__all__ = ["Subscription", "Subscriptions"]


class Subscription(Part, frozen=True, kw_only=True):
    """One subscription or trial.

    Attributes:
        id: Opaque.
        sub_type: `paid` or `trial`.
        status: `active` or `inactive`.
        plan_id: Of a paid one; of a trial missing or `None`.
        expires_at: When it ends.
        created_at: When it began.
        device_ids: The devices that it covers.
    """

    id: str
    sub_type: Maybe[str] = UNSET
    status: Maybe[str] = UNSET
    plan_id: Maybe[str] = UNSET
    expires_at: Maybe[datetime] = UNSET
    created_at: Maybe[datetime] = UNSET
    device_ids: tuple[str, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether Ring says that it is in force."""
        return self.status == "active"


class Subscriptions(Group):
    """Conversations about subscriptions."""

    def list(self) -> Conversation[Listing[Subscription]]:
        """List all of the account's. Before the app is published there are none, whoever asks."""
        return all_of(self.pages())

    def pages(self, *, cursor: str | None = None) -> Pages[Subscription]:
        """List them in pages of 25."""
        return Pages(
            self.api,
            Operation("subscriptions.list"),
            ("accounts", "me", "subscriptions"),
            subscription_of,
            key="page[cursor]",
            cursor=cursor,
        )


def subscription_of(resource: Resource) -> Subscription:
    """Read one."""
    return Subscription.read(resource.attributes, id=resource.id, device_ids=resource.related_ids("devices"))
