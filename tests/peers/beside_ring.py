"""Runs other people's clients in a network in which Ring's hosts are the simulator."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WITH_RING = HERE.parents[1] / "examples" / "with_simulated_ring.py"


def seen_by(*command: str) -> dict[str, Any]:
    """Run a client that prints what it saw as JSON; return that."""
    seen: dict[str, Any] = json.loads(said_by(*command))
    return seen


def said_by(*command: str) -> str:
    """Run a client; return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    assert shutil.which("unshare"), "this test needs Linux with `unshare` (util-linux)"
    assert shutil.which("ip"), "this test needs `ip` (iproute2)"
    done = subprocess.run(
        [sys.executable, str(WITH_RING), *command], env=kept, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def complaints(seen: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the simulator found wrong with the client's messages: method and code."""
    said = [message for dialog in seen["dialogs"] for message in dialog["messages"]]
    return [(message["method"], message["code"]) for message in said if message["code"]]


def methods(seen: Mapping[str, Any], dialog: int = 0) -> list[str]:
    """The methods of a dialog's messages, in order."""
    return [message["method"] for message in seen["dialogs"][dialog]["messages"]]
