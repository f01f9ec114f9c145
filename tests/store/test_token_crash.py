"""A process may be killed at any moment of a save: the file then holds the old pair or the new one, whole."""

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ringlight.secrets import Secret
from ringlight.store import FileTokenStore, Tokens

# Saves pair after pair, and says each number once it is durable.
SAVE_FOR_EVER = """
import sys
from pathlib import Path
from ringlight.secrets import Secret
from ringlight.store import FileTokenStore, Tokens
store = FileTokenStore(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    store.save(Tokens(Secret(f"a{number}" * 9999), Secret(f"r{number}" * 9999), float(number), "hw"))
    print(number, flush=True)
"""

# Saves a second pair and kills itself before the n-th call into the system that the save makes.
DIE_AT_STEP = """
import os, signal, sys, tempfile
from pathlib import Path
from ringlight.secrets import Secret
from ringlight.store import FileTokenStore, Tokens
store, left = FileTokenStore(Path(sys.argv[1])), int(sys.argv[2])
store.save(Tokens(Secret("a1" * 9999), Secret("r1" * 9999), 1.0, "hw"))
def dying(module, name):
    real = getattr(module, name)
    def call(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    setattr(module, name, call)
dying(tempfile, "mkstemp")
for name in ("fdopen", "fsync", "replace", "open", "close"):
    dying(os, name)
store.save(Tokens(Secret("a2" * 9999), Secret("r2" * 9999), 2.0, "hw"))
print("saved", flush=True)
"""


def _number(path: Path) -> int:
    """Return which pair is in the file, after making sure that both halves are whole and belong together."""
    tokens = FileTokenStore(path).load()
    assert tokens is not None
    number = int(tokens.expires_at)
    assert tokens.access == Secret(f"a{number}" * 9999)
    assert tokens.refresh == Secret(f"r{number}" * 9999)
    return number


@pytest.mark.parametrize("seed", range(6))
def test_killed_while_saving_in_a_loop(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "tokens.json"
    with subprocess.Popen([sys.executable, "-c", SAVE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = 0
        for _ in range(random.Random(seed).randint(1, 60)):
            said = int(child.stdout.readline())
            assert _number(path) >= said  # read while the next one is being written
        child.kill()
        said = max([said, *map(int, child.stdout.read().split())])
    # What was called durable is there; at most the one after it too.
    assert _number(path) in (said, said + 1)


@pytest.mark.parametrize("step", range(9))
def test_killed_before_each_step(tmp_path: Path, step: int) -> None:
    path = tmp_path / "tokens.json"
    run = subprocess.run(
        [sys.executable, "-c", DIE_AT_STEP, str(path), str(step)], capture_output=True, text=True, check=False
    )
    if run.returncode == 0:
        assert step > 4, "the save makes fewer steps than the test believes"
        assert _number(path) == 2
    else:
        assert run.returncode == -signal.SIGKILL, run.stderr
        assert _number(path) in (1, 2)


def test_what_a_killed_process_left_half_written_is_swept_away(tmp_path: Path) -> None:
    """It holds tokens, so it must not lie about for ever."""
    store = FileTokenStore(tmp_path / "tokens.json")
    store.save(Tokens(Secret("a"), Secret("r"), 1.0, "hw"))
    (tmp_path / "tokens.json.abc.tmp").write_text("half")

    async def main() -> None:
        async with store.lock():
            pass

    asyncio.run(main())
    assert not list(tmp_path.glob("*.tmp"))
    assert store.load() is not None
