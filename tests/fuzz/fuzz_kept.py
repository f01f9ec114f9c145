"""Readers of what is kept: files of the state directory, copies of it, and values that other servers left in Redis."""

import atexit
import io
import json
import shutil
import tempfile
import zipfile
from pathlib import Path

from fuzz_target import Target, codes, refusing

from ringlight.nodes.presses import Presses
from ringlight.secrets import Secret
from ringlight.server import retention
from ringlight.server.recordings import Recordings
from ringlight.settings import Settings
from ringlight.store import backup, own_key, pair_file, token_file
from ringlight.store.measured_file import MeasuredFile
from ringlight.store.pair_keyring import KeyringPairStore
from ringlight.store.pairs import row_of
from ringlight.store.sealing import Seal

_FOLDER = Path(tempfile.mkdtemp(prefix="ringlight-fuzz-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
SEAL = Seal([Secret("a key for secrets at rest, long enough")])
NAME = "20261121-054412-0123abcd"
DAMAGED = (ValueError,)  # what a private file is set aside for


def read_token_file(data: bytes) -> None:
    """Somebody's sign-in: what is read of it can go into a header field."""
    try:
        kept = token_file._parse(data)
    except DAMAGED:
        return
    assert kept.hardware_id.isprintable()
    assert kept.sign_in is None or kept.sign_in.access.isascii()


def read_pair_file(data: bytes) -> None:
    """Token pairs of linked accounts are written as they are read."""
    try:
        pairs = pair_file._parse(data)
    except DAMAGED:
        return
    for pair in pairs.values():
        row_of(pair)
        repr(pair)


class _Keyring:
    """Gives an account's entries, a line each: the head, then its pieces."""

    def __init__(self, lines: list[str]) -> None:
        self._lines, self.asked = lines, 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        assert self.asked < 100_000, "it asks without end"
        at = (
            0
            if username.startswith(("link ", "accounts"))
            else 1 + int(username.partition(" ")[2].partition(".")[2].split()[0])
        )
        return self._lines[at] if at < len(self._lines) else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("reading writes")

    def delete_password(self, service: str, username: str) -> None:
        raise AssertionError("reading deletes")


def read_keyring(data: bytes) -> None:
    lines = data.decode("utf-8", "replace").split("\n")
    with refusing("STORE-DAMAGED"):
        assert len(KeyringPairStore(_FOLDER, keyring=_Keyring(lines[:1])).accounts()) < 100_000
    pair = KeyringPairStore(_FOLDER, keyring=_Keyring(lines)).read("ada")
    repr(pair)


def read_own_key(data: bytes) -> None:
    try:
        assert len(own_key._parse(data).reveal()) >= 32
    except DAMAGED:
        return


def read_batteries(data: bytes) -> None:
    """What was measured of batteries: within what can be, or nothing."""
    path = _FOLDER / "batteries.json"
    path.write_bytes(data)
    for rows in MeasuredFile(path, kept=8).load().values():
        assert len(rows) <= 8
        assert all(0 <= minutes < 10_000 and 0 <= drop <= 100 for minutes, drop in rows)


def read_note(data: bytes) -> None:
    """The note beside a recording: it is listed and swept, or left out."""
    folder = _FOLDER / "recordings" / "front-door"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.json").write_bytes(data)
    recordings = Recordings(Settings(state_dir=_FOLDER))
    for item in recordings._shelf.mend():
        recordings._shelf.parts(item)
    for item in recordings._shelf.everything():
        recordings._row(item)
        json.dumps(list(item.notes))
        assert item.id == NAME


def read_look(data: bytes) -> None:
    """When the clock was last believed: a time of the last centuries, or nothing."""
    try:
        assert 0 <= retention._looked_at(data) <= 1e11
    except DAMAGED:
        return


def read_sealed(data: bytes) -> None:
    """A sealed secret that was changed, or is of another key, is refused; what is not sealed is returned."""
    text = data.decode("latin-1")
    opened = SEAL.open(text, "a place")
    assert opened in (text, "a token")


def read_copy(data: bytes) -> None:
    """A copy of everything: damage is found, and no member of it is unpacked beyond what any copy of ours has."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            backup._judge_sizes(archive, len(data))
            assert sum(member.file_size for member in archive.infolist()) <= backup.ALLOWANCE + 250 * len(data)
            about = backup._judge(archive)
            for name in about["rows"]:
                with archive.open(f"tables/{name}.jsonl") as lines:
                    for _ in backup._batches(lines, {"id", "body"}):
                        pass
    except backup._DAMAGE:
        return


def read_press(data: bytes) -> None:
    """What another server tells of a bell."""
    heard: list[tuple[str, str]] = []
    Presses(Secret("redis://127.0.0.1:1"), lambda *press: heard.append(press))._take(data)
    assert all(isinstance(text, str) for press in heard for text in press)


TARGETS = (
    Target("kept-sign-in", read_token_file),
    Target("kept-pairs", read_pair_file),
    Target("kept-key", read_own_key),
    Target("kept-keyring", read_keyring, codes("STORE-DAMAGED")),
    Target("kept-batteries", read_batteries),
    Target("kept-recording", read_note, short=150),
    Target("kept-look", read_look),
    Target("kept-sealed", read_sealed, codes("STORE-SEALED")),
    Target("kept-copy", read_copy, codes("STORE-NEWER"), short=150),
    Target("redis-presses", read_press, short=150),
)
