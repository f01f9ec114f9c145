"""People log in at another service: over HTTP with a provider that keeps to the letter, and one that lies."""

import base64
import contextlib
import hmac
import html
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import KeySet, RSAKey
from test_server_entrance import OWN
from test_server_login import LOOKS, ours

from own_provider import CLIENT, SECRET, OwnProvider, own_provider, visit
from ringlight.errors import UsageError
from ringlight.secrets import Secret
from ringlight.server.entrance import COOKIE
from ringlight.server.oidc.claims import judge, read_token, scopes_for, values_of
from ringlight.server.program import run_server
from ringlight.settings import OidcSettings, ServerSettings, Settings

pytestmark = pytest.mark.anyio
SCOPES: dict[str, Any] = {"family": "view talk", "admins": ["view", "admin"]}


@contextlib.asynccontextmanager
async def served(
    tmp_path: Path, provider: OwnProvider, *, secret: str = SECRET, **more: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A server whose people log in there, and a browser."""
    oidc = OidcSettings(
        issuer=more.pop("issuer", provider.url), client_id=CLIENT, client_secret=Secret(secret),
        scopes=more.pop("scopes", SCOPES), **more,
    )  # fmt: skip
    settings = Settings(
        state_dir=tmp_path, secret_key=Secret(OWN), oidc=oidc, server=ServerSettings(host="0.0.0.0", port=0)
    )
    async with (
        run_server(settings) as running,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{running.port}/", headers=LOOKS, timeout=20) as http,
    ):
        provider.redirects.add(f"http://127.0.0.1:{running.port}/login/oidc/callback")
        yield http


async def scopes_of(http: httpx2.AsyncClient) -> list[str]:
    found: list[str] = (await http.get("api/about", headers={"Accept": "*/*"})).json()["scopes"]
    return found


async def test_whoever_the_provider_knows_may_do_what_their_group_may(tmp_path: Path) -> None:
    async with own_provider() as provider, served(tmp_path, provider, name="Ada's <house>") as http:
        form = (await http.get("login")).text
        assert "Log in with Ada&#x27;s &lt;house&gt;" in form
        led = await http.get("login/oidc")
        asked = parse_qs(urlsplit(led.headers["location"]).query)
        assert (asked["scope"], asked["code_challenge_method"]) == (["openid profile email"], ["S256"])
        assert {"HttpOnly", "SameSite=lax", "Path=/login/oidc/callback"} <= set(led.headers["set-cookie"].split("; "))
        back = await visit(http)
        assert (back.status_code, "url=/" in html.unescape(back.text)) == (200, True)
        assert await scopes_of(http) == ["view", "talk"]
        assert (await http.get("api/doctor")).json()["code"] == "KEY-SCOPE"
        assert "You are logged in" in (await http.get("login")).text
        out = await http.post("logout", headers=ours(http))
        assert f"{provider.url}/bye?client_id=ringlight" in html.unescape(out.text)
        assert COOKIE not in http.cookies


async def test_groups_may_be_told_at_the_address_for_users_alone_and_of_the_right_person_only(tmp_path: Path) -> None:
    async with own_provider() as provider, served(tmp_path, provider, claim="realm.roles") as http:
        provider.about = {"sub": "ada"}
        provider.told = {"sub": "ada", "realm": {"roles": ["admins"]}}
        await visit(http)
        assert await scopes_of(http) == ["view", "admin"]
        provider.told["sub"] = "somebody else"
        assert "OIDC-GROUP" in await failed(await visit(http))


async def failed(answer: httpx2.Response) -> str:
    """The faults whose texts are on the page."""
    from ringlight.faults import FAULTS

    assert answer.status_code >= 400, answer.text
    return " ".join(code for code, fault in FAULTS.items() if html.escape(fault.title) in answer.text)


@pytest.mark.parametrize(
    ("lies", "code"),
    [
        ({"iss": "https://evil.example"}, "OIDC-TOKEN"),
        ({"aud": "another-app"}, "OIDC-TOKEN"),
        ({"aud": [CLIENT, "another-app"]}, "OIDC-TOKEN"),
        ({"azp": "another-app"}, "OIDC-TOKEN"),
        ({"nonce": "of another log-in"}, "OIDC-TOKEN"),
        ({"sub": None}, "OIDC-TOKEN"),
        ({"exp": int(time.time()) - 600}, "OIDC-CLOCK"),
        ({"iat": int(time.time()) + 6000}, "OIDC-CLOCK"),
        ({"exp": "soon"}, "OIDC-TOKEN"),
        ({"groups": ["neighbours"]}, "OIDC-GROUP"),
        ({"groups": None}, "OIDC-GROUP"),
        ({"groups": "familyplus"}, "OIDC-GROUP"),
    ],
)  # fmt: skip
async def test_a_token_that_is_not_for_this_log_in_opens_nothing(
    lies: dict[str, Any], code: str, provider: OwnProvider, browser: httpx2.AsyncClient
) -> None:
    provider.lies = lies
    assert code in await failed(await visit(browser))
    assert COOKIE not in browser.cookies


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[OwnProvider, httpx2.AsyncClient]]:
    """One provider and one server for all who lie."""
    async with own_provider() as provider, served(tmp_path_factory.mktemp("state"), provider) as http:
        yield provider, http


@pytest.fixture
def provider(both: tuple[OwnProvider, httpx2.AsyncClient]) -> OwnProvider:
    return both[0]


@pytest.fixture
def browser(both: tuple[OwnProvider, httpx2.AsyncClient]) -> httpx2.AsyncClient:
    both[1].cookies.clear()
    return both[1]


async def test_keys_that_change_are_fetched_anew_and_unknown_ones_are_said(tmp_path: Path) -> None:
    async with own_provider() as provider:
        async with served(tmp_path, provider) as http:
            await visit(http)
            assert await scopes_of(http) == ["view", "talk"]
        async with served(tmp_path, provider) as http:
            old = provider.signing
            provider.published = [old]
            provider.signing = RSAKey.generate_key(2048, {"kid": "two"})
            assert "OIDC-KEY" in await failed(await visit(http))
            assert COOKIE not in http.cookies
            provider.signing = RSAKey.generate_key(2048, {"kid": "one"})  # somebody else's, by the old name
            assert "OIDC-TOKEN" in await failed(await visit(http))


async def test_a_key_that_is_new_at_the_provider_is_taken_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringlight.server.oidc.desk.KEYS_AGAIN", 0.0)
    async with own_provider() as provider, served(tmp_path, provider) as http:
        await visit(http)
        provider.signing = RSAKey.generate_key(2048, {"kid": "two"})
        assert (await visit(http)).status_code == 200
        await visit(http)
        assert provider.asked.count("/keys") == 2, "not for each log-in"


async def test_a_wrong_secret_a_wrong_way_back_and_a_provider_that_is_away_are_said(tmp_path: Path) -> None:
    async with own_provider() as provider:
        async with served(tmp_path, provider, secret="another") as http:
            assert "OIDC-CLIENT" in await failed(await visit(http))
            led = await http.get("login/oidc")
            state = parse_qs(urlsplit(led.headers["location"]).query)["state"][0]
            for query, code in (
                (f"state={state}&error=access_denied", "OIDC-REFUSED"),
                ("state=other&code=x", "OIDC-STATE"),
                (f"state={state}&code=x", "OIDC-STATE"),  # the cookie was for one try
                ("", "OIDC-STATE"),
            ):
                assert code in await failed(await http.get(f"login/oidc/callback?{query}"))
            provider.redirects.clear()
            assert "redirect address" in (await visit(http)).text, "the provider says this itself"
        async with served(tmp_path, provider) as http:
            provider.broken = True
            assert "OIDC-UNREACHABLE" in await failed(await visit(http))
            assert (await http.post("login", data={"key": OWN}, headers=ours(http))).status_code == 303, "a key works"
            provider.broken = False
            provider.configuration = {"issuer": "https://evil.example"}
            assert "OIDC-ANSWER" in await failed(await visit(http))


async def test_a_way_back_that_is_another_at_the_end_than_at_the_beginning_is_said(tmp_path: Path) -> None:
    """As behind a proxy that writes another host into some of its requests, where no public address is set."""
    async with own_provider() as provider, served(tmp_path, provider) as http:
        led = await http.get("login/oidc")
        back = (await http.get(led.headers["location"])).headers["location"]
        assert "OIDC-REDIRECT" in await failed(await http.get(back, headers={"Host": "ringlight.home:8000"}))
        assert COOKIE not in http.cookies
        assert (await visit(http)).status_code == 200, "another try by one name works"


async def test_a_provider_that_says_itself_that_it_does_not_know_the_way_back_is_believed(
    provider: OwnProvider, browser: httpx2.AsyncClient
) -> None:
    """Some send the browser back to the first address that they know."""
    said = "error=invalid_request&error_description=The+redirect_uri+is+not+registered"
    assert "OIDC-REDIRECT" in await failed(await browser.get(f"login/oidc/callback?{said}"))


async def test_who_comes_back_from_another_browser_or_another_provider_is_not_let_in(tmp_path: Path) -> None:
    async with own_provider() as provider, served(tmp_path, provider) as http:
        led = await http.get("login/oidc")
        back = (await http.get(led.headers["location"])).headers["location"]
        async with httpx2.AsyncClient(base_url=http.base_url, headers=LOOKS) as victim:
            assert "OIDC-STATE" in await failed(await victim.get(back))
        assert "OIDC-TOKEN" in await failed(await http.get(f"{back}&iss=https%3A%2F%2Fevil.example"))


async def test_who_tries_and_tries_has_to_wait(tmp_path: Path) -> None:
    async with own_provider() as provider, served(tmp_path, provider) as http:
        codes = [(await http.get("login/oidc/callback?state=x&code=y")).status_code for _ in range(21)]
        assert codes == [400] * 20 + [429]


def test_a_token_that_is_signed_with_what_everybody_knows_is_none() -> None:
    key = RSAKey.generate_key(2048, {"kid": "one"})
    keys = KeySet([key])
    parts = b".".join(
        base64.urlsafe_b64encode(one).rstrip(b"=") for one in (b'{"alg":"HS256","kid":"one"}', b'{"sub":"x"}')
    )
    mac = base64.urlsafe_b64encode(hmac.digest(key.as_pem(private=False), parts, "sha256")).rstrip(b"=")
    for token in (
        (parts + b"." + mac).decode(),
        "eyJhbGciOiJub25lIn0.e30.",
        "", "a.b.c",
    ):  # fmt: skip
        with pytest.raises(UsageError, match=r"OIDC-(TOKEN|KEY)"):
            read_token(token, keys)


@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["iss", "aud", "azp", "nonce", "exp", "iat", "sub", "groups", "a", "email"]), inner, max_size=9), max_leaves=20,
))  # fmt: skip
def test_whatever_a_provider_says_is_judged_and_never_breaks(said: object) -> None:
    claims = said if isinstance(said, dict) else {"iss": said, "aud": said, "nonce": said, "exp": said, "iat": said}
    with pytest.raises(UsageError):
        judge({**claims, "iss": "other"}, issuer="I", client_id="C", nonce="N", now=0.0)
    with contextlib.suppress(UsageError):
        judge({**claims, "iss": "I", "aud": "C", "nonce": "N"}, issuer="I", client_id="C", nonce="N", now=0.0)
    for claim in ("groups", "a.groups", "a.a.a", "email"):
        values = values_of(claims, claim)
        assert values is None or all(isinstance(one, str) for one in values)


def test_an_address_of_mail_counts_only_where_it_was_verified() -> None:
    assert values_of({"email": "nan@home.example", "email_verified": True}, "email") == ["nan@home.example"]
    assert values_of({"email": "nan@home.example"}, "email") is None
    assert scopes_for(None, {"*": ("view",)}) == ("view",)


@pytest.mark.parametrize(
    "wrong",
    [{}, {"client_id": "x"}, {"client_id": "x", "scopes": {"a": "fly"}}, {"client_id": "x", "scopes": {"a": ""}}],
)
def test_settings_that_let_nobody_or_anybody_in_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        OidcSettings(issuer="https://id.example", **wrong)
