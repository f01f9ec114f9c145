"""Where an account's tokens live: what is kept, and the two stores that keep it."""

import asyncio
import uuid
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from ringlight.secrets import Secret

__all__ = ["MemoryTokenStore", "TokenStore", "Tokens"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A sign-in: the pair of tokens and whose it is.

    Attributes:
        access: Goes with every request, for hours.
        refresh: Buys the next pair, once: Ring rotates it at every use.
        expires_at: When `access` ends, in seconds since the epoch by this machine's clock.
        hardware_id: The installation to which Ring gave them.
        email: Whose account it is, or `None` where that is not known.
    """

    access: Secret
    refresh: Secret
    expires_at: float
    hardware_id: str
    email: str | None = field(default=None, repr=False)


class TokenStore(Protocol):
    """Keeps one sign-in. The methods block for the length of a disk write; call them in a thread."""

    def load(self) -> Tokens | None:
        """Return what is kept, or `None` when nobody is signed in."""

    def save(self, tokens: Tokens) -> None:
        """Keep these for good: once this returns they survive a crash."""

    def clear(self) -> None:
        """Forget the sign-in, but not the hardware id."""

    def hardware_id(self) -> str:
        """Return this installation's id, made at first use and kept for ever.

        A changing id fills Ring's list of authorised devices (observed-protocol.md#client-registration).
        """

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Exclude everybody else who renews or replaces the tokens, in other processes too."""


class MemoryTokenStore:
    """Keeps the tokens of this process only: for the demo and for tests."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens
        self._hardware_id = tokens.hardware_id if tokens else str(uuid.uuid4())
        self._lock = asyncio.Lock()

    def load(self) -> Tokens | None:
        """Return what is kept, or `None` when nobody is signed in."""
        return self._tokens

    def save(self, tokens: Tokens) -> None:
        """Keep these until the process ends."""
        self._tokens = tokens
        self._hardware_id = tokens.hardware_id

    def clear(self) -> None:
        """Forget the sign-in, but not the hardware id."""
        self._tokens = None

    def hardware_id(self) -> str:
        """Return an id that stays the same for the life of this object."""
        return self._hardware_id

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Exclude every other task that uses this object."""
        return self._lock
