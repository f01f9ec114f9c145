"""Browsers log in at `/login`, and those with a link come in by `/s/…`: over HTTP, as a browser behaves."""

import asyncio
import contextlib
import html
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from test_server_entrance import FRONT, KEY, OWN, kept, served

from ringlight.secrets import Secret
from ringlight.server.entrance import COOKIE, WRONG_KEYS
from ringlight.server.passes import Pass, Passes
from ringlight.store.camera_link_rows import CameraLinkRows, KeptCameraLink
from room_house import house

pytestmark = pytest.mark.anyio
LOOKS = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}


@contextlib.asynccontextmanager
async def browser(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that has no key, and keeps cookies."""
    async with served(tmp_path) as (http, _):
        http.headers.update(LOOKS)
        yield http


def ours(http: httpx2.AsyncClient) -> dict[str, str]:
    return {"Origin": str(http.base_url).rstrip("/")}


async def test_a_browser_is_led_to_the_login_and_from_there_to_the_page(tmp_path: Path) -> None:
    async with browser(tmp_path) as http:
        led = await http.get("/")
        assert (led.status_code, led.headers["location"]) == (303, "/login")
        form = await http.get("login")
        assert 'type="password"' in form.text
        assert "<script" not in form.text
        assert form.headers["referrer-policy"] == "same-origin", "else its form would say that it is of nowhere"
        assert (await http.get("page/style.css")).status_code == 200
        inside = await http.post("login", data={"key": OWN}, headers=ours(http))
        assert (inside.status_code, inside.headers["location"]) == (303, "/")
        cookie = inside.headers["set-cookie"]
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert "Secure" not in cookie, "the browser came by http"
        assert OWN not in cookie
        assert (await http.get("api/cameras")).status_code == 200
        assert "You are logged in" in (await http.get("login")).text
        out = await http.post("logout", headers=ours(http))
        assert out.headers["location"] == "/login"
        assert (await http.get("api/about", headers={"Accept": "*/*"})).status_code == 401


async def test_scripts_and_programs_get_an_answer_and_not_a_page(tmp_path: Path) -> None:
    async with browser(tmp_path) as http:
        script = await http.get("api/cameras", headers={"Accept": "application/json", "Sec-Fetch-Site": "same-origin"})
        assert (script.status_code, script.json()["code"]) == (401, "KEY-NEEDED")
        assert script.headers["www-authenticate"].startswith("Bearer"), "no window that asks for a password"
        posted = await http.post("whep/front-door", headers=ours(http))
        assert (posted.status_code, posted.json()["code"]) == (401, "KEY-NEEDED")


async def test_a_wrong_key_is_said_on_the_page_and_many_have_to_wait(tmp_path: Path) -> None:
    async with browser(tmp_path) as http:
        for _ in range(WRONG_KEYS[0]):
            wrong = await http.post("login", data={"key": "<b>"}, headers=ours(http))
            assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
            assert "not known here" in wrong.text
            assert "<b>" not in wrong.text
        held = await http.post("login", data={"key": OWN}, headers=ours(http))
        assert (held.status_code, "Too many wrong keys" in held.text) == (429, True)
        assert int(held.headers["retry-after"]) > 0


async def test_another_site_can_use_no_session(tmp_path: Path) -> None:
    async with browser(tmp_path) as http:
        foreign = {"Origin": "https://evil.example"}
        assert (await http.post("login", data={"key": OWN}, headers=foreign)).json()["code"] == "ORIGIN-REFUSED"
        await http.post("login", data={"key": OWN}, headers=ours(http))
        for headers in ({}, foreign, {"Origin": "null"}):
            refused = await http.post("api/rooms", json={}, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "ORIGIN-REFUSED"), headers
        assert (await http.post("api/rooms", json={}, headers=ours(http))).status_code == 201


async def test_after_a_click_on_another_site_the_browser_is_asked_once_more(tmp_path: Path) -> None:
    """It keeps a Strict cookie to itself then, through all redirects."""
    async with browser(tmp_path) as http:
        bounced = await http.get("/?a=1", headers={"Sec-Fetch-Site": "cross-site"})
        assert (bounced.status_code, "url=/?a=1" in bounced.text) == (200, True)


async def test_a_session_ends_with_its_key(tmp_path: Path) -> None:
    with kept(tmp_path, FRONT) as rows:
        async with browser(tmp_path) as http:
            await http.post("login", data={"key": KEY}, headers=ours(http))
            assert (await http.get("api/about")).json()["scopes"] == ["view"]
            assert (await http.get("api/doctor")).json()["code"] == "KEY-SCOPE"
            await asyncio.to_thread(rows.revoke, "nan")
            async with asyncio.timeout(30):
                while (await http.get("api/about")).status_code != 303:
                    await asyncio.sleep(0.2)


async def test_a_link_shows_one_camera_until_it_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with house(tmp_path, key=OWN) as (owner, _):
        made = await owner.post("api/links", json={"camera": "Front Door", "seconds": 600, "talk": True})
        assert (made.status_code, made.json()["camera"]) == (201, "front-door")
        assert made.json()["expires"] == pytest.approx(time.time() + 600, abs=30)
        async with httpx2.AsyncClient(base_url=owner.base_url, headers=LOOKS, timeout=20) as http:
            page = await http.get(made.json()["url"])
            assert "url=/#front-door" in html.unescape(page.text)
            assert page.headers["cache-control"] == "no-store"
            about = (await http.get("api/about")).json()
            assert about["scopes"] == ["view", "talk"]
            listed = (await http.get("api/cameras")).json()["cameras"]
            assert [camera["id"] for camera in listed] == ["front-door"]
            assert (await http.get("api/cameras/back-yard")).json()["code"] == "KEY-CAMERA"
            assert (await http.post("api/links", json={}, headers=ours(http))).json()["code"] == "KEY-SCOPE"
            age = re.search(r"Max-Age=(\d+)", page.headers["set-cookie"])
            assert age is not None
            assert 500 < int(age[1]) <= 600
        said = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx2", "httpcore2"))]
        assert made.json()["url"].rpartition("/")[2] not in "".join(said), "our own logs, and uvicorn's"
        assert (await owner.post("api/links", json={"camera": "attic"})).json()["code"] == "CAM-UNKNOWN"


async def test_a_link_that_was_taken_back_lets_nobody_in_any_more(tmp_path: Path) -> None:
    async with house(tmp_path, key=OWN) as (owner, _):
        made = (await owner.post("api/links", json={"camera": "front-door", "seconds": 600})).json()
        assert (await owner.get("api/links")).json() == {"links": [{k: v for k, v in made.items() if k != "url"}]}
        async with httpx2.AsyncClient(base_url=owner.base_url, headers=LOOKS, timeout=20) as http:
            assert COOKIE in (await http.get(made["url"])).headers["set-cookie"]
            assert (await http.get("api/cameras/front-door")).status_code == 200
            assert (await owner.delete(f"api/links/{made['id']}")).status_code == 204
            async with asyncio.timeout(30):
                while (await http.get("api/cameras/front-door")).status_code != 303:
                    await asyncio.sleep(0.2)
            shown = await http.get(made["url"], headers={"Accept": "application/json"})
            assert (shown.status_code, shown.json()["code"]) == (410, "KEY-LINK-REVOKED")
        assert (await owner.get("api/links")).json() == {"links": []}
        assert (await owner.delete(f"api/links/{made['id']}")).json()["code"] == "KEY-LINK-UNKNOWN"


async def test_a_link_that_is_over_or_changed_says_so_and_lets_nobody_in(tmp_path: Path) -> None:
    passes = Passes(Secret(OWN))
    over = passes.sign("link", Pass("x", time.time() - 60, "front-door")).reveal()
    session = passes.sign("session", Pass("owner", time.time() + 60)).reveal()
    async with browser(tmp_path) as http:
        for token, code, status in (
            (over, "KEY-LINK-EXPIRED", 410),
            (session, "KEY-LINK", 403),
            ("x", "KEY-LINK", 403),
        ):
            told = await http.get(f"s/{token}", headers={"Accept": "application/json"})
            assert (told.status_code, told.json()["code"]) == (status, code)
            assert token not in json.dumps(told.json()) or token == "x"
            shown = await http.get(f"s/{token}")
            assert (shown.status_code, "set-cookie" in shown.headers, "<h1>" in shown.text) == (status, False, True)


async def test_a_link_takes_nothing_from_who_may_do_more(tmp_path: Path) -> None:
    link = Passes(Secret(OWN)).sign("link", Pass("x", time.time() + 60, "front-door")).reveal()
    with kept(tmp_path) as rows:
        CameraLinkRows(rows.database).add(KeptCameraLink("x", "front-door", False, 0.0, time.time() + 60))
    async with browser(tmp_path) as http:
        await http.post("login", data={"key": OWN}, headers=ours(http))
        before = http.cookies[COOKIE]
        assert "url=/#front-door" in (await http.get(f"s/{link}")).text
        assert http.cookies[COOKIE] == before
