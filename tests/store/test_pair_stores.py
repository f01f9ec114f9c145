"""One set of promises for every store of token pairs: memory, file, SQLite, PostgreSQL, keyring."""

import logging
import os
import pickle
import stat
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from pair_stores import KINDS, FakeKeyring, Open, in_threads, opener, pair

from ringlight.errors import RingError, StoreError
from ringlight.secrets import Secret
from ringlight.store import PairStore, TokenPair
from ringlight.store.pair_database import DatabasePairStore

ADA, BO = "ava1.ring.account.ADA", "ava1.ring.account/BØ #1"
CANARY = "canary-51c0-"


@pytest.fixture(params=KINDS)
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    postgres = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    return opener(request.param, tmp_path, postgres)


@pytest.fixture
def store(again: Open) -> Iterator[PairStore]:
    opened = again()
    yield opened
    opened.close()


def test_an_account_that_is_not_linked_has_nothing(store: PairStore) -> None:
    assert store.read(ADA) is None
    assert store.accounts() == []
    store.remove(ADA)


@pytest.mark.parametrize("long", [False, True])
def test_what_is_written_is_there_for_who_opens_the_store_again(store: PairStore, again: Open, long: bool) -> None:
    first = replace(pair(1, long=long), offered_at=1234.25)
    assert store.write(ADA, first, over=None)
    other = again()
    assert other.read(ADA) == first
    assert other.write(ADA, pair(2, long=long), over=first.refresh)
    assert store.read(ADA) == pair(2, long=long)
    other.close()


def test_a_pair_replaces_only_the_one_it_was_bought_with(store: PairStore) -> None:
    """Compare and swap: whoever comes late with a pair must not overwrite a newer one."""
    assert not store.write(ADA, pair(2), over=pair(1).refresh)
    assert store.read(ADA) is None
    assert store.write(ADA, pair(1), over=None)
    assert not store.write(ADA, pair(9), over=None)
    assert store.write(ADA, pair(2), over=pair(1).refresh)
    assert not store.write(ADA, pair(3), over=pair(1).refresh)
    assert store.read(ADA) == pair(2)


def test_accounts_do_not_meet(store: PairStore) -> None:
    assert store.write(BO, pair(5), over=None)
    assert store.write(ADA, pair(1), over=None)
    assert store.accounts() == sorted([ADA, BO])
    store.remove(ADA)
    assert store.read(ADA) is None
    assert store.read(BO) == pair(5)
    assert store.accounts() == [BO]
    assert store.write(ADA, pair(7), over=None)  # linked anew


def test_of_many_who_begin_an_account_one_wins(store: PairStore, again: Open) -> None:
    stores = [store, *(again() for _ in range(3))]
    start = threading.Barrier(4)
    won: list[int] = []

    def begin(number: int) -> None:
        start.wait(30)
        if stores[number].write(ADA, pair(number + 1), over=None):
            won.append(number + 1)

    in_threads(begin, 4)
    assert len(won) == 1
    assert store.read(ADA) == pair(won[0])
    for other in stores[1:]:
        other.close()


def test_the_lock_lets_one_in_for_each_account(store: PairStore, again: Open) -> None:
    stores = [store, *(again() for _ in range(3))]
    start = threading.Barrier(4)
    inside: list[int] = []
    most: list[int] = []

    def use(number: int) -> None:
        start.wait(30)
        with stores[number].lock(ADA):
            inside.append(number)
            most.append(len(inside))
            with stores[number].lock(BO):  # another account is free
                stores[number].read(ADA)
            inside.remove(number)

    in_threads(use, 4)
    assert most == [1] * 4
    for other in stores[1:]:
        other.close()


def test_a_lock_may_be_freed_by_another_thread(store: PairStore) -> None:
    """The steps of a renewal in an event loop run in whatever thread is free."""
    held = store.lock(ADA)
    in_threads(lambda _: held.__enter__(), 1)
    in_threads(lambda _: held.__exit__(None, None, None), 1)
    with store.lock(ADA):
        pass


def test_a_lock_is_freed_by_who_fails_inside(store: PairStore, again: Open) -> None:
    with pytest.raises(ZeroDivisionError), store.lock(ADA):
        _ = 1 / 0
    other = again()
    with other.lock(ADA):
        pass
    other.close()


def test_more_accounts_than_connections_are_locked_at_once(store: PairStore) -> None:
    """Each holds its lock and reads: were locks to take every connection, nobody could."""
    start = threading.Barrier(20)
    done: list[int] = []

    def use(number: int) -> None:
        start.wait(30)
        with store.lock(f"account {number}"):
            assert store.write(f"account {number}", pair(number + 1), over=None)
            done.append(number)

    in_threads(use, 20)
    assert sorted(done) == list(range(20))


def test_a_lock_that_is_never_freed_is_an_error_and_no_hang(
    store: PairStore, again: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pairs", "account_lock", "pair_database"):
        monkeypatch.setattr(f"ringlight.store.{module}.LOCK_TIMEOUT", 0.1)
    other = again()
    with store.lock(ADA):
        with pytest.raises(StoreError) as caught, other.lock(ADA):
            pass
        assert caught.value.code == "STORE-BUSY"
        with other.lock(BO):
            pass
    other.close()


def test_nothing_shows_a_token(store: PairStore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert store.write(ADA, pair(1, mark=CANARY), over=None)
        assert not store.write(ADA, pair(2, mark=CANARY), over=None)
        found = store.read(ADA)
        shown = [repr(store), repr(vars(store)), repr(found), *store.accounts()]
        with store.lock(ADA):
            assert store.write(ADA, pair(2, mark=CANARY), over=pair(1, mark=CANARY).refresh)
    assert CANARY not in "".join(shown).replace(repr(vars(store).get("_pairs")), "")
    assert CANARY not in caplog.text
    with pytest.raises(TypeError):
        pickle.dumps(found)


def test_no_crash_report_shows_a_token(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the variables of every frame of ours; a write that fails must leave none of them with a token."""
    for kind in ("file", "sqlite", "postgresql", "keyring"):
        store = opener(kind, tmp_path, request.getfixturevalue("postgres") if kind == "postgresql" else None)()
        first = pair(1, mark=CANARY)
        assert store.write(ADA, first, over=None)
        if isinstance(store, DatabasePairStore):
            _break(store)
        monkeypatch.setattr("os.fsync", _full)
        monkeypatch.setattr(FakeKeyring, "set_password", _full)
        with pytest.raises(RingError) as caught:
            store.write(ADA, pair(2, mark=CANARY), over=first.refresh)
        trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        ours = [frame for frame in trace.stack if "/ringlight/" in frame.filename]
        trace.stack = traceback.StackSummary.from_list(ours)
        shown = "".join(trace.format()) + repr(caught.value.__cause__) + repr(caught.value.__context__)
        assert any(frame.name == "write" for frame in ours), kind
        assert CANARY not in shown, kind
        with pytest.raises(TypeError):
            pickle.dumps(first)
        assert CANARY.encode() not in pickle.dumps(caught.value)
        store.close()
        monkeypatch.undo()


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def _break(store: DatabasePairStore) -> None:
    """As if the table had no room."""
    with store._database.writing() as connection:
        connection.execute(sa.text("ALTER TABLE token_pairs RENAME TO gone"))


def test_what_lies_on_the_disk_is_for_its_owner_only(store: PairStore, tmp_path: Path) -> None:
    assert store.write(ADA, pair(1), over=None)
    with store.lock(ADA):
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in files} <= {0}
    assert not any("ADA" in name for _, _, names in os.walk(tmp_path) for name in names)


def test_what_is_no_token_is_never_handed_out(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Whatever wrote it, a line break would end up in a header field."""
    bad = TokenPair(Secret(f"{CANARY}\r\nX: y"), Secret("r"), 1.0, 2.0)
    for kind in ("file", "sqlite", "postgresql", "keyring"):
        store = opener(kind, tmp_path, request.getfixturevalue("postgres") if kind == "postgresql" else None)()
        assert store.write(ADA, bad, over=None)
        with pytest.raises(RingError, match=r"not plain text|do not fit") as caught:
            store.read(ADA)
        assert CANARY not in str(caught.value)
        assert caught.value.code == ("CFG-STATE-DIR" if kind == "file" else "STORE-DAMAGED")
        store.remove(ADA)
        assert store.write(ADA, pair(1), over=None)  # linked anew
        assert store.read(ADA) == pair(1)
        store.close()
