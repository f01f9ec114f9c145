"""The link between the app and an account: confirmed, completed, ended. Pure.

This part of the API is plain JSON and no document (partner-api.md#app-integrations).
"""

from datetime import datetime

from ringlight.errors import NotFoundError, PermissionDeniedError, fault_error
from ringlight.http.flow import Response
from ringlight.partner.api import Group
from ringlight.partner.call import Conversation, ask
from ringlight.partner.documents import object_of, retold
from ringlight.partner.parts import UNSET, Maybe, Part
from ringlight.resilience.operation import Lane, Operation, Repeat

__all__ = ["Integration", "Integrations"]


class Integration(Part, frozen=True, kw_only=True):
    """How a link stands.

    Attributes:
        status: `awaiting` or `completed`; without `completed` webhooks may stay away.
        account_identifier: The app's own account as the person knows it, masked.
        updated_at: When that changed.
    """

    status: Maybe[str] = UNSET
    account_identifier: Maybe[str] = UNSET
    updated_at: Maybe[datetime] = UNSET


class Integrations(Group):
    """Conversations about the link."""

    def confirm(self, nonce: str, *, account_identifier: str | None = None) -> Conversation[Integration]:
        """Confirm with the nonce whose account it is; it then stands at `awaiting`.

        Args:
            nonce: As it came with the person's browser. It is good once, for ten minutes.
            account_identifier: The account in the app, masked, such as `m***a@shop.example`.

        Raises:
            BadRequestError: PARTNER-NONCE.
            NotFoundError: PARTNER-NOT-LINKED.
        """
        if not nonce:
            raise fault_error("PARTNER-ARGUMENT", "the nonce is empty")
        body = {"nonce": nonce} | _named(account_identifier)
        return self._told("POST", Operation("integrations.confirm", Repeat.ONCE, Lane.CONTROL), body)

    def complete(self, *, account_identifier: str | None = None) -> Conversation[Integration]:
        """Say that the app is set up. Without this the link stays dormant.

        Raises:
            BadRequestError: PARTNER-TRANSITION.
            NotFoundError: PARTNER-NOT-LINKED.
        """
        return self._change("integrations.complete", "completed", account_identifier)

    def pause(self, *, account_identifier: str | None = None) -> Conversation[Integration]:
        """Put the link back to `awaiting`: the most an app can do that may not unlink."""
        return self._change("integrations.pause", "awaiting", account_identifier)

    def remove(self) -> Conversation[None]:
        """End the link. Only apps that began it themselves may.

        Raises:
            PermissionDeniedError: PARTNER-ONE-WAY, Ring began it.
        """
        operation = Operation("integrations.remove", Repeat.IDEMPOTENT, Lane.CONTROL)
        try:
            yield self.api.call(operation, "DELETE", self._url, _nothing)
        except NotFoundError:
            return  # it is gone, as was wanted
        except PermissionDeniedError as error:
            raise retold(error, "PARTNER-ONE-WAY") from None

    @property
    def _url(self) -> str:
        return self.api.url("accounts", "me", "app-integrations")

    def _change(self, name: str, status: str, account_identifier: str | None) -> Conversation[Integration]:
        operation = Operation(name, Repeat.IDEMPOTENT, Lane.CONTROL)
        return self._told("PATCH", operation, {"status": status} | _named(account_identifier))

    def _told(self, method: str, operation: Operation, body: dict[str, str]) -> Conversation[Integration]:
        try:
            return (yield from ask(self.api.call(operation, method, self._url, _integration, json=body)))
        except NotFoundError as error:
            raise retold(error, "PARTNER-NOT-LINKED") from None


def _named(account_identifier: str | None) -> dict[str, str]:
    return {} if account_identifier is None else {"account_identifier": account_identifier}


def _integration(response: Response) -> Integration:
    return Integration.read(object_of(response))


def _nothing(_response: Response) -> None:
    return None
