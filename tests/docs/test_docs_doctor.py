"""The pages about the doctor: the list of checks is current, and the commands of the how-to work."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from conftest import RINGLIGHT, clean_environment
from ringlight.account import AccountClient
from ringlight.doctor.checks_page import as_markdown
from ringlight.secrets import Secret
from ringlight.settings import load_settings
from ringlight.testing import SimulatedRing

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference" / "checks.md"
HOW_TO = (DOCS / "how-to" / "find-out-what-is-wrong.md").read_text(encoding="utf-8")


def test_the_list_of_checks_is_current() -> None:
    """To make it anew: RINGLIGHT_WRITE_PAGES=1 pytest tests/docs/test_docs_doctor.py."""
    if os.environ.get("RINGLIGHT_WRITE_PAGES"):
        PAGE.write_text(as_markdown(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == as_markdown()


def _commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", HOW_TO, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


@pytest.mark.program
def test_the_commands_of_the_how_to_work(ring: SimulatedRing, tmp_path: Path) -> None:
    import asyncio

    async def sign_in() -> None:
        settings = load_settings(ring_url=ring.url, state_dir=tmp_path)
        async with AccountClient.open(settings) as account:
            await account.sign_in(ring.world.email, Secret(ring.world.password))

    ring.world.asks_code = False
    asyncio.run(sign_in())
    env = {**clean_environment(tmp_path), "RINGLIGHT_RING_URL": ring.url, "RINGLIGHT_SERVER__PORT": "0"}
    commands = _commands()
    assert len(commands) >= 5
    for _, *words in commands:
        ran = subprocess.run([RINGLIGHT, *words], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        ends = 1 if any("undefined" in word for word in words) else 0
        assert ran.returncode == ends, (words, ran.stdout, ran.stderr)
    assert "What is wrong" in (tmp_path / "report.html").read_text()
