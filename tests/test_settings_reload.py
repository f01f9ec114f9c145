"""Which settings change at once, and which at the next start."""

import pytest

from ringlight.secrets import Secret
from ringlight.settings import LiveViewSettings, PartnerSettings, RoomSettings, Settings
from ringlight.settings.reload import changes_between, is_changeable, merged


def test_only_what_can_change_is_taken_over() -> None:
    old = Settings(live_view=LiveViewSettings(retries=1, http_timeout=9), rooms=RoomSettings(capacity=2))
    new = Settings(
        live_view=LiveViewSettings(retries=5, http_timeout=3), rooms=RoomSettings(capacity=9, token_life=5.0),
        public_url="https://x.example", allowed_origins=["https://y.example"],
    )  # fmt: skip
    changes = changes_between(old, new)
    assert changes.now == ("allowed_origins", "live_view.retries", "rooms.capacity")
    assert changes.at_restart == ("live_view.http_timeout", "public_url", "rooms.token_life")
    old.take_over(merged(old, new, changes))
    assert (old.live_view.retries, old.live_view.http_timeout) == (5, 9)
    assert (old.rooms.capacity, old.rooms.token_life, old.public_url) == (9, 600.0, None)
    assert changes_between(old, new).now == ()
    assert changes_between(old, new).at_restart == changes.at_restart  # told again until there is a restart


def test_a_key_may_be_changed_but_whether_there_is_one_is_decided_at_the_start() -> None:
    none, one, two = (
        Settings(partner=PartnerSettings(hmac_keys=[Secret(key) for key in keys])) for keys in ([], ["a"], ["a", "b"])
    )
    assert changes_between(one, two).now == ("partner.hmac_keys",)
    assert changes_between(none, one).at_restart == ("partner.hmac_keys",)
    assert changes_between(one, none).at_restart == ("partner.hmac_keys",)


@pytest.mark.parametrize(
    ("name", "changeable"),
    [
        ("log.level", True),
        ("cameras.front-door.publish", True),
        ("cameras.front-door.partner_device", False),
        ("live_view.http_timeout", False),
        ("secret_key", False),
        ("server.port", False),
        ("media.port", False),
    ],
)
def test_single_settings(name: str, changeable: bool) -> None:
    assert is_changeable(name) is changeable
