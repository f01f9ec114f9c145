"""How a Ring account comes to be linked: the nonce, and a machine that knows the next step of each link. Pure.

All that a link has come to is in its row. A step is done, its result goes into the row, and the row says the next
step; so whoever is killed in between goes on at the row. Facts: docs/reference/partner-api.md#linking.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from urllib.parse import urlencode

from ringlight.errors import RingError, fault_error
from ringlight.partner.token_calls import challenge_of
from ringlight.secrets import Secret
from ringlight.store.links import AccountLink, Beginning, LinkState

__all__ = [
    "AUTHORIZE",
    "Limits",
    "Person",
    "Step",
    "after",
    "authorize_address",
    "before",
    "check_time",
    "claimed",
    "due",
    "due_at_the_beginning",
    "masked",
    "match",
    "name_of_code",
    "nonce_for",
]

AUTHORIZE = "https://account.ring.com/account/integrations/partner-link/authorize"
SCOPE = "ava.v1:read"  # the only one that was seen to be accepted (partner-api.md#linking)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds.

    Attributes:
        nonce: Age of a nonce, counted from its `time`.
        skew: By how much its time may be ahead of this machine's clock.
        code: Life of a code where Ring began the link.
        own_code: The same where the app did, which is also how long the browser may stay at Ring.
        unclaimed: How long a link waits for a person; Ring's refresh tokens live about as long.
    """

    nonce: float = 600.0
    skew: float = 60.0
    code: float = 60.0
    own_code: float = 600.0
    unclaimed: float = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has signed in to the app.

    Attributes:
        id: The app's own id, which never changes.
        identifier: How Ring shows the account, masked, such as `m***a@shop.example`; see `masked`.
    """

    id: str
    identifier: str


class Step(Enum):
    """What is to be done next."""

    EXCHANGE = "exchange"  # the code for the first tokens
    RENEW = "renew"  # those tokens, which have ended before it was known whose they are
    ASK_WHO = "ask who"
    CONFIRM = "confirm"  # the nonce: POST
    COMPLETE = "complete"  # PATCH
    FORGET = "forget"  # it waited too long


def nonce_for(key: Secret | str, time: str, account: str) -> str:
    """Return the nonce with which Ring sends the browser of an account's owner to the app.

    Args:
        key: The app's HMAC key as the developer console shows it. It looks like Base64 and is used as text.
        time: As it came in the query, milliseconds since the epoch.
        account: Ring's id of the account, as `users.me` tells it.
    """
    text = key.reveal() if isinstance(key, Secret) else key
    digest = hmac.digest(text.encode(), f"{time}:{account}".encode(errors="surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_time(time: str, now: float, limits: Limits = Limits()) -> None:
    """Judge the `time` that came with a nonce.

    Args:
        time: Milliseconds since the epoch, as text.
        now: Seconds since the epoch.
        limits: How old it may be.

    Raises:
        AuthError: LINK-QUERY, it is no time; LINK-STALE, it is too old, or in the future.
    """
    if re.fullmatch(r"[0-9]{1,15}", time, re.ASCII) is None:
        raise fault_error("LINK-QUERY", "time is missing or no number of milliseconds")
    age = now - int(time) / 1000
    if age > limits.nonce:
        raise fault_error("LINK-STALE", f"{age:.0f} s old, {limits.nonce:g} are allowed")
    if age < -limits.skew:
        raise fault_error("LINK-STALE", f"{-age:.0f} s in the future by this machine's clock")


def match(nonce: str, time: str, accounts: Iterable[str], keys: Sequence[Secret]) -> str | None:
    """Return the account that a nonce was made for.

    Every account is compared with every key, each in constant time, whatever was found before.
    """
    said = nonce.encode(errors="replace")
    found: str | None = None
    for account in accounts:
        for key in keys:
            if hmac.compare_digest(nonce_for(key, time, account).encode(), said):
                found = account
    return found


def masked(address: str) -> str:
    """Return an e-mail address, or another name, as it may be shown to Ring: first and last letter of the name."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}***{name[-1:] if len(name) > 1 else ''}{at}{domain}"


def name_of_code(code: Secret) -> str:
    """Return the name of the beginning that a code of Ring's is: always the same, so that it may come twice."""
    return hashlib.blake2b(code.reveal().encode(errors="surrogatepass"), digest_size=16).hexdigest()


def authorize_address(client_id: str, redirect: str, state: str, verifier: Secret) -> str:
    """Return where the browser goes when the app begins the link (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""
    asked = {
        "client_id": client_id, "redirect_uri": redirect, "response_type": "code", "scope": SCOPE, "state": state,
        "code_challenge": challenge_of(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    return f"{AUTHORIZE}?{urlencode(asked)}"


def due_at_the_beginning(one: Beginning, now: float, limits: Limits = Limits()) -> Step | None:
    """Return the next step of a link of which it is not known whose it is; `None` where others have to act first."""
    age = now - one.began_at
    if one.account is not None:
        return Step.FORGET if age > limits.own_code else None
    if one.pair is not None:
        return Step.RENEW if now >= one.pair.expires_at else Step.ASK_WHO
    if age > (limits.code if one.verifier is None else limits.own_code):
        return Step.FORGET
    return None if one.code is None else Step.EXCHANGE


def due(link: AccountLink, now: float, limits: Limits = Limits()) -> Step | None:
    """Return the next step of a link; `None` where its person has to act first, or nothing is left to do."""
    if link.state is LinkState.UNCLAIMED:
        if link.nonce is not None:
            return Step.CONFIRM
        return Step.FORGET if now - link.since > limits.unclaimed else None
    return Step.COMPLETE if link.state is LinkState.AWAITING else None


def claimed(link: AccountLink, person: Person, nonce: Secret) -> AccountLink:
    """Return the link as somebody claims it who has signed in and has brought the nonce.

    Raises:
        AuthError: LINK-NONCE, the nonce was used, or somebody else has claimed the link.
    """
    own = link.person == person.id
    if own and link.state in (LinkState.AWAITING, LinkState.COMPLETED):
        return link  # as after a reload
    if link.state is not LinkState.UNCLAIMED or nonce == link.spent or (nonce == link.nonce and not own):
        raise fault_error("LINK-NONCE", "it was used")
    # The tries stay: with an earlier nonce one may have arrived.
    return replace(link, person=person.id, identifier=person.identifier, nonce=nonce)


def before(link: AccountLink, step: Step) -> AccountLink:
    """Return what is written down before a step is done."""
    return replace(link, tries=link.tries + 1) if step is Step.CONFIRM else link


def after(link: AccountLink, step: Step, error: RingError | None, now: float) -> AccountLink:
    """Return a link after a step.

    Args:
        link: As it was written down before.
        step: What was done.
        error: How it failed; `None` where it went well.
        now: Seconds since the epoch.

    Returns:
        The link; as it was, where the step is to be tried again.
    """
    code = None if error is None else error.code
    if code in {"LINK-LOST", "LINK-NONE", "PARTNER-NOT-LINKED"}:
        return replace(link, state=LinkState.LOST, since=now, nonce=None)
    if step is Step.CONFIRM:
        # Refused as used, and an earlier try may have arrived: whether it did, completing it will tell.
        doubtful = code == "PARTNER-NONCE" and link.tries > 1
        if code is None or doubtful:
            return replace(link, state=LinkState.AWAITING, since=now, nonce=None, spent=link.nonce, tries=0)
        if code in {"PARTNER-NONCE", "PARTNER-BAD-REQUEST"}:
            return _unclaimed(link, now)
    if step is Step.COMPLETE:
        if code is None:
            return replace(link, state=LinkState.COMPLETED, since=now)
        if code == "PARTNER-TRANSITION":  # Ring has confirmed no nonce
            return _unclaimed(link, now)
    return link


def _unclaimed(link: AccountLink, now: float) -> AccountLink:
    return replace(
        link, state=LinkState.UNCLAIMED, since=now, person=None, identifier=None, nonce=None,
        spent=link.nonce or link.spent, tries=0,
    )  # fmt: skip
