"""A disk that takes a while for each picture, and less that may wait for it, so that this shows within seconds."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringlight.media import recorder
from ringlight.media.film import Film

LAB = Path(__file__).parents[1]
ONE_TAKES = 0.15  # seconds
MAY_WAIT = 100_000  # octets


def make_slow(set_it: Callable[[Any, str, Any], None]) -> None:
    """Let all recordings of this process go to such a disk."""
    write = Film.write

    def slowly(film: Film, item: Any) -> None:
        time.sleep(ONE_TAKES)
        write(film, item)

    set_it(Film, "write", slowly)
    set_it(recorder, "WAITING", MAY_WAIT)


def for_a_command(folder: Path) -> dict[str, str]:
    """Return what a command has in its environment to have such a disk."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("from troubles import slow_disk\n\nslow_disk.make_slow(setattr)\n")
    return {"PYTHONPATH": f"{folder}:{LAB}"}
