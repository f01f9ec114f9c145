"""The shelf of recordings: a folder for each camera, and beside each recording a note that says what it is.

The names of files are made here and nowhere else, so that no request can lead out of the folder.
"""

import contextlib
import json
import re
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from ringlight.errors import fault_error

Status = Literal["recording", "done", "failed", "interrupted"]
_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_PART = re.compile(r"([0-9a-f-]+)-([0-9]{1,4})")
_CAMERA = re.compile(r"[a-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class Item:
    """One recording on the shelf.

    Attributes:
        id: Its name in addresses, the time of its beginning first.
        camera: The camera's id in addresses.
        began: ISO 8601, UTC.
        status: `interrupted` where the program ended in the middle; what is there plays.
        seconds: How much video.
        files: Names of its files, in order.
        fault: The code of why it failed, and what was seen then.
        detail: What was seen then.
        notes: What is worth knowing.
    """

    id: str
    camera: str
    began: str
    status: Status = "recording"
    seconds: float = 0.0
    files: tuple[str, ...] = ()
    fault: str | None = None
    detail: str | None = None
    notes: tuple[str, ...] = field(default=())


class Shelf:
    """All recordings in a folder. Its methods touch the disk; call those that list in a thread.

    Args:
        folder: Made with the first recording.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, camera: str) -> Item:
        """Make a place for a recording.

        Raises:
            MediaError: FILE-WRITE.
        """
        began = datetime.now(UTC)
        item = Item(f"{began:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}", camera, began.isoformat(timespec="seconds"))
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._of(camera).mkdir(exist_ok=True)
            self.note(item)
        except OSError as error:
            raise fault_error("FILE-WRITE", f"{self.folder}: {error.strerror or error}") from error
        return item

    def path(self, item: Item) -> Path:
        """Return where its first file goes."""
        return self._of(item.camera) / f"{item.id}.mp4"

    def note(self, item: Item) -> None:
        """Write down what a recording is by now.

        Raises:
            OSError: It cannot be written.
        """
        path = self._of(item.camera) / f"{item.id}.json"
        beside = path.with_suffix(".json.part")
        beside.write_text(json.dumps(asdict(item)), encoding="utf-8")
        beside.replace(path)

    def items(self, camera: str) -> list[Item]:
        """List the recordings of a camera, newest first. One whose note cannot be read is left out."""
        if not _CAMERA.fullmatch(camera):
            return []
        found = (self._read(path) for path in sorted(self._of(camera).glob("*.json"), reverse=True))
        return [item for item in found if item is not None]

    def find(self, camera: str, name: str) -> Item:
        """Return a recording.

        Raises:
            MediaError: FILE-GONE.
        """
        known = _CAMERA.fullmatch(camera) and _NAME.fullmatch(name)
        item = self._read(self._of(camera) / f"{name}.json") if known else None
        if item is None:
            raise fault_error("FILE-GONE", name[:60])
        return item

    def file(self, item: Item, part: int) -> Path:
        """Return one of its files, counted from 1; it may not be there yet.

        Raises:
            MediaError: FILE-GONE.
        """
        path = self.path(item) if part == 1 else self.path(item).with_stem(f"{item.id}-{part}")
        if not path.is_file():
            raise fault_error("FILE-GONE", path.name)
        return path

    def parts(self, item: Item) -> list[Path]:
        """Return the files that are there, in order."""
        first = self.path(item)
        # One pattern for all: Python keeps each that it has seen, tens of thousands of them since 3.12.
        read = ((path, _PART.fullmatch(path.stem)) for path in first.parent.glob("*.mp4"))
        more = sorted((int(part[2]), path) for path, part in read if part is not None and part[1] == item.id)
        return [path for path in (first, *(path for _, path in more)) if path.is_file()]

    def size(self, item: Item) -> int:
        """Return the bytes of its files."""
        return sum(path.stat().st_size for path in self.parts(item))

    def remove(self, item: Item) -> None:
        """Delete a recording."""
        for path in self.parts(item):
            path.unlink(missing_ok=True)
        (self._of(item.camera) / f"{item.id}.json").unlink(missing_ok=True)

    def used(self) -> int:
        """Return the bytes of all recordings."""
        total = 0
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                total += path.stat().st_size
        return total

    def everything(self) -> list[Item]:
        """List the recordings of all cameras, oldest first."""
        if not self.folder.is_dir():
            return []
        found = (item for folder in self.folder.iterdir() for item in self.items(folder.name))
        return sorted(found, key=lambda item: (item.began, item.id))

    def mend(self) -> list[Item]:
        """Return those that were running when the program ended, marked as `interrupted`."""
        return [replace(item, status="interrupted") for item in self.everything() if item.status == "recording"]

    def _of(self, camera: str) -> Path:
        return self.folder / camera

    def _read(self, path: Path) -> Item | None:
        try:
            item = msgspec.json.decode(path.read_bytes(), type=Item)
            datetime.fromisoformat(item.began).timestamp()
        except (OSError, msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            return None
        return item if (item.id, item.camera) == (path.stem, path.parent.name) else None
