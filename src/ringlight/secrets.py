"""A type for tokens, tickets and passwords, so that none is shown by accident."""

import hmac
from typing import NoReturn


class Secret:
    """A token, ticket or password. Shown only by `reveal()`, so one search finds every use.

    It is no subclass of `str`: that would still leak through `+`, `join` and `json`.
    It refuses to be pickled or copied into a message.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself. Whoever calls this answers for where it goes."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # surrogatepass: an environment variable may hold bytes that are no UTF-8
        ours, theirs = (secret._value.encode(errors="surrogatepass") for secret in (self, other))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled; store it through ringlight.store")
