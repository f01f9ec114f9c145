"""Token files of other programs: each known form is read, all else is a fault that repeats nothing of it."""

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringlight.account.importing import LONGEST, Imported, parse_token_file
from ringlight.errors import AuthError
from ringlight.secrets import Secret

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJyZWZyZXNoIjoiY2FuYXJ5In0.c2lnbmF0dXJlLWNhbmFyeQ"
HARDWARE = "7c0d1e2f-aaaa-5bbb-8ccc-0123456789ab"
PLAIN = {"access_token": "a.b.c", "expires_in": 3600, "refresh_token": JWT, "scope": "client", "token_type": "Bearer"}
WRAPPED = base64.b64encode(json.dumps({"rt": JWT, "hid": HARDWARE, "pnc": {"gcm": {"token": "x"}}}).encode()).decode()
LINES = "\n".join(WRAPPED[at : at + 64] for at in range(0, len(WRAPPED), 64))


@pytest.mark.parametrize(
    ("content", "hardware_id"),
    [
        pytest.param(json.dumps(PLAIN), None, id="python-ring-doorbell"),
        pytest.param(json.dumps({**PLAIN, "expires_at": 1.5, "created_at": 1}, indent=2), None, id="seed"),
        pytest.param(json.dumps({"token": PLAIN, "username": "ada"}), None, id="home-assistant"),
        pytest.param(WRAPPED, HARDWARE, id="ring-client-api"),
        pytest.param(f"{LINES}\n", HARDWARE, id="broken-into-lines"),
        pytest.param(WRAPPED.rstrip("="), HARDWARE, id="without-padding"),
        pytest.param(base64.urlsafe_b64encode(base64.b64decode(WRAPPED)).decode(), HARDWARE, id="url-safe"),
        pytest.param(json.dumps(WRAPPED), HARDWARE, id="in-quotes"),
        pytest.param(json.dumps({"ring_token": WRAPPED, "systemId": "s"}), HARDWARE, id="ring-mqtt"),
        pytest.param(json.dumps({"platform": "Ring", "refreshToken": WRAPPED}), HARDWARE, id="homebridge"),
        pytest.param(base64.b64encode(json.dumps({"rt": JWT}, indent=1).encode()).decode(), None, id="no-id"),
        pytest.param(json.dumps({"rt": JWT, "hid": HARDWARE}), HARDWARE, id="unwrapped"),
        pytest.param(json.dumps({"rt": JWT, "hid": "two words"}), None, id="useless-id"),
        pytest.param(f"  {JWT}\r\n", None, id="bare"),
        pytest.param(f"\ufeff{JWT}", None, id="byte-order-mark"),
        pytest.param("sim-refresh-0123456789abcdef", None, id="bare-no-jwt"),
    ],
)
def test_every_known_form_is_read(content: str, hardware_id: str | None) -> None:
    token = content.strip() if "sim-" in content else JWT
    assert parse_token_file(content.encode()) == Imported(Secret(token), hardware_id)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe\0", "not text"),
        (b"x" * (LONGEST + 1), "longer than"),
        (b"{}", "names no refresh token"),
        (b'{"refresh_token": ""}', "names no refresh token"),
        (b'{"refresh_token": 5}', "names no refresh token"),
        (b'{"access_token": "a.b.c"}', "names no refresh token"),
        (b"[]", "no object"),
        (b'[{"rt": "x"}]', "no object"),
        (b'{"rt": "' + JWT.encode(), "damaged JSON"),
        (WRAPPED[:-7].encode(), "damaged"),
        (b"eyJub3RqYW5vbmpzb25hdGFsbA==", "damaged JSON"),
        (b"short", "neither"),
        (b"client_id: ring\nrefresh: none of this is a token", "neither"),
        (b"<html><title>Sign in</title></html>", "neither"),
        (b'{"token": {"token": {"token": {"token": {"rt": "x"}}}}}', "wrapped too often"),
    ],
)
def test_anything_else_says_what_is_wrong_with_it(content: bytes, problem: str) -> None:
    with pytest.raises(AuthError) as caught:
        parse_token_file(content)
    assert caught.value.code == "AUTH-IMPORT"
    assert problem in str(caught.value.detail)
    assert caught.value.__cause__ is None


def test_the_token_does_not_show() -> None:
    assert JWT not in repr(parse_token_file(WRAPPED.encode()))


TOKENS = st.from_regex(r"eyJ[A-Za-z0-9_-]{20,60}\.[A-Za-z0-9_-]{2,60}\.[A-Za-z0-9_-]{2,60}", fullmatch=True)
IDS = st.none() | st.uuids().map(str)


@given(TOKENS, IDS, st.integers(0, 3))
def test_whatever_a_token_is_each_form_gives_it_back(token: str, hardware_id: str | None, form: int) -> None:
    own = {"rt": token, "hid": hardware_id} if hardware_id else {"rt": token}
    packed = base64.b64encode(json.dumps(own).encode()).decode()
    content = [json.dumps(own), packed, json.dumps({"refresh_token": packed}), json.dumps(packed)][form]
    assert parse_token_file(content.encode()) == Imported(Secret(token), hardware_id)


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40) | st.just(JWT) | st.just(WRAPPED),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["rt", "hid", "token", "refresh_token", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=300) | SHAPES.map(lambda shape: json.dumps(shape).encode()))
@example(base64.b64encode(b'{"rt": "' + b"[" * 200_000 + b'"}'))
@example(b"[" * 100_000)
@example(b'{"rt":' * 5_000)
def test_no_file_breaks_the_parser(content: bytes) -> None:
    found, problem = None, None
    try:
        found = parse_token_file(content)
    except AuthError as error:
        problem = error
    if found is None:
        assert problem is not None
        assert problem.code == "AUTH-IMPORT"
        assert "canary" not in str(problem)
    else:
        assert found.refresh.reveal().isascii()
        assert found.refresh.reveal().isprintable()
