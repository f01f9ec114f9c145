"""What the simulator has given to who signed in: tokens, codes and tickets, each good for its time."""

from typing import TYPE_CHECKING, Any

from ringlight.simulator.behaviour import PROFILES
from ringlight.simulator.expiring import Expiring

if TYPE_CHECKING:
    from ringlight.simulator.world import World

__all__ = ["TICKET_LIFE", "TOKEN_LIFE", "Tokens"]

TICKET_LIFE = PROFILES["observed"].behaviour.ticket_life  # seconds
TOKEN_LIFE = 3600  # seconds
REFRESH_LIFE = 30 * 86_400.0  # seconds
CODE_LIFE = 600.0  # seconds


class Tokens:
    """Those of the one account, by the clock and the switches of its world.

    Attributes:
        access: The access tokens that are good.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.access: Expiring[bool] = self._names()
        self._refresh: Expiring[bool] = self._names()
        self._spent: Expiring[bool] = self._names()
        self._codes: Expiring[tuple[str, str]] = self._names()
        self._tickets: Expiring[bool] = self._names()

    def _names(self) -> Expiring[Any]:
        return Expiring(lambda: self._world.now())  # noqa: PLW0108 - tests set another clock

    def clear(self) -> None:
        """Let no token be good any more."""
        self.access.clear()
        self._refresh.clear()
        self._spent.clear()

    def grant(self, *, usable: bool = True) -> dict[str, Any]:
        """Make a pair of tokens; an access token that is not usable is refused by all other services."""
        access, refresh = f"sim-access-{self._world.hexadecimal(12)}", f"sim-refresh-{self._world.hexadecimal(12)}"
        if usable:
            self.access.add(access, TOKEN_LIFE, True)
        self._refresh.add(refresh, REFRESH_LIFE, True)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE,
            "refresh_token": refresh,
            "scope": "client",
        }

    def rotate(self, refresh: str) -> dict[str, Any] | None:
        """Take a refresh token out of use and make a new pair; `None` for one that is not valid."""
        if self._refresh.take(refresh):
            self._spent.add(refresh, self._world.rotation_grace, True)
        elif not self._spent.get(refresh):
            return None
        return self.grant()

    def make_code(self, challenge: str, redirect: str) -> str:
        """Make an authorisation code, good once, for who knows the verifier of a challenge."""
        code = f"sim-code-{self._world.hexadecimal(12)}"
        self._codes.add(code, CODE_LIFE, (challenge, redirect))
        return code

    def use_code(self, code: str, challenge: str, redirect: str) -> bool:
        """Take an authorisation code; whether it was valid."""
        return self._codes.take(code) == (challenge, redirect)

    def knows(self, authorization: str) -> bool:
        """Whether an Authorization header carries a valid access token."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self.access.get(token) is not None

    def make_ticket(self) -> str:
        """Make a ticket, good once."""
        ticket = f"sim-ticket-{self._world.hexadecimal(16)}"
        self._tickets.add(ticket, self._world.behaviour.ticket_life, True)
        return ticket

    def use_ticket(self, ticket: str) -> bool:
        """Take a ticket; whether it was valid."""
        return self._tickets.take(ticket) is not None and "expired-ticket" not in self._world.on
