"""The cookie of a browser that is logged in, behind a proxy and without one; its form; who is held up behind one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from test_server_entrance import OWN
from test_server_login import LOOKS, ours

from ringlight.secrets import Secret
from ringlight.server.entrance import COOKIE, WRONG_KEYS
from ringlight.server.login_pages import MAX_FORM
from ringlight.server.program import run_server
from ringlight.settings import ServerSettings, Settings

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def reached(tmp_path: Path, *, public_url: str | None = None, **server: Any) -> AsyncIterator[httpx2.AsyncClient]:
    settings = Settings(
        state_dir=tmp_path, secret_key=Secret(OWN), public_url=public_url,
        server=ServerSettings(host="0.0.0.0", port=0, **server),
    )  # fmt: skip
    async with (
        run_server(settings) as running,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{running.port}/", headers=LOOKS, timeout=20) as http,
    ):
        yield http


async def parts_of_cookie(http: httpx2.AsyncClient, **headers: str) -> set[str]:
    """Log in, and return what stands beside the cookie's value."""
    inside = await http.post("login", data={"key": OWN}, headers=ours(http) | headers)
    assert inside.status_code == 303, inside.text
    name, *parts = inside.headers["set-cookie"].split("; ")
    assert name.startswith(f"{COOKIE}=")
    return set(parts)


async def test_behind_a_proxy_that_is_believed_the_cookie_is_for_https_only(tmp_path: Path) -> None:
    async with reached(tmp_path, trusted_proxies=["127.0.0.1"]) as http:
        by_https = await parts_of_cookie(http, **{"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"})
        assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= by_https
        assert "Secure" not in await parts_of_cookie(http, **{"X-Forwarded-For": "192.0.2.7"})


async def test_what_a_stranger_says_of_https_is_not_believed_and_the_public_address_is(tmp_path: Path) -> None:
    async with reached(tmp_path) as http:
        assert "Secure" not in await parts_of_cookie(http, **{"X-Forwarded-Proto": "https"})
    async with reached(tmp_path, public_url="https://cams.example") as http:
        assert {"Secure", "HttpOnly", "SameSite=strict"} <= await parts_of_cookie(http)


async def test_logging_out_takes_the_cookie_away_and_another_site_cannot_do_it(tmp_path: Path) -> None:
    async with reached(tmp_path) as http:
        await parts_of_cookie(http)
        foreign = await http.post("logout", headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
        assert (foreign.status_code, foreign.json()["code"], COOKIE in http.cookies) == (403, "ORIGIN-REFUSED", True)
        out = await http.post("logout", headers=ours(http))
        assert (out.status_code, COOKIE in http.cookies) == (303, False)


async def test_another_site_logs_nobody_in(tmp_path: Path) -> None:
    """Somebody would be made to use the server by a stranger's key."""
    async with reached(tmp_path) as http:
        for headers in ({"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://127.0.0.1:1"}):
            refused = await http.post("login", data={"key": OWN}, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "ORIGIN-REFUSED"), headers
            assert "set-cookie" not in refused.headers


async def test_a_form_that_is_too_long_is_not_read_to_its_end(tmp_path: Path) -> None:
    async with reached(tmp_path) as http:
        fits = await http.post("login", content=b"key=" + b"k" * (MAX_FORM - 4), headers=ours(http))
        assert (fits.status_code, "not known here" in fits.text) == (401, True)
        refused = await http.post("login", content=b"key=" + b"k" * MAX_FORM, headers=ours(http))
        assert (refused.status_code, "set-cookie" in refused.headers) == (400, False)
        reader, writer = await asyncio.open_connection("127.0.0.1", http.base_url.port)
        head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{http.base_url.port}\r\nContent-Length: 1000000000\r\n\r\n"
        writer.write(head.encode() + b"k" * (MAX_FORM + 1))  # the other gigabyte is not waited for
        async with asyncio.timeout(20):
            assert (await reader.readline()).split()[1] == b"400"
        writer.close()


async def test_behind_a_proxy_who_guesses_waits_and_others_do_not(tmp_path: Path) -> None:
    async with reached(tmp_path, trusted_proxies=["127.0.0.1"]) as http:

        async def tried(key: str, caller: str) -> int:
            headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": caller, "Accept": "application/json"}
            return (await http.get("api/about", headers=headers)).status_code

        for number in range(WRONG_KEYS[0]):
            assert await tried(f"guess {number}", f"{number}.6.6.6, 192.0.2.7") == 401, (
                "the caller's own lie is no help"
            )
        assert await tried(OWN, "192.0.2.7") == 429
        assert await tried(OWN, "192.0.2.8") == 200
    async with reached(tmp_path) as http:  # without the setting all are the proxy
        for number in range(WRONG_KEYS[0]):
            assert await tried(f"guess {number}", "192.0.2.7") == 401
        assert await tried(OWN, "192.0.2.8") == 429
