"""Runs every conversation of `conversations/`; each file is one situation."""

from pathlib import Path

import conversation
import pytest

FILES = sorted(conversation.FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_conversation(path: Path) -> None:
    talk = conversation.read(path)
    for line, done in conversation.run(talk):
        assert done == line.actions, f"{talk.stake}\n  at {line.at:g} {line.event}"


def test_each_conversation_says_what_is_at_stake_in_one_sentence() -> None:
    stakes = [conversation.read(path).stake for path in FILES]
    assert len(set(stakes)) == len(stakes) > 30
    assert all(stake[0].isupper() and stake.endswith(".") for stake in stakes)
