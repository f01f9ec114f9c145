"""What the page about recorders and players names is there: settings, addresses, faults, and the numbers it gives."""

import re
import tomllib
from pathlib import Path

from ringlight.faults import FAULTS
from ringlight.server import film_stream
from ringlight.server.players_api import players_router
from ringlight.server.rtsp import player, ways
from ringlight.settings import PlayerSettings, Settings, load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "nvr-and-players.md").read_text(encoding="utf-8")


def test_its_settings_are_taken() -> None:
    for block in re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        assert load_settings(**tomllib.loads(block))
    for area, name in re.findall(r"`(rtsp|players|cameras|server)\.(\w+)", PAGE):
        assert name in type(getattr(Settings.model_construct(), area)).model_fields


def test_its_numbers_are_those_of_the_code() -> None:
    defaults = PlayerSettings()
    for name, value in (("most", defaults.most), ("window", defaults.window), ("segment", defaults.segment)):
        assert re.search(rf"`players\.{name}`[^`(]*\({value:g}\)", PAGE), name
    assert re.search(rf"`players\.idle` seconds \({defaults.idle:g}\)", PAGE)
    assert f"{ways.FULL // 1024} KB wait" in PAGE
    assert player.STUCK_AFTER == 10
    assert "after ten seconds" in PAGE
    assert f"{film_stream.MOST // 1024**2} MB wait" in PAGE


def test_its_faults_are_in_the_catalogue() -> None:
    codes = set(re.findall(r"\b(?:VIEWER|CAM|MEDIA)-[A-Z-]+\b", PAGE))
    assert codes
    assert codes <= set(FAULTS)


def test_its_addresses_are_served() -> None:
    paths = (Path(players_router.__code__.co_filename)).read_text(encoding="utf-8")
    for address in set(re.findall(r"/api/cameras/\{camera\}(/[\w./]+)", PAGE)):
        assert f'"{address}"' in paths
