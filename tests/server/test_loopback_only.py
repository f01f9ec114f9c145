"""A machine without a network: the only address is 127.0.0.1.

Chromium itself opens no WebRTC connection there, not even between two of its own (seen with 156), so
the viewer is a peer of ours.
"""

import subprocess
import sys
from pathlib import Path

import pytest

NAMESPACE = ["unshare", "--net", "--map-root-user"]


def _namespaces_are_allowed() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.program
@pytest.mark.skipif(not _namespaces_are_allowed(), reason="this machine does not allow network namespaces")
def test_a_picture_goes_all_the_way_where_loopback_is_the_only_address(environment: dict[str, str]) -> None:
    command = [*NAMESPACE, sys.executable, str(Path(__file__).with_name("loopback_only.py"))]
    environment |= {"PYTHONPATH": str(Path(__file__).parents[1])}  # what the tests share
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert run.returncode == 0, run.stderr
