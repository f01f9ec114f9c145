"""The programs of the README and of the pages about the client do what they say, against the simulated Ring."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from ringlight.secrets import Secret
from ringlight.store import TokenPair, open_pairs
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]
PAGES = [
    (ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8")
    for name in ("partner-client.md", "watch-partner-cameras.md")
]
PROGRAMS = [
    found for page in PAGES
    for found in re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
]  # fmt: skip
README = re.findall(r"^```python\n(from ringlight\.partner.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)


def run(source: str, ring: SimulatedRing, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    kept |= {"RINGLIGHT_RING_URL": ring.url, "RINGLIGHT_STATE_DIR": str(folder / "state"), **settings}
    command = [sys.executable, "-W", "error", "-c", source]
    return subprocess.run(command, env=kept, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_the_programs_of_the_pages_print_what_they_say(number: int, ring: SimulatedRing, tmp_path: Path) -> None:
    source, said = PROGRAMS[number]
    finished = run(source, ring, tmp_path)
    assert (finished.stderr, finished.stdout) == ("", said)


def test_every_program_of_the_pages_is_run() -> None:
    assert len(PROGRAMS) == sum(page.count("```python") for page in PAGES) == 4


def test_ten_lines_of_the_readme_list_devices_and_save_the_last_clip(ring: SimulatedRing, tmp_path: Path) -> None:
    (source,) = README
    assert len([line for line in source.splitlines() if line]) <= 10
    code = ring.world.partner.install()
    ring.world.partner.links["ada"].status = "completed"
    ring.world.partner.links["ada"].consents = dict.fromkeys(ring.world.partner.links["ada"].consents, 0)
    form = {"grant_type": "authorization_code", "code": code, "client_id": "sim-client", "client_secret": "sim-secret"}
    granted = httpx2.post(f"{ring.url}/oauth/token", data=form).json()
    (tmp_path / "state").mkdir()
    store, now = open_pairs(tmp_path / "state" / "partner-tokens.json"), time.time()
    pair = TokenPair(Secret(granted["access_token"]), Secret(granted["refresh_token"]), now, now + 14_400)
    store.write("ava1.ring.account.ADA", pair, over=None)
    secrets = {"RINGLIGHT_PARTNER__CLIENT_ID": "sim-client", "RINGLIGHT_PARTNER__CLIENT_SECRET": "sim-secret"}
    finished = run(source, ring, tmp_path, **secrets)
    assert finished.stderr == ""
    size = (tmp_path / "last.mp4").stat().st_size
    assert finished.stdout == f"Front Door online\nBack Yard online\nDriveway online\n{size} bytes\n"
