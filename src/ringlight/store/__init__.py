"""What must outlive the process: a person's sign-in, and the tokens of linked accounts."""

from typing import TYPE_CHECKING, Any

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
    "FileTokenStore": "token_file",
    "MemoryPairStore": "pairs",
    "MemoryTokenStore": "tokens",
    "PairStore": "pairs",
    "TokenPair": "pairs",
    "TokenStore": "tokens",
    "Tokens": "tokens",
    "open_pairs": "opening",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for at the first use: who keeps no sign-in in a file pays for no file locks."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ringlight.store' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"ringlight.store.{_HOMES[name]}"), name)
