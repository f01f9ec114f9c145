"""What must outlive the process: today the tokens of a person's Ring account."""

from ringlight.store.token_file import FileTokenStore
from ringlight.store.tokens import MemoryTokenStore, Tokens, TokenStore

__all__ = ["FileTokenStore", "MemoryTokenStore", "TokenStore", "Tokens"]
