"""What a program does with Python's collector once it is open."""

import asyncio
import gc
import subprocess
import sys
import weakref

import pytest

from ringlight.server.collector import EVERY, look_at_all, until_the_next

PROGRAM = """
import gc, weakref
from ringlight.server.collector import YOUNG, nothing_collected

class Node:
    pass

with nothing_collected():
    assert not gc.isenabled()
assert gc.isenabled()
assert gc.get_freeze_count() > 1_000, "what is loaded is left alone"
node = Node()
node.itself, gone = node, weakref.ref(node)
del node
kept = [[] for _ in range(2 * YOUNG)]
assert gone() is None, "what comes later in a circle is still found, without being asked for"
"""


def test_what_is_loaded_is_not_looked_through_again_and_what_comes_later_is() -> None:
    """In a program of its own: what is left alone stays so."""
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)


class Node:
    itself: object


@pytest.mark.anyio
async def test_a_program_in_which_little_happens_looks_at_everything_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ringlight.server.collector.EVERY", 0.01)
    monkeypatch.setattr("ringlight.server.collector.REST", 0.0)  # there is much to look at in here
    gc.disable()  # as good as too few objects for Python itself to look
    looking = asyncio.create_task(look_at_all())
    try:
        await asyncio.sleep(0)  # the first look is over
        node = Node()
        node.itself, gone = node, weakref.ref(node)
        del node
        async with asyncio.timeout(30):
            while gone() is not None:
                await asyncio.sleep(0.01)
    finally:
        gc.enable()
        looking.cancel()


def test_the_longer_a_look_takes_the_more_seldom_it_is() -> None:
    assert until_the_next(0.001) == EVERY
    assert until_the_next(0.2) == 200.0
