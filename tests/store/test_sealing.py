"""Secrets on the disk are sealed where there is a key: what can be found there, keys that change, and wrong ones."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from conftest import RINGLIGHT, clean_environment
from ringlight.errors import SetupError
from ringlight.partner.setup import store_of
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import ServerSettings, Settings
from ringlight.store import FileTokenStore
from ringlight.store.backup import back_up, restore
from ringlight.store.database import Database, database_of
from ringlight.store.key_rows import KeptKey, KeyRows
from ringlight.store.link_rows import LinkRows
from ringlight.store.links import AccountLink, Beginning, LinkState
from ringlight.store.own_key import own_key
from ringlight.store.pair_database import DatabasePairStore
from ringlight.store.pairs import TokenPair
from ringlight.store.resealing import check, reseal, secret_files
from ringlight.store.sealing import Seal, is_sealed, seal_of
from ringlight.store.tables import TOKEN_PAIRS
from ringlight.store.tokens import Tokens

OLD, NEW = Secret("old key " + "o" * 40), Secret("new key " + "n" * 40)
MARK = "canary"


def settings_of(state: Path, *keys: Secret) -> Settings:
    return Settings(state_dir=state, secrets_key=list(keys) or None, server=ServerSettings(port=0))


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    with contextlib.closing(database_of(settings)) as database:
        yield database


def fill(settings: Settings) -> None:
    """Keep a secret of each kind, by what keeps it in the program."""
    with opened(settings) as database:
        pairs = DatabasePairStore(database)
        assert pairs.write("ada", TokenPair(Secret(f"{MARK}-a1"), Secret(f"{MARK}-r1"), 0.0, 9e9), over=None)
        links = LinkRows(database)
        beginning = Beginning("b1", 1.0, code=Secret(f"{MARK}-code"), verifier=Secret(f"{MARK}-verifier"))
        assert links.begin(beginning)
        links.begin(Beginning("b2", 1.0, pair=TokenPair(Secret(f"{MARK}-a2"), Secret(f"{MARK}-r2"), 0.0, 9e9)))
        link = AccountLink("bob", LinkState.UNCLAIMED, 1.0, nonce=Secret(f"{MARK}-nonce"), spent=Secret(f"{MARK}-sp"))
        links.adopt("b2", TokenPair(Secret(f"{MARK}-a3"), Secret(f"{MARK}-r3"), 0.0, 9e9), link)
        KeyRows(database).add(KeptKey("k", "nvr", "hash", ("view",), None, 0.0, digest=Secret(f"{MARK}-digest")))
    seal = seal_of(settings)
    tokens = FileTokenStore(settings.state_dir / "tokens.json", seal)
    tokens.save(Tokens(Secret(f"{MARK}-account"), Secret(f"{MARK}-refresh"), 9e9, "hardware", None))
    with contextlib.closing(store_of(settings)) as store:
        store.write("ada", TokenPair(Secret(f"{MARK}-a4"), Secret(f"{MARK}-r4"), 0.0, 9e9), over=None)


def read(settings: Settings) -> list[str]:
    """What the program reads of it."""
    seal = seal_of(settings)
    tokens = FileTokenStore(settings.state_dir / "tokens.json", seal).load()
    with opened(settings) as database, contextlib.closing(store_of(settings)) as store:
        pairs, links, file = DatabasePairStore(database), LinkRows(database), store.read("ada")
        one, bob, begun, nonce = pairs.read("ada"), pairs.read("bob"), links.beginning("b1"), links.link("bob")
        key = KeyRows(database).by_name("nvr")
        found = [
            tokens and tokens.refresh, file and file.refresh, one and one.refresh, bob and bob.access,
            begun and begun.code, nonce and nonce.nonce, key and key.digest,
        ]  # fmt: skip
    return [secret.reveal().removeprefix(f"{MARK}-") if secret else "" for secret in found]


KEPT = ["refresh", "r4", "r1", "a3", "code", "nonce", "digest"]


def in_clear(state: Path, *needles: bytes) -> list[str]:
    """The files in which something can be read, the database's own journal among them."""
    files = [path for path in state.rglob("*") if path.is_file()]
    assert any(path.name.startswith("ringlight.db") for path in files)
    return sorted({path.name for path in files for needle in needles if needle in path.read_bytes()})


def test_without_a_key_they_can_be_read_and_with_one_nowhere(tmp_path: Path) -> None:
    bare, sealed = settings_of(tmp_path / "bare"), settings_of(tmp_path / "sealed", OLD)
    for settings in (bare, sealed):
        fill(settings)
        assert read(settings) == KEPT
    assert {"ringlight.db", "tokens.json", "partner-tokens.json"} & set(in_clear(bare.state_dir, MARK.encode()))
    assert in_clear(sealed.state_dir, MARK.encode()) == []
    made = own_key(sealed.state_dir, seal_of(sealed)).reveal()
    assert own_key(sealed.state_dir, seal_of(sealed)).reveal() == made
    assert in_clear(sealed.state_dir, made.encode(), OLD.reveal().encode()) == []


def test_what_was_in_clear_is_sealed_and_nothing_of_it_is_left_in_the_file(tmp_path: Path) -> None:
    fill(settings_of(tmp_path))
    settings = settings_of(tmp_path, OLD)
    assert read(settings) == KEPT, "what is not sealed is read as it is"
    with opened(settings) as database:
        seal = seal_of(settings)
        assert seal is not None
        assert reseal(database, secret_files(settings), seal) == 11
        assert reseal(database, secret_files(settings), seal) == 0
    assert in_clear(tmp_path, MARK.encode()) == []
    assert read(settings) == KEPT


def test_while_a_key_replaces_another_both_open_and_then_the_old_one_is_needed_no_more(tmp_path: Path) -> None:
    fill(settings_of(tmp_path, OLD))
    both = settings_of(tmp_path, NEW, OLD)
    assert read(both) == KEPT
    with opened(both) as database:
        seal = seal_of(both)
        assert seal is not None
        reseal(database, secret_files(both), seal)
    assert read(settings_of(tmp_path, NEW)) == KEPT
    with pytest.raises(SetupError, match="STORE-SEALED"):
        read(settings_of(tmp_path, OLD))


@pytest.mark.anyio
@pytest.mark.parametrize("keys", [(), (NEW,)])
async def test_a_server_with_another_key_or_none_does_not_start_and_changes_nothing(
    tmp_path: Path, keys: tuple[Secret, ...]
) -> None:
    fill(settings_of(tmp_path, OLD))
    with pytest.raises(SetupError, match="STORE-SEALED") as refused:
        async with run_server(settings_of(tmp_path, *keys)):
            pass
    assert "needs the key" in str(refused.value)
    assert read(settings_of(tmp_path, OLD)) == KEPT


def test_a_value_in_the_place_of_another_or_changed_is_not_opened(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, OLD)
    fill(settings)
    raw = sa.type_coerce(TOKEN_PAIRS.c.refresh, sa.Text)
    with opened(settings) as database:
        with database.writing() as connection:
            kept = str(connection.execute(sa.select(raw)).scalars().first())
            assert is_sealed(kept)
            swapped = sa.update(TOKEN_PAIRS).values(access=sa.literal(kept, sa.Text))
            connection.execute(swapped)
        with pytest.raises(SetupError, match="was changed, or is another place's"):
            check(database, {}, seal_of(settings))


def test_a_copy_is_as_sealed_as_what_it_was_made_of(tmp_path: Path) -> None:
    source, target = settings_of(tmp_path / "source", OLD), settings_of(tmp_path / "target", OLD)
    fill(source)
    copy = tmp_path / "copy.zip"
    with opened(source) as database, opened(target) as empty:
        back_up(copy, database, secret_files(source), version="x")
        restore(copy, empty, secret_files(target))
    import zipfile

    with zipfile.ZipFile(copy) as archive:
        assert not any(MARK.encode() in archive.read(name) for name in archive.namelist())
    assert read(target) == KEPT


def test_tokens_that_are_sealed_are_exchanged_only_over_those_that_are_there(tmp_path: Path) -> None:
    with opened(settings_of(tmp_path, OLD)) as database:
        pairs = DatabasePairStore(database)
        first, second = (TokenPair(Secret(f"a{n}"), Secret(f"r{n}"), 0.0, 9e9) for n in (1, 2))
        assert pairs.write("ada", first, over=None)
        assert not pairs.write("ada", second, over=Secret("other"))
        assert pairs.write("ada", second, over=Secret("r1"))
        assert not pairs.write("ada", first, over=Secret("r1"))
        assert not pairs.write("nobody", first, over=Secret("r1"))


@given(st.text(), st.text())
def test_whatever_is_sealed_is_opened_again_in_its_place_only(text: str, place: str) -> None:
    seal = Seal([OLD])
    closed = seal.close(text, place)
    assert is_sealed(closed)
    assert Seal([NEW, OLD]).open(closed, place) == text
    assert closed != seal.close(text, place), "the same secret twice looks like two"
    with pytest.raises(SetupError, match="STORE-SEALED"):
        seal.open(closed, place + "x")


@pytest.mark.parametrize("keys", [[], [Secret("short")]])
def test_a_key_that_is_none_is_refused(keys: list[Secret]) -> None:
    with pytest.raises(SetupError, match="CFG-SECRETS-KEY"):
        Seal(keys)


ROTATE = """
import os, sys
from ringlight.store import resealing
from ringlight.store.sealing import Seal
close, left = Seal.close, [int(sys.argv[1])]
def mortal(seal, text, place):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), 9)
    return close(seal, text, place)
Seal.close = mortal
from ringlight.cli import main
sys.argv = ["ringlight", "secrets", "rotate"]
main()
"""


@pytest.mark.program
def test_a_key_file_is_made_rotated_killed_in_the_middle_and_finished(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    bare = settings_of(tmp_path)
    fill(bare)

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(RINGLIGHT), "secrets", *args],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert "not sealed" in run("status").stdout
    made = run("init")
    assert made.returncode == 0, made.stderr
    file = tmp_path / "secrets.key"
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    first = file.read_text()
    assert in_clear(tmp_path, MARK.encode()) == []
    assert read(bare) == KEPT, "the file is found without a setting"
    assert run("init").returncode == 2
    for survived in (1, 5):
        killed = subprocess.run(
            [sys.executable, "-c", ROTATE, str(survived)], env=environment, timeout=120, check=False
        )
        assert killed.returncode == -signal.SIGKILL
        assert read(bare) == KEPT
    assert run("finish").returncode == 0
    kept = file.read_text()
    assert (len(kept.split()), kept != first) == (1, True)
    assert read(bare) == KEPT
    assert kept.strip() not in run("status", "--json").stdout
