"""Opens the store of token pairs that an address names."""

from pathlib import Path

from ringlight.errors import fault_error
from ringlight.store.pairs import MemoryPairStore, PairStore
from ringlight.store.sealing import Seal

__all__ = ["open_pairs"]


def open_pairs(address: str | Path, *, state_dir: Path | None = None, seal: Seal | None = None) -> PairStore:
    """Open a store of token pairs. What it needs is imported only here.

    Args:
        address: The path of a file, `memory:`, `keyring:`, `sqlite:///path` or `postgresql://…`.
        seal: Seals the tokens, but for those in a keyring, which seals them itself; `None` leaves them as they are.
        state_dir: Where the locks of `keyring:` are; `None` is the directory of this user's state.

    Raises:
        SetupError: STORE-ADDRESS.
        StoreError: STORE-KEYRING.
    """
    if address == "memory:":
        return MemoryPairStore()
    if address == "keyring:":
        from ringlight.settings import Settings  # noqa: PLC0415
        from ringlight.store.pair_keyring import KeyringPairStore  # noqa: PLC0415

        return KeyringPairStore(state_dir or Settings().state_dir)
    if isinstance(address, str) and "://" in address:
        from ringlight.store.database import Database  # noqa: PLC0415
        from ringlight.store.pair_database import DatabasePairStore  # noqa: PLC0415

        return DatabasePairStore(Database(address, seal))
    if not str(address):
        raise fault_error("STORE-ADDRESS", "it is empty")
    from ringlight.store.pair_file import FilePairStore  # noqa: PLC0415

    return FilePairStore(Path(address), seal)
