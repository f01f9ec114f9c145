"""One base URL in the place of every host, and hosts named without secrets."""

import pytest

from ringlight.errors import SetupError
from ringlight.http.address import base_of, host_of, is_loopback, rebase


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("https://oauth.ring.com/oauth/token", "http://127.0.0.1:9", "http://127.0.0.1:9/oauth/token"),
        ("https://oauth.ring.com/oauth/token", "http://127.0.0.1:9/", "http://127.0.0.1:9/oauth/token"),
        ("https://api.ring.com/a/b?c=d&e=f", "http://127.0.0.1:9/sim", "http://127.0.0.1:9/sim/a/b?c=d&e=f"),
        ("https://api.ring.com", "http://127.0.0.1:9", "http://127.0.0.1:9/"),
        ("https://api.ring.com/x%2Fy", "http://[::1]:9", "http://[::1]:9/x%2Fy"),
        ("https://api.ring.com/a?b", None, "https://api.ring.com/a?b"),
    ],
)
def test_the_base_url_replaces_the_host_and_keeps_path_and_query(url: str, base: str | None, expected: str) -> None:
    assert rebase(url, base) == expected


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.ring.com/path?token=secret", "api.ring.com"),
        ("https://ada:secret@api.ring.com:8443/", "api.ring.com:8443"),
        ("http://[::1]:9/", "[::1]:9"),
        ("http://[broken", "an address without a host"),
        ("", "an address without a host"),
    ],
)
def test_a_message_names_the_host_only(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:80", True),
        ("http://localhost:80", True),
        ("http://ring.localhost", True),
        ("http://127.0.0.1.example.org", False),
        ("http://192.0.2.1", False),
        ("http://localhost.example.org", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_loopback_is_judged_by_name_and_number(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


@pytest.mark.parametrize("url", ["", "ring", "ftp://host", "http://", "http://h:port", "http://h:99999", "http://[x"])
def test_a_base_url_that_is_no_address_is_a_setting_to_correct(url: str) -> None:
    with pytest.raises(SetupError) as caught:
        base_of("ring_url", url)
    assert caught.value.code == "CFG-INVALID"
    assert "ring_url" in str(caught.value)


def test_the_message_about_a_setting_does_not_repeat_it() -> None:
    with pytest.raises(SetupError) as caught:
        base_of("ring_url", "ftp://ada:canary@host")
    assert "canary" not in str(caught.value)
