"""The page about several servers: its settings are settings, and its files are there. tests/nodes runs its proxies."""

import re
from pathlib import Path

import pytest

from ringlight.settings import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "several-servers.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_settings_of_the_page_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = blocks("toml")
    (tmp_path / "ringlight.toml").write_text(file)
    own = next(block for block in blocks("bash") if "NODE_URL" in block)
    for name, value in re.findall(r"^(RINGLIGHT_\w+)=(\S+)", own, re.MULTILINE):
        monkeypatch.setenv(name, value)
    settings = load_settings(tmp_path / "ringlight.toml")
    assert (settings.server.node_url, settings.sign_in, settings.server.drain) == ("/node-a", "database", 5.0)
    assert settings.media.port == 50_000


def test_the_files_that_it_copies_are_there() -> None:
    copied = re.findall(r"^cp (\S+) ", "\n".join(blocks("bash")), re.MULTILINE)
    assert len(copied) == 2
    assert all((PAGE.parents[2] / path).is_file() for path in copied)
