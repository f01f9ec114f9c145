"""What must outlive the process: a person's sign-in, and the tokens of linked accounts."""

from typing import TYPE_CHECKING

from ringlight.lazy import from_homes

if TYPE_CHECKING:
    from ringlight.store.opening import open_pairs
    from ringlight.store.pairs import MemoryPairStore, PairStore, TokenPair
    from ringlight.store.token_file import FileTokenStore
    from ringlight.store.tokens import MemoryTokenStore, Tokens, TokenStore

__all__ = [
    "FileTokenStore",
    "MemoryPairStore",
    "MemoryTokenStore",
    "PairStore",
    "TokenPair",
    "TokenStore",
    "Tokens",
    "open_pairs",
]

_HOMES = {
    "FileTokenStore": "ringlight.store.token_file",
    "MemoryPairStore": "ringlight.store.pairs",
    "MemoryTokenStore": "ringlight.store.tokens",
    "PairStore": "ringlight.store.pairs",
    "TokenPair": "ringlight.store.pairs",
    "TokenStore": "ringlight.store.tokens",
    "Tokens": "ringlight.store.tokens",
    "open_pairs": "ringlight.store.opening",
}

__getattr__ = from_homes(__name__, _HOMES)
