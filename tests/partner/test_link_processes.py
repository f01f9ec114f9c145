"""Real processes share a link, and are killed in the middle of a renewal: it is never lost.

The token service is a strict one: a refresh token works once, and showing a spent one loses the link.
"""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from renewing import Order, first_pair

from ringlight.secrets import Secret
from ringlight.store import PairStore, open_pairs
from strict_tokens import StrictTokens, on_the_network

KINDS = ["file", "sqlite", "postgresql"]
Obey = Callable[[Order], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def obey() -> Iterator[Obey]:
    """Have an order carried out by children of a process that has everything imported."""
    program = str(Path(__file__).with_name("renewing.py"))
    with subprocess.Popen(
        [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:

        def give(order: Order) -> list[dict[str, Any]]:
            assert parent.stdin is not None
            assert parent.stdout is not None
            parent.stdin.write(json.dumps(asdict(order)) + "\n")
            parent.stdin.flush()
            answer: list[dict[str, Any]] = json.loads(parent.stdout.readline())
            return answer

        yield give
        assert parent.stdin is not None
        parent.stdin.close()


@pytest.fixture(params=KINDS)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        address: str = request.getfixturevalue("postgres").new_database()
        return address
    return f"sqlite:///{tmp_path / 'links.db'}" if request.param == "sqlite" else str(tmp_path / "links.json")


@pytest.mark.parametrize("children", [2, 4])
@pytest.mark.parametrize("skew", [0.0, 3600.0, -3600.0])
def test_of_many_processes_at_once_one_renews(where: str, obey: Obey, children: int, skew: float) -> None:
    tokens = StrictTokens()
    first_pair(where, tokens.token("access", 1), tokens.token("refresh", 1))
    with on_the_network(tokens) as url:
        ended = obey(Order(where, url, children=children, skew=skew))
    assert [(one.get("error"), one.get("token")) for one in ended] == [(None, "access-2")] * children
    assert tokens.refreshes == 1
    assert not tokens.lost


def test_killed_at_every_step_the_link_is_there_after_a_restart(where: str, obey: Obey) -> None:
    """The service is fair here: the old token works until the new pair is used, as the answer may be lost anyway."""
    steps = 0
    while True:
        tokens = StrictTokens(fair=True)
        account = f"ada {steps}"
        first_pair(where, tokens.token("access", 1), tokens.token("refresh", 1), account=account)
        with on_the_network(tokens) as url:
            killed = obey(Order(where, url, account=account, die_before=steps))[0]
            after = obey(Order(where, url, account=account))[0]
        assert after.get("error") is None, (steps, after)
        assert tokens.works(after["token"]), steps
        assert not tokens.lost
        if killed["status"] == 0:
            break
        assert killed["status"] == signal.SIGKILL
        steps += 1
    assert steps >= 12  # read, lock, read, write, call, write: before and after each


@pytest.mark.parametrize("where", ["file", "sqlite"], indirect=True)
def test_with_a_service_that_is_not_fair_one_moment_remains(where: str, obey: Obey) -> None:
    """Between the service's answer and our disk nobody can help; it is told, and at no other moment is a link lost."""
    lost: list[int] = []
    steps = 0
    while True:
        tokens = StrictTokens()
        account = f"ada {steps}"
        first_pair(where, tokens.token("access", 1), tokens.token("refresh", 1), account=account)
        with on_the_network(tokens) as url:
            killed = obey(Order(where, url, account=account, die_before=steps))[0]
            given = tokens.refreshes
            after = obey(Order(where, url, account=account))[0]
        if after.get("error"):
            assert after["error"] == "LINK-LOST"
            assert "cut off before its pair was stored" in after["detail"]
            assert given == 1
            lost.append(steps)
        else:
            assert tokens.works(after["token"]), steps
        if killed["status"] == 0:
            break
        steps += 1
    # One stretch without a hole, from the answer to the end of the write.
    assert lost == list(range(lost[0], lost[0] + len(lost)))
    assert len(lost) < steps / 2


@pytest.mark.parametrize("seed", range(3))
def test_killed_while_renewing_in_a_loop(where: str, obey: Obey, seed: int) -> None:
    tokens = StrictTokens(fair=True)
    first_pair(where, tokens.token("access", 1), tokens.token("refresh", 1))
    with on_the_network(tokens) as url:
        obey(Order(where, url, children=2, again=random.Random(seed).uniform(0.05, 0.3)))
        after = obey(Order(where, url))[0]
        stored = _only(open_pairs(where))
        assert after.get("token") == stored.reveal()
        if not tokens.works(stored.reveal()):  # the last answer got lost: a 401 leads to the next pair
            after = obey(Order(where, url))[0]
    assert not tokens.lost
    assert after.get("error") is None


def _only(store: PairStore) -> Secret:
    pair = store.read("ada")
    store.close()
    assert pair is not None
    return pair.access
