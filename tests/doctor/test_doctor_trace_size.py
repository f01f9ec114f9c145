"""Big recordings are judged in the memory of small ones, which a process of its own shows."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from recordings import as_chrome_har, as_dump, as_lines, ring_dialog

pytestmark = pytest.mark.program

MORE = 12  # megabytes that a big file may take beyond one of a few messages
JUDGE = """
import re, sys
from ringlight.doctor.traces.lint import lint
with open(sys.argv[1], "rb") as file:
    report = lint(file)
with open("/proc/self/status") as status:
    most = re.search("VmHWM: *(\\d+) kB", status.read().replace("\t", " "))
print(report.messages, report.code, int(most[1]) // 1024)
"""


def write_lines(path: Path, size: int) -> None:
    dialog = ring_dialog()
    pair = as_lines(dialog[8:10])
    with path.open("wb") as file:
        file.write(as_lines(dialog[:10]))
        for _ in range(size // len(pair)):
            file.write(pair)


def write_har(path: Path, size: int) -> None:
    dialog = ring_dialog()
    whole, pair = as_chrome_har(dialog[:10]), as_chrome_har(dialog[8:10])
    pair = b", " + pair.partition(b'"_webSocketMessages": [')[2].partition(b"]")[0]
    at = whole.index(b'], "request"', whole.index(b"_webSocketMessages"))
    with path.open("wb") as file:
        file.write(whole[:at])
        for _ in range(size // len(pair)):
            file.write(pair)
        file.write(whole[at:])


def write_dump(path: Path, size: int) -> None:
    dialog = ring_dialog()
    one = as_dump(dialog[:10])
    path.write_bytes(one if not size else as_dump(dialog[:10] + [dialog[8], dialog[9]] * (size // 600)))


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="Linux tells how much memory a process had at most")
@pytest.mark.parametrize(("write", "big"), [(write_lines, 20_000_000), (write_har, 5_000_000), (write_dump, 5_000_000)])
def test_a_big_file_is_judged_in_little_memory(write: Callable[[Path, int], None], big: int, tmp_path: Path) -> None:
    used = {}
    for size in (0, big):
        path = tmp_path / f"{size}.trace"
        write(path, size)
        done = subprocess.run([sys.executable, "-c", JUDGE, str(path)], capture_output=True, text=True, check=True)
        messages, code, megabytes = done.stdout.split()
        assert code == "None"
        assert int(messages) > size // 1500
        used[size] = int(megabytes)
    assert used[big] < used[0] + MORE
