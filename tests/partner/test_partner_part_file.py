"""A download is at its place whole, or what was there before still is."""

import os
from pathlib import Path

import pytest
from test_partner_download import CLIP, clip
from tricky_storage import Shell, Storage

from ringlight.errors import MediaError, RingError
from ringlight.partner.download import download
from ringlight.partner.part_file import PartFile


def test_it_is_beside_its_place_until_it_is_whole(tmp_path: Path) -> None:
    place = tmp_path / "door.mp4"
    file = PartFile(place)
    file.restart()
    file.write(b"one")
    assert [path.name for path in tmp_path.iterdir()] == ["door.mp4.part"]
    file.restart()
    file.write(b"t")
    file.write(b"wo")
    file.finish()
    assert place.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["door.mp4"]


def test_its_bytes_are_on_the_disk_before_its_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "door.mp4"
    done: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _number: done.append("there" if place.exists() else "not there"))
    file = PartFile(place)
    file.restart()
    file.write(b"x")
    file.finish()
    assert done == ["not there", "there"]  # the file, then the folder with its new name


def test_what_fails_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "door.mp4"
    place.write_bytes(b"former")
    with pytest.raises(RingError):
        Shell(Storage(CLIP, cut=100_000, etag=None)).run(download(clip()), PartFile(place))
    assert place.read_bytes() == b"former"
    assert [path.name for path in tmp_path.iterdir()] == ["door.mp4"]


def test_a_clip_over_a_line_that_breaks_ends_as_a_file(tmp_path: Path) -> None:
    place = tmp_path / "door.mp4"
    saved = Shell(Storage(CLIP, cut=64 * 1024, good_for=5)).run(download(clip()), PartFile(place))
    assert place.read_bytes() == CLIP
    assert saved.size == len(CLIP)


def test_a_folder_that_is_missing_is_told_and_discarding_is_safe(tmp_path: Path) -> None:
    file = PartFile(tmp_path / "gone" / "door.mp4")
    with pytest.raises(MediaError) as caught:
        file.restart()
    assert caught.value.code == "FILE-WRITE"
    file.discard()
    file.discard()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "door.mp4.part").symlink_to("/dev/full")
    file = PartFile(tmp_path / "door.mp4")
    file.restart()
    with pytest.raises(MediaError) as caught:
        file.write(b"x")
    assert caught.value.code == "FILE-FULL"
    file.discard()
    assert list(tmp_path.iterdir()) == []
