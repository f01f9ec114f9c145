"""Where settings come from, which source wins, and what is said of one that cannot be used."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ringlight.errors import SetupError
from ringlight.secrets import Secret
from ringlight.settings import LiveViewSettings, Settings, load_settings

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _nothing_of_the_developers_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.upper().startswith("RINGLIGHT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def save(text: str) -> Path:
        path = tmp_path / "ringlight.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return save


def _refused(config: Path | None = None, **options: Any) -> str:
    with pytest.raises(SetupError) as caught:
        load_settings(config, **options)
    assert caught.value.code == "CFG-INVALID"
    assert caught.value.detail
    return caught.value.detail


def test_without_any_source_every_option_has_its_default() -> None:
    found = load_settings()
    assert type(found) is Settings
    assert found.live_view == LiveViewSettings()
    assert (found.server.host, found.server.port, found.media.port) == ("127.0.0.1", 8000, 0)
    assert found.ring_url is None
    assert found.secret_key is None
    assert found.allowed_origins == []
    assert found.state_dir.name == "ringlight"


def test_later_sources_win(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        """
        ring_url = "http://file"
        ring_signaling_url = "ws://file"
        state_dir = "file"
        [server]
        port = 1
        host = "file"
        """
    )
    monkeypatch.setenv("RINGLIGHT_RING_SIGNALING_URL", "ws://environment")
    monkeypatch.setenv("RINGLIGHT_STATE_DIR", "environment")
    monkeypatch.setenv("RINGLIGHT_SERVER__PORT", "2")
    found = load_settings(state_dir=Path("option"))
    assert found.ring_url == "http://file"
    assert found.ring_signaling_url == "ws://environment"
    assert found.state_dir == Path("option")
    assert (found.server.host, found.server.port) == ("file", 2)


def test_another_file_is_read_where_it_is_named(tmp_path: Path, write: Write) -> None:
    write('ring_url = "http://usual"')
    other = tmp_path / "other.toml"
    other.write_text('ring_url = "http://other"')
    assert load_settings().ring_url == "http://usual"
    assert load_settings(other).ring_url == "http://other"
    assert "missing.toml" in _refused(tmp_path / "missing.toml")


def test_lists_in_the_environment_are_written_with_commas(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    monkeypatch.setenv("RINGLIGHT_ALLOWED_ORIGINS", "https://a.example, https://b.example ,")
    monkeypatch.setenv("RINGLIGHT_MEDIA__ANNOUNCE", "192.0.2.1,192.0.2.2")
    found = load_settings()
    assert found.allowed_origins == ["https://a.example", "https://b.example"]
    assert found.media.announce == ["192.0.2.1", "192.0.2.2"]
    monkeypatch.delenv("RINGLIGHT_ALLOWED_ORIGINS")
    write('allowed_origins = ["https://c.example"]')
    assert load_settings().allowed_origins == ["https://c.example"]


def test_the_secret_key_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGLIGHT_SECRET_KEY", "canary-4002")
    found = load_settings()
    assert found.secret_key == Secret("canary-4002")
    assert "canary" not in f"{found} {found!r}"


@pytest.mark.parametrize(
    ("name", "value", "setting"),
    [
        ("RINGLIGHT_SERVER__PORT", "eighty", "server.port"),
        ("RINGLIGHT_SERVER__PORT", "70000", "server.port"),
        ("RINGLIGHT_SERVER__PORT", "-1", "server.port"),
        ("RINGLIGHT_LIVE_VIEW__ANSWER_TIMEOUT", "0", "live_view.answer_timeout"),
        ("RINGLIGHT_LIVE_VIEW__ANSWER_TIMEOUT", "nan", "live_view.answer_timeout"),
        ("RINGLIGHT_LIVE_VIEW__PING_EVERY", "inf", "live_view.ping_every"),
        ("RINGLIGHT_LIVE_VIEW__READY_RETRIES", "1.5", "live_view.ready_retries"),
        ("RINGLIGHT_LIVE_VIEW__AUDIO", "perhaps", "live_view.audio"),
        ("RINGLIGHT_LIVE_VIEW__NO_SUCH", "1", "live_view.no_such"),
        ("RINGLIGHT_MEDIA__KEY_FRAME_CACHE", "1", "media.key_frame_cache"),
        ("RINGLIGHT_MEDIA__ANNOUNCE", "192.0.2.7, cams.example", "'cams.example' is no IP address"),
        ("RINGLIGHT_CAMERAS__LINGER", "-1", "cameras.linger"),
        ("RINGLIGHT_MQTT__URL", "mqtt://user:canary@host:99999", "mqtt.url"),
        ("RINGLIGHT_MQTT__URL", "mqtt://[::1", "mqtt.url"),
        ("RINGLIGHT_LIVE_VIEW", "{", "live_view"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(
    name: str, value: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert setting in _refused()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nport = 'x'", "server.port"),
        ("[server]\nprot = 1", "server.prot"),
        ("colour = 'red'", "colour"),
        ("secret_key = 5", "secret_key"),
        ("allowed_origins = [5]", "allowed_origins"),
        ("this is no TOML", "ringlight.toml"),
        ("server = 5", "server"),
    ],
)
def test_a_mistake_in_the_file_is_named(text: str, named: str, write: Write) -> None:
    write(text)
    assert named in _refused()


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "ringlight.toml").write_bytes(b"\xff\xfe\x00")
    assert "ringlight.toml" in _refused()


def test_an_option_that_cannot_be_used_is_named() -> None:
    assert "server.port" in _refused(server={"port": "x"})
    assert "colour" in _refused(colour="red")


def test_settings_cannot_be_changed_afterwards() -> None:
    found = load_settings()
    for area, name in ((found, "ring_url"), (found.server, "port"), (found.live_view, "audio")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(area, name, 1)


def _options(model: type[BaseModel], prefix: str = "") -> list[tuple[str, str | None]]:
    rows: list[tuple[str, str | None]] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            rows += _options(kind, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", field.description))
    return rows


@pytest.mark.parametrize(("name", "description"), _options(Settings))
def test_every_option_is_described_in_a_sentence(name: str, description: str | None) -> None:
    assert description, name
    assert description[0].isupper() or description[0].isdigit()
    assert description.endswith(".")


# Settings of single cameras


def test_a_camera_has_a_table_of_its_own_beside_what_is_for_all(write: Write) -> None:
    write(
        """
        [cameras]
        linger = 3
        [cameras.front-door]
        publish = "https://sfu.example/whip"
        publish_token = "T"
        """
    )
    found = load_settings().cameras
    assert found.linger == 3
    assert found.single["front-door"].publish == Secret("https://sfu.example/whip")
    assert found.single["front-door"].publish_token == Secret("T")
    assert not found.single["front-door"].publish_on_battery
    assert "sfu" not in repr(found)


def test_the_environment_names_a_camera_with_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell takes no hyphen in a name."""
    monkeypatch.setenv("RINGLIGHT_CAMERAS__FRONT_DOOR__PUBLISH", "http://127.0.0.1:8889/door/whip")
    assert load_settings().cameras.single["front-door"].publish == Secret("http://127.0.0.1:8889/door/whip")


@pytest.mark.parametrize(
    "address",
    ["", "sfu.example/whip", "ftp://sfu.example/whip", "https:///S3CRET", "https://[::1/S3CRET", "https://h:99999/S3CRET",
     "https://user:S3CRET@sfu.example/whip"],
)  # fmt: skip
def test_an_address_to_publish_to_that_cannot_be_used_is_refused_and_not_repeated(address: str) -> None:
    detail = _refused(cameras={"front-door": {"publish": address}})
    assert detail.startswith("cameras.front-door.publish: ")
    assert "S3CRET" not in detail


@pytest.mark.parametrize("wrong", [{"lingr": 3}, {"front-door": {"publsh": "https://x"}}])
def test_a_setting_of_cameras_that_is_misspelt_is_refused(wrong: dict[str, Any]) -> None:
    assert "cameras." in _refused(cameras=wrong)
