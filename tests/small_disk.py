"""A disk that is soon full: a file system in memory, which only a process of its own sees."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SCRIPT = """
import ctypes, sys
sys.path[:0] = {paths!r}
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, flags, data):
    if libc.mount(source, target, kind, flags, data):
        raise OSError(ctypes.get_errno(), "mount")
if libc.unshare(0x00020000):
    raise OSError(ctypes.get_errno(), "mount")
mount(b"none", b"/", None, 0x4000 | 0x40000, None)
mount(b"none", {folder!r}.encode(), b"tmpfs", 0, b"size={size}")
{run}
"""


def run_on_a_small_disk(
    folder: Path, size: str, run: str, *, beside: str, within: float
) -> "subprocess.CompletedProcess[str]":
    """Run a piece of Python with such a disk at a folder; return how it ended, which was well.

    Args:
        folder: It is made.
        size: As mount takes it, such as `300k`.
        run: The piece of Python.
        beside: The file of the test; modules in its folder can be imported.
        within: Seconds.
    """
    folder.mkdir()
    paths = [str(Path(beside).parent), str(TESTS)]
    script = SCRIPT.format(paths=paths, folder=str(folder), size=size, run=run)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=within, check=False)
    if ran.returncode and '"mount"' in ran.stderr and "PermissionError" in ran.stderr:
        pytest.skip("mounting needs root")
    assert ran.returncode == 0, ran.stderr
    return ran
