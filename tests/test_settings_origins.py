"""`ringlight config`: which settings hold, where each comes from, and what is wrong with them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringlight.cli.app import make_app
from ringlight.cli.config_check import wrong_settings
from ringlight.errors import SetupError
from ringlight.server.relay import IceServers
from ringlight.settings.sources import Effective, effective_settings

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _nothing_of_the_developers_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.upper().startswith("RINGLIGHT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _written(text: str) -> None:
    Path("ringlight.toml").write_text(text, encoding="utf-8")


def _found(name: str) -> Effective:
    return next(one for one in effective_settings() if one.name == name)


def test_each_setting_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    _written('[server]\nhost = "::1"\nport = 1\n[cameras.front-door]\npublish_on_battery = true')
    monkeypatch.setenv("RINGLIGHT_SERVER__PORT", "2")
    assert (_found("server.host").value, _found("server.host").origin) == ("::1", "file")
    assert (_found("server.port").value, _found("server.port").origin) == (2, "environment")
    assert (_found("media.tcp").value, _found("media.tcp").origin) == (True, "default")
    assert _found("cameras.front-door.publish_on_battery").origin == "file"
    assert _found("server.port").variable == "RINGLIGHT_SERVER__PORT"


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGLIGHT_SECRET_KEY", "canary-1")
    monkeypatch.setenv("RINGLIGHT_PARTNER__HMAC_KEYS", "canary-2,canary-3")
    monkeypatch.setenv("RINGLIGHT_CAMERAS__FRONT_DOOR__PUBLISH", "https://canary.example/4")
    monkeypatch.setenv("RINGLIGHT_REDIS_URL", "redis://:canary-5@localhost")
    for options in ([], ["--all"], ["--json"]):
        shown = CliRunner().invoke(make_app("config"), ["config", *options], catch_exceptions=False).output
        assert "canary" not in shown
        assert "(set, not shown)" in shown


def test_every_setting_has_a_sentence() -> None:
    assert [one.name for one in effective_settings() if not one.description.endswith((".", ".."))] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("RINGLIGHT_STATEDIR", "RINGLIGHT_STATEDIR sets nothing; is RINGLIGHT_STATE_DIR meant?"),
        ("RINGLIGHT_LIVE_VIEW_RETRIES", "sets nothing; is RINGLIGHT_LIVE_VIEW__RETRIES meant?"),
        ("RINGLIGHT_COLOUR_OF_THE_SKY", "RINGLIGHT_COLOUR_OF_THE_SKY sets nothing"),
    ],
)
def test_a_variable_that_sets_nothing_is_told(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the pen there would otherwise stay unseen for ever."""
    monkeypatch.setenv(name, "1")
    (line,) = wrong_settings()
    assert line.endswith(said)


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _written("[server]\nport = 70000\n[media]\nprot = 1")
    monkeypatch.setenv("RINGLIGHT_LIVE_VIEW__RETRIES", "canary")
    said = wrong_settings()
    assert [line.partition(":")[0] for line in said] == ["live_view.retries", "media.prot", "server.port"]
    assert "canary" not in str(said)


def test_both_mistakes_about_turn_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGLIGHT_TURN_URL", "https://turn.example, turn:turn.example:3478, mail:b")
    assert [line.partition(":")[0] for line in wrong_settings()] == ["turn_url", "turn_url", "turn_secret"]
    with pytest.raises(SetupError, match=r"turn_url: 'https://turn\.example'") as told:
        IceServers(["https://turn.example", "turn:turn.example:3478"])
    assert told.value.code == "CFG-INVALID"


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("RING_URL", "ring.example", "ring_url"),
        ("DATABASE_URL", "mysql://canary@db/x", "database_url"),
        ("REDIS_URL", "canary:6379", "redis_url"),
        ("TURN_URL", "stun:a, https://turn.example", "turn_url"),
        ("TURN_URL", "turn:turn.example:3478", "turn_secret"),
        ("ALLOWED_ORIGINS", "https://home.example/", "allowed_origins"),
        ("ALLOWED_ORIGINS", "home.example", "allowed_origins"),
        ("ALLOWED_ORIGINS", "*", "allowed_origins"),
        ("ALLOWED_ORIGINS", "https://canary@home.example", "allowed_origins"),
        ("SERVER__HOST", "0.0.0.0", "secret_key"),
    ],
)
def test_what_a_program_would_refuse_at_its_start_is_told_before(
    name: str, value: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RINGLIGHT_{name}", value)
    (said,) = wrong_settings()
    assert said.partition(":")[0] == wrong
    assert "canary" not in said


def test_a_name_that_is_this_machine_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens there judges it the same way (RFC 6761 section 6.3)."""
    monkeypatch.setenv("RINGLIGHT_SERVER__HOST", "cameras.localhost")
    assert wrong_settings() == []


def test_settings_that_go_together_are_none_to_complain_of(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RING_URL": "http://127.0.0.1:8100", "DATABASE_URL": "postgresql+asyncpg://u:p@db/x",
        "REDIS_URL": "unix:///run/redis.sock", "TURN_URL": "turn:[::1]:3478?transport=udp, stuns:b", "TURN_SECRET": "s",
        "ALLOWED_ORIGINS": "http://localhost:3000, https://home.example", "SERVER__HOST": "::", "SECRET_KEY": "k",
        "PUBLIC_URL": "https://cams.example",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"RINGLIGHT_{name}", value)
    assert wrong_settings() == []


def test_a_good_set_up_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGLIGHT_CAMERAS__FRONT_DOOR__PUBLISH_TOKEN", "t")
    monkeypatch.setenv("ringlight_server__port", "9")
    assert wrong_settings() == []
    well = CliRunner().invoke(make_app("config"), ["config", "--check"])
    assert (well.exit_code, well.output) == (0, "All settings can be used.\n")


def test_a_check_that_finds_something_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGLIGHT_SERVER__PORT", "x")
    told = CliRunner().invoke(make_app("config"), ["config", "--check"])
    assert told.exit_code == 1
    assert told.output.startswith("CFG-INVALID: server.port: ")
    told = CliRunner().invoke(make_app("config"), ["config", "--check", "--json"])
    assert json.loads(told.output)["valid"] is False


def test_a_file_that_is_no_toml_is_a_fault() -> None:
    _written("this is no TOML")
    with pytest.raises(SetupError):
        wrong_settings()
