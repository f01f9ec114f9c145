"""The acceptance scripts, over the pure pipeline. The shells run the same files."""

from pathlib import Path

import pytest
from scripts import FOLDER, play, read

SCRIPTS = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_client_does_what_the_script_expects(path: Path) -> None:
    play(read(path))


def test_every_script_says_what_is_at_stake_in_its_own_words() -> None:
    stakes = [read(path).stake for path in SCRIPTS]
    assert len(set(stakes)) == len(stakes) >= 30
    assert all(stake[0].isupper() and stake.endswith(".") for stake in stakes)


def test_a_client_that_does_something_else_is_noticed() -> None:
    script = read(FOLDER / "a-503-passes.toml")
    with pytest.raises(AssertionError):
        script.judge(["0.000 0 send", "0.000 0 end good"], [])
    script.steps[1] = read(FOLDER / "a-second-401-is-final.toml").steps[1]
    with pytest.raises(AssertionError):
        play(script)
