"""Tokens on disk: whole or not at all, for their owner only, and never lost without a word."""

import asyncio
import json
import stat
import uuid
from pathlib import Path

import pytest

from ringlight.errors import SetupError, StoreError
from ringlight.secrets import Secret
from ringlight.store import FileTokenStore, MemoryTokenStore, Tokens, TokenStore

CANARY = "canary-7f3a"
TOKENS = Tokens(Secret("a1"), Secret("r1"), 1_700_000_000.5, "hw-1", "ada@ringlight.test")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens.json"


@pytest.mark.parametrize("make", [FileTokenStore, lambda _: MemoryTokenStore()])
def test_both_stores_keep_the_same_promises(path: Path, make: type[FileTokenStore]) -> None:
    store: TokenStore = make(path)
    assert store.load() is None
    hardware_id = store.hardware_id()
    assert uuid.UUID(hardware_id).version == 4
    assert store.hardware_id() == hardware_id
    assert store.load() is None
    tokens = Tokens(Secret("a"), Secret("r"), 1.0, hardware_id)
    store.save(tokens)
    assert store.load() == tokens
    store.clear()
    assert store.load() is None
    assert store.hardware_id() == hardware_id  # kept for ever


def test_what_is_saved_is_there_for_the_next_process(path: Path) -> None:
    FileTokenStore(path).save(TOKENS)
    assert FileTokenStore(path).load() == TOKENS
    assert FileTokenStore(path).hardware_id() == "hw-1"


def test_only_the_owner_may_read(path: Path) -> None:
    FileTokenStore(path).save(TOKENS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_clearing_removes_the_tokens_from_the_disk(path: Path) -> None:
    store = FileTokenStore(path)
    store.clear()  # nothing there, nothing made
    assert not path.exists()
    store.save(TOKENS)
    store.clear()
    assert json.loads(path.read_text()) == {"hardware_id": "hw-1", "sign_in": None}


def test_nothing_is_left_beside_the_file(path: Path) -> None:
    FileTokenStore(path).save(TOKENS)
    assert list(path.parent.iterdir()) == [path]


GOOD_SIGN_IN = {"access": "a", "refresh": CANARY, "expires_at": 1.0}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"{", "truncated"),
        (b"\x00" * 200, "malformed"),
        (b'{"hardware_id": "\xff"}', "utf-8"),
        (b"[" * 100_000, ""),
        (b"[]", "Expected `object`"),
        (b"{}", "`hardware_id`"),
        (json.dumps({"hardware_id": "h", "sign_in": {"access": CANARY}}).encode(), "`refresh`"),
        (json.dumps({"hardware_id": "h", "sign_in": GOOD_SIGN_IN | {"access": 5}}).encode(), "Expected `str`"),
        (json.dumps({"hardware_id": "h", "sign_in": GOOD_SIGN_IN | {"access": "a\nb"}}).encode(), "plain text"),
        (json.dumps({"hardware_id": "h", "sign_in": GOOD_SIGN_IN | {"access": ""}}).encode(), "empty"),
        (json.dumps({"hardware_id": "ü", "sign_in": GOOD_SIGN_IN}).encode(), "plain text"),
        (b'{"hardware_id": "h", "sign_in": {"access": "a", "refresh": "r", "expires_at": 1e999}}', ""),
    ],
)
def test_a_damaged_file_is_named_and_kept_aside(path: Path, content: bytes, problem: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = FileTokenStore(path)
    with pytest.raises(SetupError) as caught:
        store.load()
    assert caught.value.code == "CFG-STATE-DIR"
    message = str(caught.value)
    assert str(path) in message
    assert problem.casefold() in message.casefold()
    assert "tokens.json.damaged" in message
    assert CANARY not in message
    assert path.with_name("tokens.json.damaged").read_bytes() == content
    assert store.load() is None  # from here on one can sign in again


def test_a_second_damaged_file_does_not_replace_the_first(path: Path) -> None:
    path.parent.mkdir()
    for content in ("one", "two", "three"):
        path.write_text(content)
        with pytest.raises(SetupError):
            FileTokenStore(path).load()
    aside = sorted(path.parent.iterdir())
    assert [file.read_text() for file in aside] == ["one", "two", "three"]


def test_a_good_file_that_came_in_between_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may sign in between our reading of the damaged file and its removal."""
    path.parent.mkdir()
    path.write_text("damaged")
    store = FileTokenStore(path)
    exists = Path.exists

    def exists_after_a_save(self: Path) -> bool:
        if self.name.endswith(".damaged"):
            FileTokenStore(path).save(TOKENS)
        return exists(self)

    monkeypatch.setattr(Path, "exists", exists_after_a_save)
    with pytest.raises(SetupError):
        store.load()
    assert store.load() == TOKENS


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = FileTokenStore(tmp_path / "file" / "tokens.json")
    for use in (store.load, lambda: store.save(TOKENS), store.clear, store.hardware_id):
        with pytest.raises(SetupError) as caught:
            use()
        assert caught.value.code == "CFG-STATE-DIR"
        assert str(store.path) in str(caught.value)


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def main() -> None:
        async with FileTokenStore(tmp_path / "file" / "tokens.json").lock():
            pass

    with pytest.raises(SetupError) as caught:
        asyncio.run(main())
    assert caught.value.code == "CFG-STATE-DIR"


def test_a_failed_save_keeps_the_former_file_and_cleans_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileTokenStore(path)
    store.save(TOKENS)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match=r"tokens\.json: no space left") as told:
        store.save(Tokens(Secret("a2"), Secret("r2"), 2.0, "hw-1"))
    assert told.value.code == "STORE-FULL"
    assert store.load() == TOKENS
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("file_store", [True, False])
def test_the_lock_lets_one_in_at_a_time(path: Path, file_store: bool) -> None:
    store: TokenStore = FileTokenStore(path) if file_store else MemoryTokenStore()
    inside: list[int] = []
    most: list[int] = []

    async def use(number: int) -> None:
        async with store.lock():
            inside.append(number)
            most.append(len(inside))
            await asyncio.to_thread(store.load)
            inside.remove(number)

    async def main() -> None:
        await asyncio.gather(*(use(number) for number in range(5)))

    asyncio.run(main())
    assert most == [1] * 5


def test_the_lock_is_freed_when_its_holder_is_cancelled(path: Path) -> None:
    async def main() -> None:
        held = asyncio.Event()

        async def hold() -> None:
            async with FileTokenStore(path).lock():
                held.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(hold())
        await held.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(5), FileTokenStore(path).lock():
            pass

    asyncio.run(main())


def test_a_lock_that_is_never_freed_is_an_error_not_a_hang(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringlight.store.token_file.LOCK_TIMEOUT", 0.0)

    async def wait_for_it() -> None:
        async with FileTokenStore(path).lock():
            pass

    async def main() -> None:
        async with FileTokenStore(path).lock():
            await asyncio.create_task(wait_for_it())

    with pytest.raises(SetupError, match="another process has held"):
        asyncio.run(main())


def test_repr_shows_no_token() -> None:
    tokens = Tokens(Secret(CANARY), Secret(CANARY), 0.0, "hw", CANARY)
    assert CANARY not in repr(tokens) + repr(MemoryTokenStore(tokens))
