"""Every kind of store of token pairs, made anew for a test, and opened again as another process would."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import sqlite_address
from own_postgres import OwnPostgres
from ringlight.secrets import Secret
from ringlight.store import MemoryPairStore, PairStore, TokenPair, open_pairs
from ringlight.store.pair_keyring import KeyringPairStore

KINDS = ["memory", "file", "sqlite", "postgresql", "keyring"]
LASTING = ["file", "sqlite", "postgresql"]  # those that two processes of a test can share
Open = Callable[[], PairStore]


class FakeKeyring:
    """A keyring in memory that keeps only short entries, as Windows does."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > 2560:
            raise OSError("the stub received bad data")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


def opener(kind: str, folder: Path, postgres: OwnPostgres | None) -> Open:
    """Return what opens the store: for those that last, another object with each call."""
    if kind == "memory":
        memory = MemoryPairStore()
        return lambda: memory
    if kind == "keyring":
        keyring = FakeKeyring()
        return lambda: KeyringPairStore(folder, keyring=keyring)
    where = address(kind, folder, postgres)
    return lambda: open_pairs(where)


def address(kind: str, folder: Path, postgres: OwnPostgres | None) -> str:
    if kind == "postgresql":
        assert postgres is not None
        return postgres.new_database()
    return sqlite_address(folder) if kind == "sqlite" else str(folder / "state" / "links.json")


def pair(number: int, *, mark: str = "", long: bool = False) -> TokenPair:
    """A pair that can be told from every other; `long` as Ring's newer tokens are."""
    tail = f"-{'x' * 9000}" if long else ""
    access, refresh = Secret(f"{mark}access-{number}{tail}"), Secret(f"{mark}refresh-{number}{tail}")
    return TokenPair(access, refresh, 1000.5 * number, 1000.5 * number + 14_400, number)


def in_threads(work: Callable[[int], object], count: int) -> None:
    """Do it in so many threads at once; the first error of any is raised."""
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))
