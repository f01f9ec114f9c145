"""What a program does with Python's collector once it is open."""

import subprocess
import sys

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
