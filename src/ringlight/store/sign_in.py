"""Opens the store of a person's sign-in that the settings name."""

import contextlib
from collections.abc import Iterator

from ringlight.settings import Settings
from ringlight.store.tokens import TokenStore

__all__ = ["sign_in_store"]


@contextlib.contextmanager
def sign_in_store(settings: Settings) -> Iterator[TokenStore]:
    """Open where the sign-in is kept: a file of this server's own, or the database that several share.

    Raises:
        SetupError: STORE-ADDRESS.
    """
    if settings.sign_in == "file":
        from ringlight.store.token_file import FileTokenStore  # noqa: PLC0415

        yield FileTokenStore(settings.state_dir / "tokens.json")
        return
    from ringlight.store.database import Database  # noqa: PLC0415 - who keeps a file pays for no database
    from ringlight.store.token_database import DatabaseTokenStore  # noqa: PLC0415

    database = Database(settings.database.reveal())
    try:
        yield DatabaseTokenStore(database)
    finally:
        database.close()
