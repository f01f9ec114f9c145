"""The programs of the page about tokens of linked accounts do what it says, against a token service of the tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ringlight.faults import FAULTS
from ringlight.secrets import Secret
from ringlight.store import TokenPair, open_pairs
from strict_tokens import LIFETIME, StrictTokens, on_the_network

pytestmark = pytest.mark.program

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
PAGE = (PAGES / "keep-partner-tokens.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ACCOUNT = "ava1.ring.account.EXAMPLE"


def test_the_programs_of_the_page_print_what_it_says(tmp_path: Path) -> None:
    first, daily = PROGRAMS
    assert PAGE.count("```python") == 2
    tokens = StrictTokens()
    where = f"sqlite:///{tmp_path / 'ringlight.db'}"
    with on_the_network(tokens) as url:
        environment = {**os.environ, "RING_CLIENT_ID": "c", "RING_CLIENT_SECRET": "s"}
        environment |= {"TOKEN_STORE": where, "RINGLIGHT_RING_URL": url}

        def run(source: str, *args: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-W", "error", "-c", source, *args]
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

        late = run(first[0], ACCOUNT, "old-code")
        assert "LINK-CODE-EXPIRED" in late.stderr
        linked = run(first[0], ACCOUNT, "good-code")
        assert (linked.stdout, linked.stderr) == (first[1], "")
        _expire(where)
        renewed = run(daily[0])
        assert (renewed.stdout, renewed.stderr) == (daily[1], "")
        assert _expire(where) == 2, "the second pair"
        tokens.revoke()
        lost = run(daily[0])
        assert lost.stdout == f"{ACCOUNT} has to be linked anew: {FAULTS['LINK-LOST'].fix}\n"
        assert lost.stderr.startswith("not_renewed account=XAMPLE error=LINK-LOST")


def test_the_page_names_every_fault_of_links_and_stores() -> None:
    others = [
        PAGES / name for name in ("link-accounts.md", "back-up-and-move.md", "keep-and-forget.md", "seal-secrets.md")
    ]
    pages = PAGE + "".join(path.read_text(encoding="utf-8") for path in others)
    assert {code for code in FAULTS if code.startswith(("LINK-", "STORE-"))} <= set(
        re.findall(r"[A-Z]+(?:-[A-Z]+)+", pages)
    )


def _expire(where: str) -> int:
    """Let the access token be over; return the number of its pair."""
    store = open_pairs(where)
    pair = store.read(ACCOUNT)
    assert pair is not None
    old = TokenPair(Secret("gone"), pair.refresh, pair.obtained_at - LIFETIME, pair.obtained_at, pair.generation)
    assert store.write(ACCOUNT, old, over=pair.refresh)
    store.close()
    return pair.generation
