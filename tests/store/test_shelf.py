"""Recordings in a folder, into which people put files of their own too."""

from pathlib import Path

import pytest

from ringlight.store.shelf import Shelf


@pytest.mark.parametrize("theirs", ["{id}-copy.mp4", "{id}-.mp4", "{id}-2 (1).mp4", "{id}-٣.mp4", "holiday.mp4"])
def test_a_file_that_somebody_has_put_there_is_no_part_and_stays(tmp_path: Path, theirs: str) -> None:
    shelf = Shelf(tmp_path)
    item = shelf.begin("front-door")
    own = [shelf.path(item), shelf.path(item).with_stem(f"{item.id}-2"), shelf.path(item).with_stem(f"{item.id}-10")]
    other = own[0].with_name(theirs.format(id=item.id))
    for path in (*own, other):
        path.write_bytes(b"mp4")
    assert shelf.parts(item) == own
    assert shelf.size(item) == 9
    shelf.remove(item)
    assert [path.name for path in own[0].parent.iterdir()] == [other.name]
