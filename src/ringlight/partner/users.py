"""The account's owner. Pure."""

from ringlight.http.flow import Response
from ringlight.partner.api import Group
from ringlight.partner.call import Conversation, ask
from ringlight.partner.documents import bad_answer, single
from ringlight.partner.parts import UNSET, Maybe, Part
from ringlight.resilience.operation import Operation

__all__ = ["User", "Users"]


class User(Part, frozen=True, kw_only=True):
    """The person whose account is linked.

    Attributes:
        id: The account, the same as in webhooks. Names and addresses change; this does not.
        first_name: As the person wrote it.
        last_name: As the person wrote it.
        email: The account's address.
        phone_number: Documented; the live service was not seen to send it.
    """

    id: str
    first_name: Maybe[str] = UNSET
    last_name: Maybe[str] = UNSET
    email: Maybe[str] = UNSET
    phone_number: Maybe[str] = UNSET


class Users(Group):
    """Conversations about the account's owner."""

    def me(self) -> Conversation[User]:
        """Ask whose account the token is for."""
        return ask(self.api.call(Operation("users.me"), "GET", self.api.url("users", "me"), _user))


def _user(response: Response) -> User:
    resource, _ = single(response)
    if resource is None:
        raise bad_answer(response, "there is no user")
    return User.read(resource.attributes, id=resource.id)
