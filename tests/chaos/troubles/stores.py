"""What can befall the store in which tokens of a linked account are kept, and what mends each."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cells import Lab, Met
from cells.partner import ACCOUNT, QUICK

from own_certificates import Authority
from own_postgres import OwnPostgres
from ringlight.secrets import Secret
from ringlight.settings import PartnerSettings, Settings
from ringlight.store.opening import open_pairs
from ringlight.store.pairs import TokenPair
from ringlight.store.sealing import Seal
from ringlight.testing import SimulatedRing

APP = {"client_id": "sim-client", "client_secret": "sim-secret"}
SEALED_BY, ANOTHER = "first-" + "k" * 42, "other-" + "k" * 42
Mend = Callable[[], None]


@dataclass
class Place:
    """Where the tokens of a linked account are, and what the settings say of it.

    Attributes:
        lab: Whose folder it is in.
        ring: Where the account is.
        pair: Its tokens.
        tokens: The address of the store.
        keys: What seals, by the settings; empty where nothing does.
    """

    lab: Lab
    ring: SimulatedRing
    pair: TokenPair
    tokens: str = ""
    keys: tuple[str, ...] = ()

    def keep(self, folder: Path | None = None, key: str = "") -> Path:
        """Put the tokens into a database in a file; return that."""
        path = (folder or self.lab.folder) / "links.db"
        self.keep_at(f"sqlite:///{path}", key)
        return path

    def keep_at(self, address: str, key: str = "") -> None:
        """Put the tokens into a store."""
        self.tokens = address
        seal = Seal([Secret(key)]) if key else None
        with contextlib.closing(open_pairs(address, seal=seal)) as store:
            assert store.write(ACCOUNT, self.pair, over=None)

    def settings(self) -> Settings:
        return Settings(
            ring_url=self.ring.url, state_dir=self.lab.folder / "state", resilience=QUICK, server={"port": 0},
            secrets_key=",".join(self.keys) or None,
            partner=PartnerSettings(tokens=self.tokens, account=ACCOUNT, **APP),
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
        given = {f"RINGLIGHT_PARTNER__{name.upper()}": value for name, value in APP.items()}
        return {**kept, **given, "RINGLIGHT_PARTNER__TOKENS": self.tokens, "RINGLIGHT_PARTNER__ACCOUNT": ACCOUNT,
                "RINGLIGHT_RING_URL": self.ring.url, "RINGLIGHT_STATE_DIR": str(self.lab.folder / "state"),
                "RINGLIGHT_SECRETS_KEY": ",".join(self.keys), "NO_COLOR": "1", "COLUMNS": "400"}  # fmt: skip

    def let_token_end(self) -> None:
        """Let Ring take the access token no more, so that the pair must be renewed."""
        self.ring.world.switch(["partner-access-ended"])


# ---- what befalls a store; each yields what mends it ----


def is_at(address: str) -> "Befall":
    """Have the settings name a store that there is none of: of another kind, or the keyring that the lab lacks."""

    @contextmanager
    def befall(place: Place) -> Iterator[Mend]:
        place.keep()
        good, place.tokens = place.tokens, address

        def mend() -> None:
            place.tokens = good

        yield mend

    return befall


@contextmanager
def is_half_a_file(place: Place) -> Iterator[Mend]:
    path = place.lab.folder / "links.json"
    place.keep_at(str(path))
    content = path.read_bytes()
    path.write_bytes(content[:50])

    def mend() -> None:
        path.write_bytes(content)

    yield mend


@contextmanager
def was_overwritten(place: Place) -> Iterator[Mend]:
    path = place.keep()
    content = path.read_bytes()
    path.write_bytes(b"no database at all" * 1000)

    def mend() -> None:
        path.write_bytes(content)

    yield mend


def _with_a_row(table: str, column: str, wrong: str) -> "Befall":
    """Let somebody write something else into the only row of a table, and put it back."""

    @contextmanager
    def befall(place: Place) -> Iterator[Mend]:
        path = place.keep()

        def put(value: str) -> str:
            with contextlib.closing(sqlite3.connect(path)) as database, database:
                (former,) = database.execute(f"SELECT {column} FROM {table}").fetchone()
                assert database.execute(f"UPDATE {table} SET {column} = ?", [value]).rowcount == 1
            return str(former)

        good = put(wrong)

        def mend() -> None:
            put(good)

        yield mend

    return befall


@contextmanager
def is_sealed_by_another_key(place: Place) -> Iterator[Mend]:
    place.keep(key=SEALED_BY)
    place.keys = (ANOTHER,)

    def mend() -> None:
        place.keys = (ANOTHER, SEALED_BY)  # by the first, more was sealed meanwhile

    yield mend


@contextmanager
def has_no_good_key(place: Place) -> Iterator[Mend]:
    place.keep(key=SEALED_BY)
    place.keys = ("short",)

    def mend() -> None:
        place.keys = (SEALED_BY,)

    yield mend


@contextmanager
def is_away(place: Place) -> Iterator[Mend]:
    with contextlib.closing(OwnPostgres()) as postgres:
        place.keep_at(postgres.new_database())
        postgres.kill()
        yield postgres.start


@contextmanager
def shows_an_old_certificate(place: Place) -> Iterator[Mend]:
    authority = Authority(place.lab.folder)
    authority.put("good")
    with contextlib.closing(OwnPostgres(authority)) as postgres:
        place.keep_at(postgres.new_database())
        authority.put("expired")
        postgres.reload()

        def mend() -> None:
            authority.put("good")
            postgres.reload()

        yield mend


@contextmanager
def is_held_by_a_process_that_hangs(place: Place) -> Iterator[Mend]:
    place.keep()
    place.let_token_end()
    place.lab.patch.setattr("ringlight.store.account_lock.LOCK_TIMEOUT", 1.0)
    holding = (
        "import sys; from ringlight.store.opening import open_pairs\n"
        "with open_pairs(sys.argv[1]).lock(sys.argv[2]): print(flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holding, place.tokens, ACCOUNT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()

    def mend() -> None:
        process.kill()
        process.wait(30)

    with process:
        yield mend
        process.kill()


@contextmanager
def has_no_room(place: Place) -> Iterator[Mend]:
    """A disk of 1 MB, which somebody else has filled; the pair must be renewed."""
    folder = place.lab.folder / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True)
    try:
        place.keep(folder)
        filler = folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        place.let_token_end()
        yield filler.unlink
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


Befall = Callable[[Place], AbstractContextManager[Mend]]
PROGRAMS = frozenset({Met.SYNC, Met.ASYNC, Met.COMMAND, Met.DOCTOR})  # a server does not start so
EVERYBODY = PROGRAMS | {Met.API}


@dataclass(frozen=True)
class Trouble:
    """A trouble of a store.

    Attributes:
        what: In words.
        code: The fault.
        befall: Lets it happen.
        met: Who meets it.
        goes_on: Whether a program goes on by itself once it is mended; else it is started again.
    """

    what: str
    code: str
    befall: Befall
    met: frozenset[Met] = EVERYBODY
    goes_on: bool = True


TROUBLES = (
    Trouble("a store of another kind", "STORE-ADDRESS", is_at("mongodb://example/links"), goes_on=False),
    Trouble("a keyring where there is none", "STORE-KEYRING", is_at("keyring:"), goes_on=False),
    Trouble("half a file", "CFG-STATE-DIR", is_half_a_file),
    Trouble("a file that was overwritten", "STORE-FILE", was_overwritten),
    Trouble("a newer database", "STORE-NEWER", _with_a_row("alembic_version", "version_num", "9999")),
    Trouble("a row that is no pair of tokens", "STORE-DAMAGED", _with_a_row("token_pairs", "access", "no\ntoken")),
    Trouble("tokens sealed by another key", "STORE-SEALED", is_sealed_by_another_key, goes_on=False),
    Trouble("a key for secrets that is too short", "CFG-SECRETS-KEY", has_no_good_key, PROGRAMS, goes_on=False),
    Trouble("PostgreSQL is killed", "STORE-UNREACHABLE", is_away),
    Trouble("PostgreSQL shows an expired certificate", "STORE-CERTIFICATE", shows_an_old_certificate),
    Trouble("a process that hangs holds the account", "STORE-BUSY", is_held_by_a_process_that_hangs),
    Trouble("a full disk", "STORE-FULL", has_no_room),
)
