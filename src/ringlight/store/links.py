"""What is kept of links between the app and Ring accounts: those that stand, and those that have only begun."""

from dataclasses import dataclass, field
from enum import Enum

from ringlight.secrets import Secret
from ringlight.store.pairs import TokenPair

__all__ = ["AccountLink", "Beginning", "LinkState"]


class LinkState(Enum):
    """How far a link is."""

    UNCLAIMED = "unclaimed"  # Ring has given tokens; nobody has said yet whose account in the app it is
    AWAITING = "awaiting"  # Ring knows that it was claimed; the app has not said that it is set up
    COMPLETED = "completed"
    LOST = "lost"  # its tokens are gone; the person has to add the app again


@dataclass(frozen=True, slots=True)
class AccountLink:
    """The link of one Ring account.

    Attributes:
        account: Ring's id of the account.
        state: How far it is.
        since: When it came to that state, in seconds since the epoch.
        person: The app's own id of who claimed it, or is claiming it; `None` before that.
        identifier: The same for showing, masked.
        nonce: With which it is being claimed, until Ring has confirmed that.
        spent: The last nonce that was used up.
        tries: How often that was, or may have been, sent to Ring.
        version: Counts the changes of this row.
    """

    account: str
    state: LinkState
    since: float
    person: str | None = None
    identifier: str | None = None
    nonce: Secret | None = field(default=None, repr=False)
    spent: Secret | None = field(default=None, repr=False)
    tries: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Beginning:
    """A link of which it is not known yet whose Ring account it is.

    Attributes:
        id: Its name; where the app began it, the `state` that goes to Ring and comes back.
        began_at: In seconds since the epoch.
        code: The authorization code, until it is exchanged.
        verifier: That of PKCE, where the app began it.
        person: Who began it in the app; `None` where Ring did.
        identifier: The same for showing, masked.
        pair: The tokens, until it is known whose they are.
        account: Whose it turned out to be. Then nothing is left to do; it stays a while, for who sends the code again.
    """

    id: str
    began_at: float
    code: Secret | None = None
    verifier: Secret | None = None
    person: str | None = None
    identifier: str | None = None
    pair: TokenPair | None = None
    account: str | None = None
